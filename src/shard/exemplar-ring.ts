// The exemplars of a shard's series: a ring in the order in which they came, and through it a chain for each series.
//
//            first ▼                       ▼ end
//   ring   … ░░░░░│ a1 │ b1 │ a2 │ c1 │ a3 │░░░░░ …       numbers go up for ever; a place is number % places
//                   └──────────┴─────────┘                next: the number of the series' next one
//
// Who may stay is not decided here: all shards share one number of exemplars (exemplar-book.ts).

import type { Exemplar } from '../model/exemplar.js';
import type { Labels } from '../model/labels.js';
import { type PackedLabels, packLabels, unpackLabels } from '../tsdb/wal/exemplar-record.js';

/** Why an exemplar is not taken: the very same again, or older than the newest of its series. */
export type ExemplarRefusal = 'repeated' | 'out of order';

/** A series with exemplars, by the numbers of its oldest and newest. */
interface Chain {
  readonly key: PackedLabels;
  oldest: number;
  newest: number;
}

const PLACES_MIN = 64;
const NONE = -1;

export class ExemplarRing {
  readonly #chains = new Map<PackedLabels, Chain>();
  #first = 0;
  #end = 0;
  // By place.
  #times = new Float64Array(PLACES_MIN);
  #values = new Float64Array(PLACES_MIN);
  #next = new Float64Array(PLACES_MIN);
  #labels: PackedLabels[] = [];
  #chainOf: Chain[] = [];

  get size(): number {
    return this.#end - this.#first;
  }

  /** Exemplars that ever came; those before `first` are gone again. */
  get appended(): number {
    return this.#end;
  }

  get first(): number {
    return this.#first;
  }

  get seriesCount(): number {
    return this.#chains.size;
  }

  /** Time of the one that goes next; Infinity where there is none. */
  get oldestMs(): number {
    return this.size === 0 ? Infinity : this.#times[this.#place(this.#first)]!;
  }

  /** Why an exemplar of a series would not be taken. */
  refusal(series: PackedLabels, { labels, value, timeMs }: Exemplar): ExemplarRefusal | undefined {
    const chain = this.#chains.get(series);
    if (chain === undefined) return undefined;
    const newest = this.#place(chain.newest);
    const newestMs = this.#times[newest]!;
    if (timeMs !== newestMs) return timeMs < newestMs ? 'out of order' : undefined;
    if (value !== this.#values[newest]) return value < this.#values[newest]! ? 'out of order' : undefined;
    return packLabels(labels) === this.#labels[newest] ? 'repeated' : undefined;
  }

  /** Takes an exemplar that nothing is said against. */
  push(series: PackedLabels, { labels, value, timeMs }: Exemplar): void {
    if (this.size === this.#times.length) this.#grow();
    const number = this.#end++;
    const place = this.#place(number);
    let chain = this.#chains.get(series);
    if (chain === undefined) this.#chains.set(series, (chain = { key: series, oldest: number, newest: number }));
    else this.#next[this.#place(chain.newest)] = number;
    chain.newest = number;
    this.#times[place] = timeMs;
    this.#values[place] = value;
    this.#next[place] = NONE;
    this.#labels[place] = packLabels(labels);
    this.#chainOf[place] = chain;
  }

  /** Lets go of all before a number. */
  dropBefore(number: number): void {
    for (const end = Math.min(number, this.#end); this.#first < end; this.#first++) {
      const place = this.#place(this.#first);
      const chain = this.#chainOf[place]!;
      chain.oldest = this.#next[place]!;
      if (chain.oldest === NONE) this.#chains.delete(chain.key);
    }
  }

  /** Series whose labels a test takes, and their exemplars in [startMs, endMs]; `mayMatch` is a cheap look in advance. */
  *select(
    mayMatch: (key: PackedLabels) => boolean,
    matches: (labels: Labels) => boolean,
    startMs: number,
    endMs: number,
  ): Generator<{ labels: Labels; exemplars: Exemplar[] }> {
    for (const chain of this.#chains.values()) {
      if (this.#times[this.#place(chain.newest)]! < startMs || this.#times[this.#place(chain.oldest)]! > endMs)
        continue;
      if (!mayMatch(chain.key)) continue;
      const labels = unpackLabels(chain.key);
      if (!matches(labels)) continue;
      const exemplars = [...this.#within(chain, startMs, endMs)];
      if (exemplars.length > 0) yield { labels, exemplars };
    }
  }

  /** Times within a series ascend. */
  *#within({ oldest }: Chain, startMs: number, endMs: number): Generator<Exemplar> {
    for (let number = oldest; number !== NONE; ) {
      const place = this.#place(number);
      const timeMs = this.#times[place]!;
      if (timeMs > endMs) return;
      if (timeMs >= startMs) yield { labels: unpackLabels(this.#labels[place]!), value: this.#values[place]!, timeMs };
      number = this.#next[place]!;
    }
  }

  #place(number: number): number {
    return number % this.#times.length;
  }

  #grow(): void {
    const before = this.#times.length;
    const grown = { times: this.#times, values: this.#values, next: this.#next };
    const [labels, chainOf] = [this.#labels, this.#chainOf];
    this.#times = new Float64Array(before * 2);
    this.#values = new Float64Array(before * 2);
    this.#next = new Float64Array(before * 2);
    this.#labels = new Array(before * 2);
    this.#chainOf = new Array(before * 2);
    for (let number = this.#first; number < this.#end; number++) {
      const [from, to] = [number % before, this.#place(number)];
      this.#times[to] = grown.times[from]!;
      this.#values[to] = grown.values[from]!;
      this.#next[to] = grown.next[from]!;
      this.#labels[to] = labels[from]!;
      this.#chainOf[to] = chainOf[from]!;
    }
  }
}
