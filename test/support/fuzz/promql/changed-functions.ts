// Functions, and operators, of which newer versions than 3.5 have another idea, by the cell. Each has its row in
// docs/differences/promql-results.md.

import { type Cell, type Cells, numberOf, sameCell } from './compare.js';
import type { HistogramJson } from './question.js';

/** A cell that differs, with the call that it is the result of. */
export interface CellDifference {
  readonly delayedNames: boolean;
  /** The value of `beside` for the same series and time, where the rule has such a query. */
  readonly beside?: Cell | undefined;
  /** All of that query's answer. */
  readonly allBeside?: Cells | undefined;
  /** Of the call alone, theirs refuses custom bounds that ours reconciles. */
  readonly isReconciled: boolean;
  /** Our own ones when histograms are those of 3.5: with no uncertain reset seen (older-resets.ts), then with each one alone. */
  readonly bySeenResets?: readonly (Cell | undefined)[] | undefined;
  readonly call: string;
  /** The texts of the call's arguments, or of the operator's sides. */
  readonly args: readonly string[];
  /** The series's labels, as JSON pairs. */
  readonly series: string;
  readonly time: string;
  /** undefined where one side has nothing. */
  readonly theirs: Cell | undefined;
  readonly ours: Cell | undefined;
}

export interface ChangedFunction {
  /** Whether the cell differs in the way that it should. */
  readonly explains: (difference: CellDifference) => boolean;
  /** Whether `explains` wants to see what uncertain resets do. */
  readonly resets?: boolean;
  /** Another query that `explains` wants to see the answer of, made from the texts of the call's arguments. */
  readonly beside?: (args: readonly string[]) => string;
}

/**
 * Functions, and operators, of which newer versions have another idea: a difference is explained if such a call alone
 * gives cells that differ, and all in this way.
 */
export const CHANGED_FUNCTIONS: ReadonlyMap<string, ChangedFunction> = new Map<string, ChangedFunction>([
  // A NaN in the window makes the result NaN.
  ['mad_over_time', { explains: ({ theirs, ours }) => theirs !== undefined && theirs !== 'NaN' && ours === 'NaN' }],
  // Histograms are not extrapolated to before their counts were zero: by one factor, they are smaller.
  // Some series may have other custom bounds at the ends of the window.
  ['rate', { explains: (cell) => isScaledDown(cell) || seesSomeResets(cell) || isRefused(cell), resets: true }],
  ['increase', { explains: (cell) => isScaledDown(cell) || seesSomeResets(cell) || isRefused(cell), resets: true }],
  ['irate', { explains: (cell) => seesSomeResets(cell) || isRefused(cell), resets: true }],
  ['resets', { explains: seesSomeResets, resets: true }],
  // Of a classic histogram with one bucket 3.5 knows nothing.
  // And where chunks hold empty buckets below zero, Prometheus has the zero bucket reach there.
  [
    'histogram_fraction',
    {
      explains: ({ theirs, ours, beside }) =>
        (theirs === 'NaN' && ours !== undefined) ||
        Math.abs(numberOf(textOf(theirs)) - numberOf(textOf(ours))) <= numberOf(textOf(beside)),
      // The zero bucket's share at most, if they are native ones.
      beside: ([, , histograms]) => `histogram_fraction(-1, 1, ${histograms}) and histogram_count(${histograms})`,
    },
  ],
  // Where there are observations of NaN, 3.5 goes on to the last bucket and interpolates there. And the zero bucket reaches
  // below zero, see histogram_fraction.
  [
    'histogram_quantile',
    {
      explains: ({ theirs, ours, beside }) =>
        typeof beside === 'object' &&
        (beside.sum === 'NaN' || [theirs, ours].every((cell) => isInZeroBucket(cell, beside))),
      // The histograms, without their names.
      beside: ([, histograms]) => `(${histograms}) * 1`,
    },
  ],
  // Where the base is read at another time, info series are too; a base without identifying labels is kept, and
  // so is target_info itself where the second argument names no metric: 3.5 joins it with itself. And 3.5 forgets
  // that names are to be removed.
  [
    'info',
    {
      explains: (difference) => {
        const { call, args, series, theirs } = difference;
        const isKept = theirs === undefined && (!/"(job|instance)"/.test(series) || isOfTargetInfo(args));
        return /@|offset/i.test(call) || isKept || hasNameBack(difference) || joinsByPlace(difference);
      },
      // Whatever may be joined, base series and info series.
      beside: ([base, selection]) =>
        `(${base}) or ${selection === undefined ? 'target_info' : '{__name__=~".+_info"}'}`,
    },
  ],
  // With both modifiers, Prometheus reads the samples of one time and looks for them at another.
  ['timestamp', { explains: ({ call }) => /@/.test(call) && /offset/i.test(call) }],
  // Where a chunk begins, whose histograms have other empty buckets, Prometheus sees a change of nothing.
  [
    'changes',
    {
      explains: ({ theirs, ours, beside }) => {
        const more = numberOf(textOf(theirs)) - numberOf(textOf(ours));
        return more > 0 && more <= 1 + numberOf(textOf(beside)) / CHUNK_SAMPLES;
      },
      // How many samples, if all are histograms.
      beside: ([samples]) => `count_over_time(${samples}) and histogram_count(sum_over_time(${samples}))`,
    },
  ],
  // So it does where a side comes from storage and the other is computed, which leaves empty buckets out.
  ['==', { explains: (cell) => isEqualToUs(cell, cell.theirs, cell.ours), beside: ([left = '']) => left }],
  ['!=', { explains: (cell) => isEqualToUs(cell, cell.ours, cell.theirs), beside: ([left = '']) => left }],
  // In 3.5 a subquery forgets that names are to be removed.
  ['last_over_time', { explains: keepsName }],
  ['first_over_time', { explains: keepsName }],
]);

