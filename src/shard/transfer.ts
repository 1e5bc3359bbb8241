// Buffers that move with a message instead of being copied.

import { move, transferableSymbol, valueSymbol } from 'piscina';

/** Every ArrayBuffer in a message, at any depth of plain objects and arrays. Typed arrays are copied, as small ones should be. */
export function buffersOf(message: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const walk = (value: unknown): void => {
    if (value instanceof ArrayBuffer) found.add(value);
    else if (Array.isArray(value)) {
      // Lists of strings and numbers are the long ones, and hold no buffers.
      if (typeof value[0] === 'object') for (const item of value) walk(item);
    } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      for (const item of Object.values(value)) walk(item);
    }
  };
  walk(message);
  return [...found];
}

/** A result for Piscina whose buffers move to main. */
export function moving<T>(value: T, buffers: ArrayBuffer[]): T {
  if (buffers.length === 0) return value;
  return move({
    get [transferableSymbol]() {
      return buffers;
    },
    get [valueSymbol]() {
      return value;
    },
  } as never) as T;
}
