// The series of several blocks in label order, each with all its samples in time order: what dumps and copies read.
//
//   block 0   a ──── c ────        ┐
//   block 1   a ──── b ── c ──     ┘ ──►  a, b, c: chunks of both, those that share time merged
//
// Memory: one series' chunk descriptions of each block, and the samples of chunks that overlap.

import { compareLabels, type Labels } from '../../model/labels.js';
import type { Matcher } from '../../model/matcher.js';
import type { Block } from '../block/block.js';
import type { ChunkEncoding, DeletedInterval, StreamedChunk } from '../block/contract.js';
import { selectSeries } from '../block/select.js';
import { SeriesEntry } from '../block/series-entry.js';
import { union } from '../block/sets.js';
import { mergeSamples, withoutDeleted } from '../compact/merge-chunks.js';
import type { Sample, SampleCodec } from '../compact/samples.js';

export interface SeriesQuery {
  /** Series that any of them takes; all, without any. */
  readonly selectors: readonly (readonly Matcher[])[];
  /** Both ends included. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export interface MergedSeries {
  readonly labels: Labels;
  /** In time order. To be read before the next series is asked for. */
  readonly samples: Iterable<Sample>;
}

/** Chunks read at once. */
const BATCH_CHUNKS = 1024;

/** Series without a sample in the range may be among them. Throws BlockFault, DiskError, UnreadableChunk, PatternError. */
export function* mergedSeries(
  blocks: readonly Block[],
  query: SeriesQuery,
  codec: SampleCodec,
): Generator<MergedSeries> {
  const { minTimeMs, maxTimeMs } = query;
  const touching = blocks.filter(({ meta }) => meta.minTimeMs <= maxTimeMs && meta.maxTimeMs > minTimeMs);
  const cursors = touching.map((block) => new Cursor(block, query));
  for (;;) {
    const labels = leastLabels(cursors);
    if (labels === undefined) return;
    const having = cursors.filter(
      (cursor) => cursor.labels !== undefined && compareLabels(cursor.labels, labels) === 0,
    );
    yield { labels, samples: samplesOf(having, query, codec) };
    for (const cursor of having) cursor.next();
  }
}

function leastLabels(cursors: readonly Cursor[]): Labels | undefined {
  let least: Labels | undefined;
  for (const { labels } of cursors) {
    if (labels !== undefined && (least === undefined || compareLabels(labels, least) < 0)) least = labels;
  }
  return least;
}

/** A chunk that is not read yet. */
interface PlacedChunk {
  readonly cursor: Cursor;
  readonly ref: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

function* samplesOf(
  cursors: readonly Cursor[],
  { minTimeMs, maxTimeMs }: SeriesQuery,
  codec: SampleCodec,
): Generator<Sample> {
  for (const group of groupsOf(cursors.flatMap((cursor) => cursor.chunks(minTimeMs, maxTimeMs)))) {
    const rows = cursors.flatMap((cursor) => cursor.read(group, codec));
    for (const sample of rows.length === 1 ? rows[0]! : mergeSamples(rows)) {
      if (sample.timeMs >= minTimeMs && sample.timeMs <= maxTimeMs) yield sample;
    }
  }
}

/** Chunks that share time are in one group; the others each have one. */
function* groupsOf(chunks: PlacedChunk[]): Generator<PlacedChunk[]> {
  chunks.sort((a, b) => a.minTimeMs - b.minTimeMs || a.maxTimeMs - b.maxTimeMs);
  let group: PlacedChunk[] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const chunk of chunks) {
    if (chunk.minTimeMs > end && group.length > 0) {
      yield group;
      group = [];
    }
    group.push(chunk);
    end = Math.max(end, chunk.maxTimeMs);
  }
  if (group.length > 0) yield group;
}

/** The selected series of one block. */
class Cursor {
  readonly #block: Block;
  readonly #refs: Uint32Array;
  readonly #entry = new SeriesEntry();
  #at = -1;
  #labels: Labels | undefined;
  #deleted: readonly DeletedInterval[] = [];

  constructor(block: Block, { selectors }: SeriesQuery) {
    this.#block = block;
    this.#refs =
      selectors.length === 0
        ? block.index.allSeries()
        : union(selectors.map((matchers) => selectSeries(block, matchers)));
    this.next();
  }

  /** Of the series at hand; undefined behind the last. */
  get labels(): Labels | undefined {
    return this.#labels;
  }

  next(): void {
    const ref = this.#refs[++this.#at];
    this.#labels = undefined;
    if (ref === undefined) return;
    const { index, tombstones } = this.#block;
    this.#labels = index.labelsOf(index.series(ref, this.#entry));
    this.#deleted = tombstones.of(ref);
  }

  /** Of the series at hand, those that touch a range. */
  chunks(minTimeMs: number, maxTimeMs: number): PlacedChunk[] {
    const all = this.#entry.chunks();
    const touching = all.filter((chunk) => chunk.minTimeMs <= maxTimeMs && chunk.maxTimeMs >= minTimeMs);
    return touching.map((chunk) => ({ cursor: this, ...chunk }));
  }

  /** What is left of those chunks of a group that are this block's, a row for each. */
  read(group: readonly PlacedChunk[], codec: SampleCodec): Sample[][] {
    const own = group.filter(({ cursor }) => cursor === this);
    const rows: Sample[][] = [];
    for (let from = 0; from < own.length; from += BATCH_CHUNKS) {
      const batch = own.slice(from, from + BATCH_CHUNKS);
      const read = this.#block.chunks.read(batch.map(({ ref }) => ref));
      const chunks = batch.map(({ minTimeMs, maxTimeMs }, i): StreamedChunk => {
        const start = read.starts[i]!;
        const data = read.bytes.subarray(start, start + read.lengths[i]!);
        return { minTimeMs, maxTimeMs, encoding: read.encodings[i]! as ChunkEncoding, data };
      });
      for (const chunk of withoutDeleted(chunks, this.#deleted, codec)) rows.push(codec.decode(chunk));
    }
    return rows;
  }
}
