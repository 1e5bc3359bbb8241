// What storage was told, in plain maps, and so what it must show.
//
//   here    acknowledged, or seen once the dust had settled: must be there, with this very value
//   maybe   nobody knows: no answer, a refusal that may come true later, a deletion that broke off
//   gone    deleted, or seen to be missing: must not come back
//
// A batch without an answer is all there or not at all, unless some of it could be refused for its time.

import type { Labels } from '../../../src/model/labels.js';

type State = 'here' | 'maybe' | 'gone';

interface Point {
  readonly value: number;
  readonly batch: Batch;
  state: State;
}

export interface Batch {
  readonly id: number;
  /** Whether all of it is there or nothing. */
  whole: boolean;
}

export interface Sample {
  readonly series: string;
  readonly timeMs: number;
  readonly value: number;
}

/** Samples by series and time, as a query found them. */
export type Found = ReadonlyMap<string, ReadonlyMap<number, number>>;

export class Model {
  readonly #series = new Map<string, Map<number, Point>>();
  #batches = 0;

  has(series: string, timeMs: number): boolean {
    return this.#series.get(series)?.has(timeMs) ?? false;
  }

  /** Points that must be there. */
  get size(): number {
    let count = 0;
    for (const points of this.#series.values()) for (const { state } of points.values()) if (state === 'here') count++;
    return count;
  }

  /** Samples that were sent together; until somebody says more nothing is known of them. */
  send(samples: readonly Sample[], whole: boolean): Batch {
    const batch: Batch = { id: ++this.#batches, whole };
    for (const { series, timeMs, value } of samples) {
      let points = this.#series.get(series);
      if (points === undefined) {
        points = new Map();
        this.#series.set(series, points);
      }
      points.set(timeMs, { value, batch, state: 'maybe' });
    }
    return batch;
  }

  acknowledge(batch: Batch): void {
    this.#each((point) => {
      if (point.batch === batch) point.state = 'here';
    });
  }

  /** Both ends included. Where the answer is not known all of it may be there or not. */
  delete(isMeant: (series: string) => boolean, fromMs: number, toMs: number, isKnown: boolean): void {
    this.#each((point, timeMs, series) => {
      if (timeMs < fromMs || timeMs > toMs || !isMeant(series) || point.state === 'gone') return;
      point.state = isKnown ? 'gone' : 'maybe';
      point.batch.whole = false;
    });
  }

  /** Nobody knows any more what is there of these; their values still hold. */
  doubt(isMeant: (series: string, timeMs: number) => boolean): void {
    this.#each((point, timeMs, series) => {
      if (!isMeant(series, timeMs) || point.state === 'gone') return;
      point.state = 'maybe';
      point.batch.whole = false;
    });
  }

  /** What is wrong with what a query found, be it only a part. */
  judgeSome(found: Found): string[] {
    const problems: string[] = [];
    for (const [series, values] of found) {
      for (const [timeMs, value] of values) {
        const point = this.#series.get(series)?.get(timeMs);
        const what = `${series} at ${timeMs}`;
        if (point === undefined) problems.push(`${what} was never sent, and is ${value} (I2)`);
        else if (!Object.is(point.value, value)) problems.push(`${what} is ${value} instead of ${point.value} (I2)`);
        else if (point.state === 'gone') problems.push(`${what} is back (I4)`);
      }
    }
    return problems;
  }

  /** Of a batch that was taken in part: what a query finds now is there. Gives how many samples that are. */
  settleBatch(batch: Batch, found: Found): number {
    let seen = 0;
    this.#each((point, timeMs, series) => {
      if (point.batch !== batch || point.state === 'gone') return;
      const isSeen = found.get(series)?.has(timeMs) ?? false;
      point.state = isSeen ? 'here' : 'gone';
      if (isSeen) seen++;
    });
    return seen;
  }

  /**
   * What is wrong with what a query found, all there is. What is older than `keptFromMs` may have gone. With `isSettled` nothing is under
   * way any more: what is there now stays, what is not never comes.
   */
  judge(found: Found, keptFromMs: number, isSettled: boolean): string[] {
    const problems = this.judgeSome(found);
    const halves = new Map<Batch, { seen: number; missed: number }>();
    this.#each((point, timeMs, series) => {
      const isSeen = found.get(series)?.has(timeMs) ?? false;
      const isExpired = timeMs < keptFromMs;
      if (isExpired) point.batch.whole = false;
      if (point.state === 'here' && !isSeen) {
        if (!isExpired) problems.push(`${series} at ${timeMs} is lost, batch ${point.batch.id} (I1)`);
        else point.state = 'maybe';
      }
      if (point.state !== 'maybe' || !isSettled) return;
      const half = halves.get(point.batch) ?? { seen: 0, missed: 0 };
      halves.set(point.batch, half);
      if (isSeen) half.seen++;
      else half.missed++;
      // An expired block may come back once, when its removal did not reach the disk.
      if (isSeen) point.state = 'here';
      else if (!isExpired) point.state = 'gone';
    });
    for (const [{ id, whole }, { seen, missed }] of halves) {
      if (whole && seen > 0 && missed > 0)
        problems.push(`of batch ${id} ${seen} samples are there, ${missed} not (I3)`);
    }
    return problems;
  }

  #each(action: (point: Point, timeMs: number, series: string) => void): void {
    for (const [series, points] of this.#series) for (const [timeMs, point] of points) action(point, timeMs, series);
  }
}

/** A series as one text: its labels, names and values in turn. */
export function seriesKey(labels: Labels): string {
  return labels.join(' ');
}
