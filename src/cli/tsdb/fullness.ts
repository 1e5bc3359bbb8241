// How full the chunks of a block are: a line of `#` for each range of samples, of bytes, of buckets.

import type { Block } from '../../tsdb/block/block.js';
import { ChunkEncoding } from '../../tsdb/block/contract.js';
import { SeriesEntry } from '../../tsdb/block/series-entry.js';
import { decodeChunk } from '../../tsdb/chunk/decode.js';
import { countOf } from '../../tsdb/chunk/xor.js';

/** Chunks read at once. */
const BATCH_CHUNKS = 256;
const RANGES = 10;
const STEP_MAX = 10_000;

/** Of each chunk one number. */
interface Sizes {
  readonly floatSamples: number[];
  readonly floatBytes: number[];
  readonly histogramSamples: number[];
  readonly histogramBytes: number[];
  readonly histogramBuckets: number[];
}

export function fullness(block: Block, refs: Uint32Array): string[] {
  const sizes = sizesOf(block, refs);
  const chunks = sizes.floatSamples.length + sizes.histogramSamples.length;
  return [
    '',
    'Compaction analysis:',
    '',
    ...distribution('samples per float chunk', sizes.floatSamples, chunks),
    ...distribution('bytes per float chunk', sizes.floatBytes, chunks),
    ...distribution('samples per histogram chunk', sizes.histogramSamples, chunks),
    ...distribution('bytes per histogram chunk', sizes.histogramBytes, chunks),
    ...distribution('buckets per histogram chunk', sizes.histogramBuckets, chunks),
  ];
}

function sizesOf(block: Block, refs: Uint32Array): Sizes {
  const sizes: Sizes = {
    ...{ floatSamples: [], floatBytes: [], histogramSamples: [], histogramBytes: [], histogramBuckets: [] },
  };
  const entry = new SeriesEntry();
  let batch: number[] = [];
  for (const ref of refs) {
    block.index.series(ref, entry);
    for (let i = 0; i < entry.chunkCount; i++) batch.push(entry.chunkRefs[i]!);
    if (batch.length < BATCH_CHUNKS) continue;
    measure(block, batch, sizes);
    batch = [];
  }
  measure(block, batch, sizes);
  return sizes;
}

function measure(block: Block, refs: readonly number[], sizes: Sizes): void {
  const { bytes, starts, lengths, encodings } = block.chunks.read(refs);
  for (let i = 0; i < refs.length; i++) {
    const data = bytes.subarray(starts[i]!, starts[i]! + lengths[i]!);
    const encoding = encodings[i]!;
    if (encoding === ChunkEncoding.Histogram || encoding === ChunkEncoding.FloatHistogram) {
      sizes.histogramSamples.push(countOf(data));
      sizes.histogramBytes.push(data.length);
      sizes.histogramBuckets.push(bucketsOf(encoding, data));
    } else {
      sizes.floatSamples.push(countOf(data));
      sizes.floatBytes.push(data.length);
    }
  }
}

/** Of all samples of a chunk, together. */
function bucketsOf(encoding: number, data: Uint8Array): number {
  const decoded = decodeChunk(encoding, data);
  if (decoded.kind === 'floats') return 0;
  return decoded.histograms.reduce(
    (sum, { histogram }) => sum + histogram.positive.length + histogram.negative.length,
    0,
  );
}

/** Ten ranges or so, each with its count and a `#` for each percent of all chunks. */
function distribution(what: string, numbers: readonly number[], total: number): string[] {
  if (numbers.length === 0) return [`${what}: N/A`, ''];
  const sum = numbers.reduce((a, b) => a + b, 0);
  const least = numbers.reduce((a, b) => Math.min(a, b));
  const most = numbers.reduce((a, b) => Math.max(a, b));
  const step = stepOf(least, most);
  const start = least - (least % step);
  const end = most - (most % step) + step;
  const counts = new Array<number>((end - start) / step + 1).fill(0);
  for (const number of numbers) counts[Math.floor((number - start) / step)]!++;
  const countWidth = String(Math.max(...counts)).length;
  const lines = counts.map((count, i) => {
    const from = String(start + i * step + 1).padStart(String(end).length);
    const to = String(start + (i + 1) * step).padStart(String(end + step).length);
    const share = '#'.repeat(Math.floor((100 * count) / total));
    return `[${from}, ${to}]: ${String(count).padStart(countWidth)} ${share}`;
  });
  return [`${what} (min/avg/max): ${least}/${Math.floor(sum / numbers.length)}/${most}`, ...lines, ''];
}

function stepOf(least: number, most: number): number {
  let step = 10;
  while (step < Math.floor((most - least) / RANGES) && step <= STEP_MAX) step *= 10;
  return step;
}
