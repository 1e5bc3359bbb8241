// Chunks of histograms, read back from files of chunks_head.

import { ChunkEncoding } from '../tsdb/block/contract.js';
import { decodeHeadChunk } from '../tsdb/head-chunks/record.js';
import type { Crc32c } from '../wasm/crc32c.js';
import type { HistogramPlace, ReadHistograms } from './histogram-places.js';
import type { SpilledChunks } from './history/spilled.js';

/** `filesOf` gives what reads the files, once that is there. */
export function histogramReader(filesOf: () => SpilledChunks, crc: Crc32c): ReadHistograms {
  return (place: HistogramPlace) => {
    const { isFloat, minTimeMs, maxTimeMs, file, offset, bytes } = place;
    const chunk = decodeHeadChunk(filesOf().readRecord(file, offset, bytes), crc);
    const encoding = isFloat ? ChunkEncoding.FloatHistogram : ChunkEncoding.Histogram;
    const isThis = chunk?.minTimeMs === minTimeMs && chunk.maxTimeMs === maxTimeMs && chunk.encoding === encoding;
    return isThis ? { isFloat, minTimeMs, maxTimeMs, data: chunk.data } : undefined;
  };
}