/** Whether it is a number in the zero bucket of a histogram that has none below zero. */
function isInZeroBucket(cell: Cell | undefined, { buckets = [] }: HistogramJson): boolean {
  const [lowest] = buckets;
  if (lowest === undefined) return false;
  const [, lower, upper] = lowest.map((bound) => numberOf(String(bound)));
  return lower === -upper! && Math.abs(numberOf(textOf(cell))) <= upper!;
}

/** Where there are histograms: whether one comparison, with bool or without, does not hold, and the other does. */
function isEqualToUs({ allBeside, time }: CellDifference, fails: Cell | undefined, holds: Cell | undefined): boolean {
  const areHistograms = [...(allBeside?.values() ?? [])].some((points) => typeof points.get(time) === 'object');
  return areHistograms && (fails === undefined || fails === '0') && (typeof holds === 'object' || holds === '1');
}

/** Chunks of histograms that are full have as many samples at least. */
const CHUNK_SAMPLES = 10;

/** The number of a float's cell; of anything else, NaN's. */
function textOf(cell: Cell | undefined): string {
  return typeof cell === 'string' ? cell : 'NaN';
}

function isOfTargetInfo([base = '', selection]: readonly string[]): boolean {
  return /target_info/.test(base) && selection !== undefined && !/__name__/.test(selection);
}

/**
 * 3.5 numbers the series that there are at a step, and takes them for those of all steps with these numbers: where any
 * has no sample, those behind it are joined with the info series of another.
 */
function joinsByPlace({ allBeside = new Map(), time, theirs, ours }: CellDifference): boolean {
  const rows = [...allBeside.values()];
  const here = rows.flatMap((row) => row.get(time) ?? []);
  const isOfBase = (cell: Cell | undefined) => cell === undefined || here.some((one) => sameCell(one, cell, 1e-12));
  return here.length < rows.length && isOfBase(theirs) && isOfBase(ours);
}

function keepsName(difference: CellDifference): boolean {
  return /\[[^\]]*:[^\]]*\]/.test(difference.call) && hasNameBack(difference);
}

