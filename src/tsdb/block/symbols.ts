// The symbols of an index: the strings of its labels, sorted, found by number and by text.
//
//   ┌─────────┬───────────┬────────────────────────────┬─────┬─────────┐
//   │ len u32 │ count u32 │ length uvarint, UTF-8 ...  │ ... │ crc u32 │
//   └─────────┴───────────┴────────────────────────────┴─────┴─────────┘
//
// In memory is where every 32nd begins. A lookup reads up to 32 strings.

import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader, BytesError, compareBytes } from '../bytes.js';
import type { SymbolTable } from './contract.js';
import type { BlockFile } from './file.js';
import { findSection, readSection, type Section, scanSection } from './section.js';

/** Strings between two that are remembered. */
export const SYMBOL_STRIDE = 32;
const COUNT_BYTES = 4;

/** What is in memory of the symbols. */
export interface SymbolSamples {
  readonly count: number;
  /** Offsets in the content of string 0, 32, 64, …, and of the content's end. */
  readonly offsets: Uint32Array;
}

/** Begins with what could be taken for a byte order mark, and is not one. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const toUtf8 = new TextEncoder();

export class Symbols {
  readonly count: number;
  readonly samples: SymbolSamples;
  readonly #file: BlockFile;
  readonly #crc: Crc32c;
  readonly #section: Section;

  private constructor(file: BlockFile, crc: Crc32c, section: Section, samples: SymbolSamples) {
    this.count = samples.count;
    this.samples = samples;
    this.#file = file;
    this.#crc = crc;
    this.#section = section;
  }

  /** Without samples reads the section once, for its checksum and for them; their order is looked at. */
  static open(file: BlockFile, at: number, crc: Crc32c, samples?: SymbolSamples): Symbols {
    const section = findSection(file, 'symbols', at);
    return new Symbols(file, crc, section, samples ?? Symbols.#sample(file, section, crc));
  }

  static #sample(file: BlockFile, section: Section, crc: Crc32c): SymbolSamples {
    const count = new ByteReader(file.read('symbols', section.start, COUNT_BYTES)).u32();
    const contentBytes = section.end - section.start;
    if (count > contentBytes) throw file.fault('symbols', section.start, `${count} strings in ${contentBytes} bytes`);
    const offsets = new Uint32Array(Math.ceil(count / SYMBOL_STRIDE) + 1);
    let number = 0;
    let before: Uint8Array | undefined;
    scanSection(file, section, crc, { skip: COUNT_BYTES, count }, (reader, offset) => {
      if (number % SYMBOL_STRIDE !== 0) reader.skipString();
      else {
        const text = reader.bytes(reader.uvarint());
        if (before !== undefined && compareBytes(before, text) >= 0) {
          throw file.fault('symbols', section.start + offset, `string ${number} comes before an earlier one`);
        }
        before = text;
        offsets[number / SYMBOL_STRIDE] = offset;
      }
      number++;
    });
    offsets[offsets.length - 1] = contentBytes;
    return { count, offsets };
  }

  /** The UTF-8 of a symbol: lends. */
  bytes(number: number): Uint8Array {
    if (!(number >= 0 && number < this.count)) {
      throw this.#file.fault('symbols', this.#section.start, `no symbol ${number} among ${this.count}`);
    }
    const group = Math.floor(number / SYMBOL_STRIDE);
    const { reader } = this.#group(group);
    return this.#file.parse('symbol', this.#section.start, () => {
      for (let left = number % SYMBOL_STRIDE; left > 0; left--) reader.skip(reader.uvarint());
      return reader.bytes(reader.uvarint());
    });
  }

  string(number: number): string {
    return utf8.decode(this.bytes(number));
  }

  /** The number of a string, where the block has it. */
  find(text: string | Uint8Array): number | undefined {
    if (this.count === 0) return undefined;
    const wanted = typeof text === 'string' ? toUtf8.encode(text) : text;
    const group = this.#lastGroupFrom(wanted);
    const { reader, strings } = this.#group(group);
    return this.#file.parse('symbols', this.#section.start, () => {
      for (let i = 0; i < strings; i++) {
        const order = compareBytes(reader.bytes(reader.uvarint()), wanted);
        if (order === 0) return group * SYMBOL_STRIDE + i;
        if (order > 0) return undefined;
      }
      return undefined;
    });
  }

  /** All of them, in order: for merging blocks, and for whoever needs most of them. */
  table(): SymbolTable {
    const content = readSection(this.#file, this.#section, this.#crc);
    return this.#file.parse('symbols', this.#section.start, () => {
      const reader = new ByteReader(content, COUNT_BYTES);
      // The content has a length byte or more for each string, so what is copied out is smaller.
      const bytes = new Uint8Array(content.length - COUNT_BYTES - this.count);
      const ends = new Uint32Array(this.count);
      let end = 0;
      let before: Uint8Array | undefined;
      for (let i = 0; i < this.count; i++) {
        const text = reader.bytes(reader.uvarint());
        if (before !== undefined && compareBytes(before, text) >= 0) {
          throw new BytesError(reader.at, `string ${i} does not come after the one before`);
        }
        before = text;
        bytes.set(text, end);
        end += text.length;
        ends[i] = end;
      }
      return { bytes: bytes.subarray(0, end), ends };
    });
  }

  /** The last group whose first string is not behind `wanted`, or the first group. */
  #lastGroupFrom(wanted: Uint8Array): number {
    let low = 0;
    let high = this.samples.offsets.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const { reader } = this.#group(middle);
      const first = this.#file.parse('symbols', this.#section.start, () => reader.bytes(reader.uvarint()));
      if (compareBytes(first, wanted) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #group(group: number): { reader: ByteReader; strings: number } {
    const { offsets } = this.samples;
    const from = offsets[group]!;
    const bytes = this.#file.read('symbols', this.#section.start + from, offsets[group + 1]! - from);
    return {
      reader: new ByteReader(bytes),
      strings: Math.min(SYMBOL_STRIDE, this.count - group * SYMBOL_STRIDE),
    };
  }
}
