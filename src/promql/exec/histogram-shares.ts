// What native histograms add to partial aggregates (partial.ts).
//
//   count, group            counted with the floats
//   sum, avg                a share beside the cell's floats: a histogram sum, what
//                           rounding lost from it, how many there were
//   min, max, stddev, …     left out, with a remark
//
// A cell that has floats and histograms, or histograms that cannot be added, has no
// value in the end; until then it keeps both, so that the order of rows and of shards
// does not matter. Two things depend on it nevertheless: the last bits of sums, and
// which metric the remark about schemas names where a group has several.

import type { FloatHistogram } from '../../model/histogram.js';
import { METRIC_NAME, valueOf } from '../../model/labels.js';
import type { Groups } from './grouping.js';
import { HistogramMean, type HistogramMeanState, HistogramSum } from './histogram-sum.js';
import { Notes } from './notes.js';
import type { Pace } from './operator.js';
import type { PartialAggregate } from './partial.js';
import { ABSENT, type Columns, FLOAT, HISTOGRAM, type Note } from './source.js';

/** The share of each cell (group * steps + step) that has one. */
export type HistogramShares = Map<number, HistogramShare>;

/** The histograms of one cell. */
export interface HistogramShare {
  readonly fold: HistogramSum | HistogramMean;
  /** The metric of the first of them. */
  readonly metric: string;
  /** They cannot be added; the fold is of no use. */
  broken: boolean;
}

/** Folds the histograms of all rows into the state of `partial`. */
export function foldHistograms(
  partial: PartialAggregate,
  columns: Columns,
  groups: Groups,
  pace?: Pace,
): { histograms?: HistogramShares; notes: Note[] } {
  const { op } = partial;
  const notes = new Notes();
  const histograms: HistogramShares = new Map();
  switch (op) {
    case 'sum':
    case 'avg':
      eachHistogram(columns, groups, pace, (cell, histogram, row) => {
        addHistogram(histograms, cell, histogram, op, valueOf(columns.labels[row]!, METRIC_NAME), notes);
      });
      return { histograms, notes: notes.list };
    case 'count':
    case 'group':
      eachHistogram(columns, groups, pace, (cell) => {
        partial.present[cell] = FLOAT;
        if (op === 'count') partial.state[0]![cell]!++;
      });
      break;
    default:
      notes.aggregation('aggregation-ignored');
  }
  return { notes: notes.list };
}

/** Row after row, step after step. */
function eachHistogram(
  { steps, histograms, labels }: Columns,
  groups: Groups,
  pace: Pace | undefined,
  visit: (cell: number, histogram: FloatHistogram, row: number) => void,
): void {
  for (let row = 0; row < labels.length; row++) {
    pace?.spend(steps);
    for (let step = 0; step < steps; step++) {
      const histogram = histograms!.get(row * steps + step);
      if (histogram !== undefined) visit(groups.ofRow[row]! * steps + step, histogram, row);
    }
  }
}

function addHistogram(
  shares: HistogramShares,
  cell: number,
  histogram: FloatHistogram,
  op: 'sum' | 'avg',
  metric: string,
  notes: Notes,
): void {
  const known = shares.get(cell);
  if (known === undefined) {
    const fold = op === 'sum' ? new HistogramSum(histogram) : new HistogramMean(histogram);
    shares.set(cell, { fold, metric, broken: false });
  } else if (!known.broken && !known.fold.add(histogram)) {
    known.broken = true;
    notes.aggregation('aggregation-schemas', metric);
  }
}

/** Takes the shares of `partial` into those of all; `targets` says which group there each of its groups is. */
export function mergeHistograms(
  into: HistogramShares,
  { histograms, steps }: PartialAggregate,
  targets: Int32Array,
  notes: Notes,
): void {
  for (const [source, share] of histograms ?? []) {
    const cell = targets[Math.floor(source / steps)]! * steps + (source % steps);
    const known = into.get(cell);
    if (known === undefined) into.set(cell, share);
    else if (known.broken || share.broken) known.broken = true;
    else if (!join(known.fold, share.fold)) {
      known.broken = true;
      notes.aggregation('aggregation-schemas', share.metric);
    }
  }
}

function join(fold: HistogramShare['fold'], other: HistogramShare['fold']): boolean {
  if (fold instanceof HistogramSum) return fold.addSum(other as HistogramSum);
  return fold.addMean(other as HistogramMean);
}

/** The histograms that cells end with. Cells of `floats` that end with one, or with nothing, are marked so. */
export function settleHistograms(
  { values, present }: Columns,
  shares: HistogramShares,
  notes: Notes,
): Map<number, FloatHistogram> {
  const histograms = new Map<number, FloatHistogram>();
  for (const [cell, { fold, broken }] of shares) {
    const mixed = present[cell] !== ABSENT;
    const { reconciled, sawReset, sawNotReset } = fold instanceof HistogramSum ? fold : fold.remarks;
    if (mixed) notes.aggregation('aggregation-mixed');
    else if (reconciled) notes.aggregation('aggregation-reconciled');
    present[cell] = ABSENT;
    values[cell] = 0;
    if (mixed || broken) continue;
    if (sawReset && sawNotReset) notes.aggregation('aggregation-collision');
    present[cell] = HISTOGRAM;
    histograms.set(cell, fold instanceof HistogramSum ? fold.total : fold.mean);
  }
  return histograms;
}

/** A share as plain data; a sum's count means nothing. */
export function stateOf({ fold }: HistogramShare): HistogramMeanState {
  return fold instanceof HistogramMean ? fold.state : { ...fold.state, count: 1, running: false };
}
