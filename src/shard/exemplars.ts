// Exemplars in a shard: taken with appends, read back from the log, asked for.

import { type Exemplar, isTooLong } from '../model/exemplar.js';
import { type Labels, valueOf } from '../model/labels.js';
import { compileMatcher, type Matcher } from '../model/matcher.js';
import { type PackedLabels, packLabels } from '../tsdb/wal/exemplar-record.js';
import type { ExemplarLimits, ReplayedExemplars } from './exemplar-book.js';
import { type ExemplarRefusal, ExemplarRing } from './exemplar-ring.js';
import type { Reply, Request } from './protocol.js';

/** What became of an exemplar. */
export type ExemplarVerdict = 'taken' | 'too long' | 'off' | ExemplarRefusal;

export class ShardExemplars {
  readonly #ring = new ExemplarRing();
  #max = 0;
  #outOfOrder = 0;
  /** While the log is read: the place in it of each exemplar that was taken. */
  #places: number[] | undefined;

  /** Of main, with each task. */
  set limits({ max, gone }: ExemplarLimits) {
    this.#max = max;
    this.#ring.dropBefore(gone);
  }

  get isOn(): boolean {
    return this.#max > 0;
  }

  /** What would become of an exemplar. */
  judge(series: PackedLabels, exemplar: Exemplar): ExemplarVerdict {
    if (!this.isOn) return 'off';
    if (isTooLong(exemplar.labels)) return 'too long';
    const refusal = this.#ring.refusal(series, exemplar);
    if (refusal === 'out of order') this.#outOfOrder++;
    return refusal ?? 'taken';
  }

  /** Takes one that was judged so. */
  take(series: PackedLabels, exemplar: Exemplar): void {
    this.#ring.push(series, exemplar);
  }

  beginReplay(): void {
    this.#places = [];
  }

  /** One of the log, where it is the `place`-th of all series. */
  replay(place: number, series: PackedLabels, exemplar: Exemplar): void {
    if (this.judge(series, exemplar) !== 'taken') return;
    this.#ring.push(series, exemplar);
    this.#ring.dropBefore(this.#ring.appended - this.#max);
    const places = this.#places!;
    places.push(place);
    if (places.length > 2 * this.#max) places.splice(0, places.length - this.#max);
  }

  /** What is there now; see ReplayedExemplars. */
  endReplay(): ReplayedExemplars {
    const { size, first } = this.#ring;
    const places = Float64Array.from(size === 0 ? [] : this.#places!.slice(-size));
    this.#places = undefined;
    return { places: places.buffer, gone: first };
  }

  /** Series that a selector takes with their exemplars of a time, in no order. */
  query({ selectors, startMs, endMs }: Request<'exemplars'>): Reply<'exemplars'> {
    const tests = selectors.map((matchers) => matchers.map((matcher) => ({ matcher, test: compileMatcher(matcher) })));
    const matches = (labels: Labels) =>
      tests.some((all) => all.every(({ matcher, test }) => test(valueOf(labels, matcher.name))));
    const parts = selectors.map((matchers) => matchers.filter(isPlain).map(packedPair));
    const mayMatch = (key: PackedLabels) => parts.some((all) => all.every((part) => key.includes(part)));
    return { series: [...this.#ring.select(mayMatch, matches, startMs, endMs)] };
  }

  get counters(): Record<string, number> {
    return {
      exemplarsAppended: this.#ring.appended,
      exemplarsOutOfOrder: this.#outOfOrder,
      exemplarSeries: this.#ring.seriesCount,
      'least.exemplarMs': this.#ring.oldestMs,
    };
  }
}

function isPlain({ op, value }: Matcher): boolean {
  return op === '=' && value !== '';
}

/** What the packed form of every label set with this pair has in it. */
function packedPair({ name, value }: Matcher): string {
  return packLabels([name, value]).slice(1);
}
