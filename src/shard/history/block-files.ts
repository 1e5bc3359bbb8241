// A block in its folder, as queries ask it.

import type { Disk } from '../../base/disk.js';
import { Block } from '../../tsdb/block/block.js';
import type { IndexSummary } from '../../tsdb/block/index-summary.js';
import { labelNames, labelValues, selectSeries } from '../../tsdb/block/select.js';
import { SeriesEntry } from '../../tsdb/block/series-entry.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import type { HistoryBlock } from './block.js';
import { KeptSelections } from './kept-selections.js';
import { plainChunks } from './plain-chunks.js';

/** Opens the block. Whoever has it closes it. Throws BlockFault and DiskError. */
export function openHistoryBlock(disk: Disk, path: string, crc: Crc32c, summary?: IndexSummary): HistoryBlock {
  const block = Block.open(disk, path, crc, summary);
  const { meta, index, chunks, tombstones } = block;
  const entry = new SeriesEntry();
  const selections = new KeptSelections();
  return {
    ulid: meta.ulid,
    minTimeMs: meta.minTimeMs,
    maxTimeMs: meta.maxTimeMs,
    chunksPerSeries: meta.stats.chunks / Math.max(1, meta.stats.series),
    hasDeleted: !tombstones.isEmpty,
    files: {
      indexBytes: index.sizeBytes,
      readIndex: (into, at) => index.readInto(into, at),
      segmentBytes: (segment) => chunks.segmentBytes(segment),
      readSegment: (segment, into, at) => chunks.readInto(segment, into, at),
    },
    select: (matchers, check) => selections.get(matchers, () => selectSeries(block, matchers, check)),
    names: (matchers) => labelNames(block, matchers),
    values: (name, matchers) => labelValues(block, name, matchers),
    entry: (ref) => index.series(ref, entry),
    symbol: (number) => index.symbols.bytes(number),
    chunks: (refs) => plainChunks(chunks.read(refs), path),
    deleted: (ref) => tombstones.of(ref),
    close: () => block.close(),
  };
}
