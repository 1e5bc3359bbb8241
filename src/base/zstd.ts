// Zstandard, where this Node has it (22.15 and later).

import * as zlib from 'node:zlib';

type Decompress = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

const decompress = (zlib as { zstdDecompressSync?: Decompress }).zstdDecompressSync;

export const zstdSupported = decompress !== undefined;

/** At most `bytesMax` decoded bytes; undefined where the input is not a sound frame or holds more. */
export function zstdDecode(bytes: Uint8Array, bytesMax: number): Uint8Array | undefined {
  try {
    return decompress?.(bytes, { maxOutputLength: bytesMax });
  } catch {
    return undefined;
  }
}
