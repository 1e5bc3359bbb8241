// A block in its folder, as queries ask it.

import type { Disk } from '../../base/disk.js';
import { Block } from '../../tsdb/block/block.js';
import type { IndexSummary } from '../../tsdb/block/index-summary.js';
import { labelNames, labelValues, selectSeries } from '../../tsdb/block/select.js';
import { SeriesEntry } from '../../tsdb/block/series-entry.js';
import { AggregatesReader } from '../../tsdb/downsample/aggregates-file.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import type { HistoryBlock } from './block.js';
import { rebuiltChunks } from './downsampled.js';
import { KeptSelections } from './kept-selections.js';
import { plainChunks } from './plain-chunks.js';

/** Opens the block. Whoever has it closes it. Throws BlockFault and DiskError. */
export function openHistoryBlock(disk: Disk, path: string, crc: Crc32c, summary?: IndexSummary): HistoryBlock {
  const block = Block.open(disk, path, crc, summary);
  const { meta, index, chunks, tombstones } = block;
  const aggregates = openAggregates(disk, path, crc, block);
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
    isDownsampled: (ref) => aggregates?.has(ref) === true,
    rebuilt: (ref) => {
      const own = index.series(ref).chunks();
      const read = chunks.read(own.map((chunk) => chunk.ref));
      return rebuiltChunks(aggregates!, ref, plainChunks(read, path), path);
    },
    chunks: (refs) => plainChunks(chunks.read(refs), path),
    deleted: (ref) => tombstones.of(ref),
    close: () => {
      aggregates?.close();
      block.close();
    },
  };
}

function openAggregates(disk: Disk, path: string, crc: Crc32c, block: Block): AggregatesReader | undefined {
  try {
    return AggregatesReader.open(disk, path, crc);
  } catch (error) {
    block.close();
    throw error;
  }
}
