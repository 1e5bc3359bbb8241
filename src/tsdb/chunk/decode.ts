// A chunk of any encoding that we know, decoded.

import { ChunkEncoding } from '../block/contract.js';
import { ChunkFault } from './bit-stream.js';
import { decodeHistogramChunk, type HistogramSample } from './histogram.js';
import type { FloatSamples } from './xor.js';
import { decodeXor } from './xor.js';
import { decodeXor2 } from './xor2.js';

export type DecodedChunk =
  | { readonly kind: 'floats'; readonly floats: FloatSamples }
  | { readonly kind: 'histograms'; readonly histograms: readonly HistogramSample[] };

export function decodeChunk(encoding: number, chunk: Uint8Array): DecodedChunk {
  switch (encoding) {
    case ChunkEncoding.Xor:
      return { kind: 'floats', floats: decodeXor(chunk) };
    case ChunkEncoding.Histogram:
      return { kind: 'histograms', histograms: decodeHistogramChunk(chunk, false) };
    case ChunkEncoding.FloatHistogram:
      return { kind: 'histograms', histograms: decodeHistogramChunk(chunk, true) };
    case ChunkEncoding.Xor2:
      return { kind: 'floats', floats: decodeXor2(chunk) };
    default:
      throw new ChunkFault(0, `encoding ${encoding} is unknown`);
  }
}
