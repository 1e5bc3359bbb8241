// Expressions that /federate evaluates here, so that only their results cross the wire: an extension of ours.
//
//   expr[]=job:requests:rate5m = sum by (job) (rate(requests_total[5m]))     every row gets the name
//   expr[]=up == 0                                                           rows keep theirs; those without one are left out
//
// Results are families of their own behind those of selectors, at the time of the evaluation.

import { type Labels, labelsOf, METRIC_NAME, pairsOf } from '../model/labels.js';
import { storedHistogramOf } from '../model/stored-histogram.js';
import { QueryError } from '../promql/errors.js';
import { SampleWriter } from '../shard/federate-samples.js';
import type { StoredSeries } from '../shard/stored-series.js';
import type { FederateStyle } from '../wasm/federate.js';
import { messagesOf } from './federation.js';
import type { QueryData } from './result.js';

export interface FederatedExpression {
  /** Empty: rows keep the name that they have. */
  readonly name: string;
  readonly text: string;
}

/** `name = expression`, or an expression alone. */
export function expressionOf(given: string): FederatedExpression {
  const named = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*=(?![=~])/.exec(given);
  if (named === null) return { name: '', text: given };
  return { name: named[1]!, text: given.slice(named[0].length) };
}

/** Evaluates an instant query; what it gives is the caller's until `free`. */
export type Evaluate = (
  text: string,
) => Promise<{ readonly data: QueryData; readonly free?: (() => void) | undefined }>;

/** What a result is in an exposition. Throws QueryError where it has no place there. */
export async function federatedExpression(
  { name, text }: FederatedExpression,
  evaluate: Evaluate,
  style: FederateStyle,
): Promise<Uint8Array> {
  const { data, free } = await evaluate(text);
  try {
    const { text: written, blocks } = new SampleWriter(style).write(seriesOf(data, name), () => true);
    const bytes = new Uint8Array(written);
    return style.format === 'text' ? bytes : messagesOf(blocks, bytes, style.utf8);
  } finally {
    free?.();
  }
}

function* seriesOf(data: QueryData, name: string): Generator<StoredSeries> {
  if (data.kind === 'scalar') {
    yield seriesAt(named([], name), data.timeMs, data.value);
    return;
  }
  if (data.kind !== 'vector') throw new QueryError('bad_data', 'expr[] has to give a vector or a scalar');
  const { labels, values, histograms } = data.columns;
  for (let i = 0; i < labels.length; i++) {
    const histogram = histograms?.get(i);
    const own = named(labels[i]!, name);
    const stored = histogram && [{ timeMs: data.timeMs, histogram: storedHistogramOf(histogram) }];
    yield stored === undefined
      ? seriesAt(own, data.timeMs, values[i]!)
      : { ...seriesAt(own, data.timeMs, 0), times: NOTHING, values: NOTHING, histograms: stored };
  }
}

const NOTHING = new Float64Array(0);

function seriesAt(labels: Labels, timeMs: number, value: number): StoredSeries {
  return { number: 0, labels, times: Float64Array.of(timeMs), values: Float64Array.of(value), histograms: [] };
}

function named(labels: Labels, name: string): Labels {
  return name === '' ? labels : labelsOf([...pairsOf(labels), [METRIC_NAME, name]]);
}