/** Theirs has the name, ours has not. */
function hasNameBack({ series, theirs, ours, delayedNames }: CellDifference): boolean {
  const named = series.includes('"__name__"');
  return delayedNames && (named ? ours === undefined : theirs === undefined);
}

function isRefused({ isReconciled, theirs, ours }: CellDifference): boolean {
  return isReconciled && theirs === undefined && typeof ours === 'object';
}

function isScaledDown({ theirs, ours }: CellDifference): boolean {
  if (typeof theirs !== 'object' || typeof ours !== 'object') return false;
  const factor = numberOf(ours.count) / numberOf(theirs.count);
  const scale = (text: string) => String(numberOf(text) * factor);
  const buckets = (theirs.buckets ?? []).map(
    ([rule, lower, upper, count]) => [rule, lower, upper, scale(count)] as const,
  );
  const scaled = { ...theirs, count: ours.count, sum: scale(theirs.sum), buckets };
  return factor < 1 && sameCell(scaled, ours, ALMOST);
}

/** Whether theirs is our own with some of the uncertain resets seen. Each adds the same to counts, seen alone or with others. */
function seesSomeResets({ theirs, ours, bySeenResets = [] }: CellDifference): boolean {
  const [wanted, own, least, ...single] = [theirs, ours, ...bySeenResets].map(countsOf);
  if (wanted === undefined || least === undefined) return false;
  const all = [wanted, least, ...single, own ?? new Map<string, number>()];
  const keys = [...new Set(all.flatMap((counts) => [...(counts?.keys() ?? [])]))].filter((key) => {
    return !all.some((counts) => Number.isNaN(counts?.get(key)));
  });
  const scale = Math.max(...keys.flatMap((key) => [wanted, least].map((counts) => Math.abs(counts.get(key) ?? 0))));
  const slack = ALMOST * scale;
  const less = (counts: Counts | undefined) => keys.map((key) => (counts?.get(key) ?? 0) - (least.get(key) ?? 0));
  const isMore = (change: readonly number[]) => change.some((count) => Math.abs(count) > slack);
  const changes = single.map(less).filter(isMore);
  // Else it is something else that differs.
  if (changes.length === 0 && own !== undefined && !isMore(less(own))) return false;
  return (changes.length <= RESETS_MAX ? isSumOfSome : isWithinSums)(changes, less(wanted), slack);
}

/** Relative; what is left of sums in another order. */
const ALMOST = 1e-12;

/** Of so many uncertain resets all choices are tried; of more, each count must be one that some choice leads to. */
const RESETS_MAX = 16;

function isWithinSums(changes: readonly number[][], wanted: readonly number[], slack: number): boolean {
  return wanted.every((count, i) => {
    const sum = (sign: number) => changes.reduce((total, change) => total + sign * Math.max(0, sign * change[i]!), 0);
    return count >= sum(-1) - slack && count <= sum(1) + slack;
  });
}

function isSumOfSome([first, ...rest]: readonly number[][], wanted: readonly number[], slack: number): boolean {
  if (first === undefined) return wanted.every((count) => Math.abs(count) <= slack);
  const left = wanted.map((count, i) => count - first[i]!);
  return isSumOfSome(rest, wanted, slack) || isSumOfSome(rest, left, slack);
}

type Counts = ReadonlyMap<string, number>;

/** By their bounds, the whole count, and the sum; or a float alone. */
function countsOf(cell: Cell | undefined): Counts | undefined {
  if (cell === undefined) return undefined;
  if (typeof cell === 'string') return new Map([['', numberOf(cell)]]);
  const buckets = (cell.buckets ?? []).map(([, lower, upper, count]) => [`${lower} ${upper}`, count] as const);
  const whole = [['', cell.count] as const, ['sum', cell.sum] as const];
  return new Map([...whole, ...buckets].map(([key, count]) => [key, numberOf(count)]));
}
