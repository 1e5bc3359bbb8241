// Names of the core's functions by index. The release core has none, but the same build with `--debug` numbers its functions
// the same way and keeps them, in the custom section `name`:
//
//   npx asc --config asconfig.json --target release --debug -o build/core.named.wasm
//
//   header <8> │ section: id <1>, length, … │ 0, length, "name", { subsection: id <1>, length, … }
//   subsection 1: count, { index, length, name }                    numbers are unsigned LEB128

import { existsSync, readFileSync } from 'node:fs';

const HEADER_BYTES = 8;
const CUSTOM = 0;
const FUNCTION_NAMES = 1;

/** Empty where there is no such file. */
export function wasmNames(file: string): Map<number, string> {
  const names = new Map<number, string>();
  if (!existsSync(file)) return names;
  const reader = new Reader(readFileSync(file), HEADER_BYTES);
  while (!reader.ended) {
    const { id, body } = reader.section();
    if (id !== CUSTOM || body.text() !== 'name') continue;
    while (!body.ended) {
      const { id: kind, body: entries } = body.section();
      if (kind !== FUNCTION_NAMES) continue;
      for (let left = entries.number(); left > 0; left--) names.set(entries.number(), entries.text());
    }
  }
  return names;
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  section(): { id: number; body: Reader } {
    const id = this.#bytes[this.#at++]!;
    return { id, body: new Reader(this.#take()) };
  }

  text(): string {
    return this.#take().toString();
  }

  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  #take(): Buffer {
    const length = this.number();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
