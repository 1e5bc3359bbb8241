// The chunks of one series from several blocks become one row that does not overlap.
//
//   block 0   ├──a──┤├──b──┤                 a, b and d stand alone with their time: copied
//   block 1             ├──c──┤  ├──d──┤     b and c share time: decoded, merged, encoded anew
//
// Where two have a sample of the same time, the one goes in that did not give the sample before; at the very beginning
// that of the chunk that begins first. So it is in Prometheus, and so values do not depend on who merged.

import type { DeletedInterval, StreamedChunk } from '../block/contract.js';
import { detached, type Sample, type SampleCodec } from './samples.js';

/** Merges chunks. Those of each block come in its order, oldest block first. */
export function mergeChunks(chunks: readonly StreamedChunk[], codec: SampleCodec): StreamedChunk[] {
  const sorted = [...chunks].sort((a, b) => a.minTimeMs - b.minTimeMs || a.maxTimeMs - b.maxTimeMs);
  const merged: StreamedChunk[] = [];
  let group: StreamedChunk[] = [];
  let end = Number.NEGATIVE_INFINITY;
  const close = () => {
    if (group.length === 1) merged.push(group[0]!);
    else if (group.length > 1) merged.push(...codec.encode(mergeSamples(group.map((chunk) => codec.decode(chunk)))));
    group = [];
  };
  for (const chunk of sorted) {
    if (chunk.minTimeMs > end) close();
    else if (isSame(chunk, group.at(-1)!)) continue;
    group.push(chunk);
    end = Math.max(end, chunk.maxTimeMs);
  }
  close();
  return merged;
}

/** Without what is deleted: chunks go, are copied, or are encoded anew. */
export function withoutDeleted(
  chunks: readonly StreamedChunk[],
  deleted: readonly DeletedInterval[],
  codec: SampleCodec,
): readonly StreamedChunk[] {
  if (deleted.length === 0) return chunks;
  return chunks.flatMap((chunk) => {
    const touching = deleted.filter((one) => one.minTimeMs <= chunk.maxTimeMs && one.maxTimeMs >= chunk.minTimeMs);
    if (touching.length === 0) return [chunk];
    if (touching.some((one) => one.minTimeMs <= chunk.minTimeMs && one.maxTimeMs >= chunk.maxTimeMs)) return [];
    const all = codec.decode(chunk);
    const isLeft = all.map(({ timeMs }) => !isDeleted(touching, timeMs));
    const left = all.flatMap((sample, i) => (isLeft[i] ? [isLeft[i - 1] ? sample : detached(sample)] : []));
    return left.length === 0 ? [] : codec.encode(left);
  });
}

function isDeleted(deleted: readonly DeletedInterval[], timeMs: number): boolean {
  return deleted.some(({ minTimeMs, maxTimeMs }) => timeMs >= minTimeMs && timeMs <= maxTimeMs);
}

function isSame(a: StreamedChunk, b: StreamedChunk): boolean {
  if (a.minTimeMs !== b.minTimeMs || a.maxTimeMs !== b.maxTimeMs || a.data.length !== b.data.length) return false;
  return a.encoding === b.encoding && a.data.every((byte, i) => byte === b.data[i]);
}

/** Rows of samples, each in time order, as one; by the beginning of the rows. */
export function mergeSamples(rows: readonly (readonly Sample[])[]): Sample[] {
  const [first, second, ...others] = rows.filter((samples) => samples.length > 0).map((samples) => new Row(samples));
  if (second === undefined) return [...(first?.samples ?? [])];
  const merged: Sample[] = [];
  let last: Row | undefined;
  const waiting = new Waiting();
  for (const row of [...others, first!]) waiting.push(row);
  let current = second;
  for (let isFirst = true; ; isFirst = false) {
    if (!isFirst) current.at++;
    // Given already, by another row.
    if (current.timeMs === merged.at(-1)?.timeMs) continue;
    if (!(current.timeMs < waiting.timeMs)) {
      if (waiting.isEmpty) return merged;
      if (!current.isAtEnd) waiting.push(current);
      current = waiting.pop();
    }
    if (current.timeMs === merged.at(-1)?.timeMs) continue;
    const sample = current.samples[current.at]!;
    merged.push(current === last ? sample : detached(sample));
    last = current;
  }
}

class Row {
  readonly samples: readonly Sample[];
  /** The sample at hand. */
  at = 0;

  constructor(samples: readonly Sample[]) {
    this.samples = samples;
  }

  get isAtEnd(): boolean {
    return this.at === this.samples.length;
  }

  /** Infinity behind the last. */
  get timeMs(): number {
    return this.samples[this.at]?.timeMs ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * Rows that wait, the earliest on top: a binary heap. Which of several with the same time comes first is what a heap
 * makes of their order, and Prometheus has one, too.
 */
class Waiting {
  readonly #rows: Row[] = [];

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /** Of the earliest; Infinity where there is none. */
  get timeMs(): number {
    return this.#rows[0]?.timeMs ?? Number.POSITIVE_INFINITY;
  }

  push(row: Row): void {
    const rows = this.#rows;
    let at = rows.push(row) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!(row.timeMs < rows[above]!.timeMs)) break;
      rows[at] = rows[above]!;
      at = above;
    }
    rows[at] = row;
  }

  pop(): Row {
    const rows = this.#rows;
    const top = rows[0]!;
    const last = rows.pop()!;
    if (rows.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below + 1 < rows.length && rows[below + 1]!.timeMs < rows[below]!.timeMs) below++;
      if (below >= rows.length || !(rows[below]!.timeMs < last.timeMs)) break;
      rows[at] = rows[below]!;
      at = below;
    }
    rows[at] = last;
    return top;
  }
}
