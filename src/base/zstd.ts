// Zstandard: by Node where it can (22.15 and later), else by a decoder in JavaScript at a third of the speed.
//
// For what is on our own disks: the decoder in JavaScript believes what a frame says of its length until it is decoded.

import * as zlib from 'node:zlib';
import { decompress } from 'fzstd';

type NativeDecode = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

const nativeDecode = (zlib as { zstdDecompressSync?: NativeDecode }).zstdDecompressSync;

/** At most `bytesMax` decoded bytes; undefined where the input is not sound or holds more. */
export function zstdDecode(bytes: Uint8Array, bytesMax: number, native = nativeDecode): Uint8Array | undefined {
  try {
    const decoded = native === undefined ? decompress(bytes) : native(bytes, { maxOutputLength: bytesMax });
    return decoded.length <= bytesMax ? decoded : undefined;
  } catch {
    return undefined;
  }
}
