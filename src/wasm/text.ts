// Strings between JavaScript and the core's heap.

import type { Core } from './core.js';
import { OutOfMemory } from './select.js';

const encoder = new TextEncoder();

/** Calls `use` with the UTF-8 bytes of a text in the core's heap, for as long as the call lasts. */
export function withText<T>(core: Core, text: string, use: (address: number, bytes: number) => T): T {
  const encoded = encoder.encode(text);
  const address = core.exports.heap_alloc(encoded.length) >>> 0;
  if (address === 0) throw new OutOfMemory();
  try {
    core.bytes.set(encoded, address);
    return use(address, encoded.length);
  } finally {
    core.exports.heap_free(address, encoded.length);
  }
}

/** A string from linear memory. Copies. */
export function readText(core: Core, address: number, bytes: number): string {
  return Buffer.from(core.memory.buffer, address >>> 0, bytes >>> 0).toString('utf8');
}
