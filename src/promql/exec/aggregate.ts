// Aggregations that fold rows into groups: sum, avg, min, max, count, group, stddev, stdvar.
//
// Floats go through the partial aggregates that shards give too, so that both
// ways round alike. Native histograms are folded here, cell by cell.

import type { FloatHistogram } from '../../model/histogram.js';
import { METRIC_NAME, valueOf } from '../../model/labels.js';
import { blankColumns, hasHistograms } from './columns.js';
import { type Groups, groupRows } from './grouping.js';
import { HistogramMean, HistogramSum } from './histogram-sum.js';
import type { Pace } from './operator.js';
import { finishPartial, foldRows } from './partial.js';
import { ABSENT, type Columns, FLOAT, type FragmentAggregate, HISTOGRAM, type Note, type NoteKind } from './source.js';

export function aggregateColumns(columns: Columns, aggregate: FragmentAggregate): Columns {
  return aggregateRows(columns, aggregate.op, groupRows(columns.labels, aggregate));
}

export function aggregateRows(columns: Columns, op: FragmentAggregate['op'], groups: Groups, pace?: Pace): Columns {
  const floats = finishPartial(foldRows(columns, op, groups, pace));
  return hasHistograms(columns) ? new HistogramFold(columns, op, groups).into(floats) : floats;
}

/** What histograms add to an aggregate of floats. */
class HistogramFold {
  readonly #columns: Columns;
  readonly #op: FragmentAggregate['op'];
  readonly #groups: Groups;
  readonly #notes = new Map<string, Note>();

  constructor(columns: Columns, op: FragmentAggregate['op'], groups: Groups) {
    this.#columns = columns;
    this.#op = op;
    this.#groups = groups;
  }

  into(floats: Columns): Columns {
    const result = { ...blankColumns(floats.labels, floats.steps), values: floats.values, present: floats.present };
    switch (this.#op) {
      case 'sum':
      case 'avg':
        this.#foldCells(result);
        break;
      case 'count':
      case 'group':
        this.#countCells(result);
        break;
      default:
        this.#note('aggregation-ignored', '');
    }
    return { ...result, notes: [...this.#notes.values()] };
  }

  #countCells(result: Columns): void {
    this.#eachHistogram((cell) => {
      result.present[cell] = FLOAT;
      result.values[cell] = this.#op === 'group' ? 1 : result.values[cell]! + 1;
    });
  }

  /** A cell has floats alone, or histograms alone that can be added; otherwise it has nothing. */
  #foldCells(result: Columns & { histograms: Map<number, FloatHistogram> }): void {
    const folds = new Map<number, { fold: HistogramSum | HistogramMean; broken: boolean }>();
    this.#eachHistogram((cell, histogram, row) => {
      const known = folds.get(cell);
      if (known === undefined) {
        const fold = this.#op === 'sum' ? new HistogramSum(histogram) : new HistogramMean(histogram);
        folds.set(cell, { fold, broken: false });
      } else if (!known.broken && !known.fold.add(histogram)) {
        known.broken = true;
        this.#note('aggregation-schemas', valueOf(this.#columns.labels[row]!, METRIC_NAME));
      }
    });
    for (const [cell, { fold, broken }] of folds) {
      const mixed = result.present[cell] !== ABSENT;
      if (mixed) this.#note('aggregation-mixed', '');
      else this.#remark(fold);
      result.present[cell] = mixed || broken ? ABSENT : HISTOGRAM;
      result.values[cell] = 0;
      if (!mixed && !broken) result.histograms.set(cell, fold instanceof HistogramSum ? fold.total : fold.mean);
    }
  }

  #remark(fold: HistogramSum | HistogramMean): void {
    const remarks = fold instanceof HistogramSum ? fold : fold.remarks;
    if (remarks.sawReset && remarks.sawNotReset) this.#note('aggregation-collision', '');
    if (remarks.reconciled) this.#note('aggregation-reconciled', '');
  }

  #eachHistogram(visit: (cell: number, histogram: FloatHistogram, row: number) => void): void {
    const { steps, histograms, labels } = this.#columns;
    for (let row = 0; row < labels.length; row++) {
      for (let step = 0; step < steps; step++) {
        const histogram = histograms!.get(row * steps + step);
        if (histogram !== undefined) visit(this.#groups.ofRow[row]! * steps + step, histogram, row);
      }
    }
  }

  #note(kind: NoteKind, metric: string): void {
    this.#notes.set(`${kind} ${metric}`, { kind, metric });
  }
}
