// Sample values: 64 bits, of which two NaNs have meanings of their own.
//
//   7ff0000000000002   the stale marker: the series ends here
//   7ff8000000000001   the NaN that Prometheus writes for "not a number"
//
// JS may rewrite a NaN's payload, so staleness is asked of the bits in a buffer,
// never of a number. All our buffers are little endian, as WASM memory is.

export const STALE_HIGH = 0x7ff00000;
export const STALE_LOW = 2;

/** The 32-bit words of a column: value i is words 2i (low) and 2i + 1 (high). Shares its memory. */
export function wordsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

export function isStaleAt(words: Uint32Array, index: number): boolean {
  return words[2 * index + 1] === STALE_HIGH && words[2 * index] === STALE_LOW;
}

export function writeStaleAt(words: Uint32Array, index: number): void {
  words[2 * index] = STALE_LOW;
  words[2 * index + 1] = STALE_HIGH;
}
