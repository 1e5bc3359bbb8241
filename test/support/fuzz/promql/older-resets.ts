// Resets of native histograms as Prometheus 3.5 sees them: by the buckets of its chunks, which have empty ones for all
// that any of their samples has. Some resets are uncertain for who does not know the chunks:
//
//   a bucket is gone    but it comes behind all that are left, and an empty one may stand before it: not looked at
//                       or, of a negated counter, an empty one may be left, which is no less
//   a bucket is new     and of a negated counter: where an empty one was, it fell
//
// Each can be seen or not (older.ts), and changed-functions.ts asks whether theirs is what comes of seeing some of them.

import { type Buckets, FloatHistogram, reduceSchema, widenZero } from '../../../../src/model/histogram.js';

const { isResetAfter } = FloatHistogram.prototype;

/** Uncertain resets met since forgetResets(), by what is before and behind them. */
const uncertain = new Map<string, number>();

export function forgetResets(): void {
  uncertain.clear();
}

/** How many there were. */
export function uncertainResets(): number {
  return uncertain.size;
}

/** What is likely: no bucket that may be hidden is looked at; or, with `all`, whatever can be seen. */
export function isLikelyReset(next: FloatHistogram, previous: FloatHistogram, all: boolean): boolean {
  if (isRebound(next, previous)) return true;
  if (all) return isPossibleReset(next, previous);
  if (next.schema !== previous.schema || next.zeroThreshold !== previous.zeroThreshold) {
    return isResetAfter.call(next, previous);
  }
  return isResetAfter.call(next, without(previous, next, isHidden));
}

/** Of the uncertain ones sees that of number `seen` alone. */
export function isCertainReset(next: FloatHistogram, previous: FloatHistogram, seen: number): boolean {
  if (isRebound(next, previous)) return true;
  const before = next.isCustom || previous.isCustom ? previous : inLayoutOf(next, previous);
  if (isResetAfter.call(next, without(before, next, mayBeEmpty))) return true;
  if (!isPossibleReset(next, previous)) return false;
  const key = JSON.stringify([previous, next]);
  if (!uncertain.has(key)) uncertain.set(key, uncertain.size);
  return uncertain.get(key) === seen;
}

function isPossibleReset(next: FloatHistogram, previous: FloatHistogram): boolean {
  return hasNewBelowZero(next, previous) || isResetAfter.call(next, previous);
}

/** To 3.5, other bounds are another counter. */
function isRebound(next: FloatHistogram, previous: FloatHistogram): boolean {
  return next.isCustom && String(next.bounds) !== String(previous.bounds);
}

function hasNewBelowZero(next: FloatHistogram, previous: FloatHistogram): boolean {
  return (['positive', 'negative'] as const).some((side) =>
    next[side].indices.some((index, i) => next[side].counts[i]! < 0 && !previous[side].indices.includes(index)),
  );
}

/** Where that is coarser; finer ones are a reset. */
function inLayoutOf(next: FloatHistogram, previous: FloatHistogram): FloatHistogram {
  return reduceSchema(widenZero(previous, next.zeroThreshold), next.schema);
}

type Passes = (place: number, before: Buckets, next: Buckets) => boolean;

/** Whether a bucket comes behind all of `next`, of which there are some, and an empty one stands before it, mostly. */
const isHidden: Passes = (place, { indices }, next) => {
  const last = next.indices.at(-1) ?? Infinity;
  return indices[place]! > last && !indices.includes(last + 1);
};

const mayBeEmpty: Passes = (place, before, next) => {
  const isGone = !next.indices.includes(before.indices[place]!);
  return isGone && (before.counts[place]! < 0 || next.indices.length === 0 || isHidden(place, before, next));
};

/** `previous` less the buckets that a comparison passes over. */
function without(previous: FloatHistogram, next: FloatHistogram, passes: Passes): FloatHistogram {
  const kept = (side: 'positive' | 'negative'): Buckets => {
    const { indices, counts } = previous[side];
    const places = indices.flatMap((_, place) => (passes(place, previous[side], next[side]) ? [] : [place]));
    return { indices: places.map((place) => indices[place]!), counts: places.map((place) => counts[place]!) };
  };
  return previous.with({ positive: kept('positive'), negative: kept('negative') });
}
