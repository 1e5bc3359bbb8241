// Strings in the core's heap for as long as a call needs them.

import type { Core } from './core.js';
import { OutOfMemory } from './out-of-memory.js';

/** What a string is that the core knows no symbol of. */
export const NO_SYMBOL = 0xffffffff;

/** The heap's smallest blocks: an empty string takes one too. */
const BLOCK_BYTES_MIN = 16;

const encoder = new TextEncoder();

/** The call borrows the bytes. */
export function withString<T>(core: Core, text: string, call: (address: number, bytes: number) => T): T {
  return withBytes(core, encoder.encode(text), call);
}

/** The same of bytes. */
export function withBytes<T>(core: Core, encoded: Uint8Array, call: (address: number, bytes: number) => T): T {
  const blockBytes = Math.max(encoded.length, BLOCK_BYTES_MIN);
  const address = core.exports.heap_alloc(blockBytes) >>> 0;
  if (address === 0) throw new OutOfMemory();
  try {
    core.bytes.set(encoded, address);
    return call(address, encoded.length);
  } finally {
    core.exports.heap_free(address, blockBytes);
  }
}

/** The symbol of a string, or NO_SYMBOL. */
export function symbolOf(core: Core, text: string): number {
  return withString(core, text, (address, bytes) => core.exports.symbols_find(address, bytes) >>> 0);
}
