// Results of rules on their way to the shards: one append, and of each rule's what became of it.
//
//   samples ─┬─ of series that are known ──► rows, to their shards ──┬─► series that are gone: by their labels, once more
//            └─ of others ──► one shard, by their labels ────────────┴─► those of other shards: to these
//
// A series is known from its first sample on: later ones are 24 bytes each, without a string.

import type { Labels } from '../model/labels.js';
import type { StoredHistogram } from '../model/stored-histogram.js';
import { STALE_HIGH, STALE_LOW } from '../model/value.js';
import { NO_SERIES } from '../wasm/head.js';
import { ROW_BYTES } from '../wasm/rows.js';
import type { AppendedSeries, RecordedPart, RecordReply, ResultOutcome } from './protocol.js';

/** A series that main writes again and again. */
export interface PlacedSeries {
  readonly labels: Labels;
  /** Where it was found last; undefined before. */
  place: SeriesPlace | undefined;
}

interface SeriesPlace {
  readonly shard: number;
  readonly series: number;
  /** Low half: tells whether the number still is that series'. */
  readonly ref: number;
}

export interface RecordedSample {
  readonly series: PlacedSeries;
  /** Of no meaning beside a histogram. */
  readonly value: number;
  readonly histogram?: StoredHistogram;
}

/** Of one time. */
export interface Recording {
  readonly timeMs: number;
  /** By rule; no series twice in one. */
  readonly results: readonly (readonly RecordedSample[])[];
  /** Series that end: after all results, and where no sample is as new. */
  readonly ended: readonly PlacedSeries[];
}

/** Has a shard append parts, the last of which are stale markers. */
export type SendParts = (shard: number, parts: RecordedPart[]) => Promise<RecordReply>;

/** What became of each result. `sorter`: the shard that looks at series that are not known. */
export async function record(
  { timeMs, results, ended }: Recording,
  sorter: number,
  send: SendParts,
): Promise<ResultOutcome[]> {
  const parts = [...results, ended.map((series) => ({ series, value: 0 }))];
  const outcomes = results.map(() => NONE_REFUSED);
  let parcels = new Parcels(parts.length);
  parts.forEach((part, at) => {
    for (const sample of part) parcels.add(sample.series.place?.shard ?? sorter, at, sample);
  });
  while (parcels.size > 0) {
    const next = new Parcels(parts.length);
    const sent = parcels.map(async (shard, parcel) => {
      const reply = await send(shard, parcel.parts(timeMs));
      reply.results.forEach((outcome, at) => {
        outcomes[at] = added(outcomes[at]!, outcome);
      });
      parcel.settle(shard, reply, next);
    });
    await Promise.allSettled(sent);
    await Promise.all(sent);
    parcels = next;
  }
  return outcomes;
}

/** Parcels by shard. */
class Parcels {
  readonly #parts: number;
  readonly #byShard = new Map<number, Parcel>();

  constructor(parts: number) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#byShard.size;
  }

  add(shard: number, part: number, sample: RecordedSample): void {
    let parcel = this.#byShard.get(shard);
    if (parcel === undefined) {
      parcel = new Parcel(this.#parts);
      this.#byShard.set(shard, parcel);
    }
    parcel.add(part, sample);
  }

  map<T>(action: (shard: number, parcel: Parcel) => T): T[] {
    return Array.from(this.#byShard, ([shard, parcel]) => action(shard, parcel));
  }
}

/** What one shard is sent. */
class Parcel {
  /** By part. */
  readonly #rows: RecordedSample[][];
  readonly #named: RecordedSample[][];

  constructor(parts: number) {
    this.#rows = Array.from({ length: parts }, () => []);
    this.#named = Array.from({ length: parts }, () => []);
  }

  add(part: number, sample: RecordedSample): void {
    const isRow = sample.series.place !== undefined && sample.histogram === undefined;
    (isRow ? this.#rows : this.#named)[part]!.push(sample);
  }

  parts(timeMs: number): RecordedPart[] {
    const last = this.#rows.length - 1;
    return this.#rows.map((rows, at) => ({
      rows: rowsOf(rows, timeMs, at === last),
      named: this.#named[at]!.map((sample) => appendedOf(sample, timeMs, at === last)),
    }));
  }

  /** Notes where series are; what is to be sent once more goes into `next`. */
  settle(shard: number, { places, gone }: RecordReply, next: Parcels): void {
    let at = 0;
    this.#named.forEach((samples, part) => {
      for (const sample of samples) {
        const [owner, series, ref] = [places[at]!, places[at + 1]!, places[at + 2]!];
        at += 3;
        if (owner !== shard) next.add(owner, part, sample);
        else sample.series.place = series === NO_SERIES ? undefined : { shard, series, ref };
      }
    });
    gone.forEach((rows, part) => {
      for (const row of rows) {
        const sample = this.#rows[part]![row]!;
        sample.series.place = undefined;
        next.add(shard, part, sample);
      }
    });
  }
}

function rowsOf(samples: readonly RecordedSample[], timeMs: number, isEnd: boolean): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(samples.length * ROW_BYTES));
  const time = BigInt(timeMs);
  samples.forEach(({ series: { place }, value }, i) => {
    const at = i * ROW_BYTES;
    view.setUint32(at, place!.series, true);
    view.setUint32(at + 4, place!.ref, true);
    view.setBigInt64(at + 8, time, true);
    putValue(view, at + 16, value, isEnd);
  });
  return view.buffer;
}

function appendedOf({ series, value, histogram }: RecordedSample, timeMs: number, isEnd: boolean): AppendedSeries {
  const { labels } = series;
  if (histogram !== undefined) return { labels, samples: new ArrayBuffer(0), stored: [{ timeMs, histogram }] };
  const view = new DataView(new ArrayBuffer(16));
  view.setFloat64(0, timeMs, true);
  putValue(view, 8, value, isEnd);
  return { labels, samples: view.buffer };
}

function putValue(view: DataView, at: number, value: number, isEnd: boolean): void {
  if (!isEnd) {
    view.setFloat64(at, value, true);
    return;
  }
  view.setUint32(at, STALE_LOW, true);
  view.setUint32(at + 4, STALE_HIGH, true);
}

const NONE_REFUSED: ResultOutcome = { outOfOrder: 0, tooOld: 0, duplicates: 0, reason: undefined };

function added(a: ResultOutcome, b: ResultOutcome): ResultOutcome {
  return {
    outOfOrder: a.outOfOrder + b.outOfOrder,
    tooOld: a.tooOld + b.tooOld,
    duplicates: a.duplicates + b.duplicates,
    reason: a.reason ?? b.reason,
  };
}
