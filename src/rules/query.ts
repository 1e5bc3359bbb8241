// What rules ask of the query engine: the vector that an expression gives at one time.

import type { Ending } from '../base/ending.js';
import type { FloatHistogram } from '../model/histogram.js';
import { type Labels, NO_LABELS } from '../model/labels.js';
import { FLOAT, HISTOGRAM } from '../promql/exec/source.js';
import type { QueryAnswer, QueryData } from '../query/result.js';
import type { QueryOptions } from '../query/running.js';

export interface VectorSample {
  readonly labels: Labels;
  /** 0 beside a histogram. */
  readonly value: number;
  readonly histogram?: FloatHistogram;
}

export interface RuleQueryOptions {
  readonly lookbackMs?: number;
}

/** Rejects with an error of the query: of parsing, evaluation, limits, storage. */
export type RuleQuery = (expr: string, timeMs: number, options?: RuleQueryOptions) => Promise<readonly VectorSample[]>;

/** As much of the query engine as rules need. */
export interface InstantQueries {
  instant(text: string, timeMs: number, options: QueryOptions): Promise<QueryAnswer>;
}

/** Queries in the lane of rules, which end early once `ending` says so. */
export function engineQuery(engine: InstantQueries, ending: Ending): RuleQuery {
  return async (expr, timeMs, options = {}) => {
    const { data, free } = await engine.instant(expr, timeMs, { ...options, priority: 'rules', signal: ending });
    const vector = vectorOf(data);
    free?.();
    return vector;
  };
}

/** A scalar is a vector of one sample without labels. */
export function vectorOf(data: QueryData): readonly VectorSample[] {
  if (data.kind === 'scalar') return [{ labels: NO_LABELS, value: data.value }];
  if (data.kind !== 'vector') throw new Error('rule result is not a vector or scalar');
  const { labels, present, values, histograms } = data.columns;
  return labels.flatMap((ofRow, row): VectorSample[] => {
    switch (present[row]) {
      case FLOAT:
        return [{ labels: ofRow, value: values[row]! }];
      case HISTOGRAM:
        return [{ labels: ofRow, value: 0, histogram: histograms!.get(row)! }];
      default:
        return [];
    }
  });
}
