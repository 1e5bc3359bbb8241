// One series's row of a fragment, from all its samples: what sources do that have no kernel for it.

import type { FloatHistogram } from '../../model/histogram.js';
import { type Labels, METRIC_NAME, valueOf, withoutMetadata } from '../../model/labels.js';
import { isStaleAt, wordsOf } from '../../model/value.js';
import { runCells } from '../cells.js';
import { lacksCounterName } from '../counters.js';
import type { ColumnsBuilder } from './columns.js';
import { evaluateNewest, NEWEST_FNS } from './newest.js';
import { FLOAT, type Fragment } from './source.js';
import { evaluateWindows, needsCounterName } from './window/evaluate.js';
import type { SeriesSamples } from './window/window.js';

/** Adds the row, unless there is nothing in it. The samples, stale markers among them, reach back over all windows. */
export function addFragmentRow(fragment: Fragment, labels: Labels, samples: SeriesSamples, out: ColumnsBuilder): void {
  const { fn, dropName, steps, histogramStats, cells } = fragment;
  const metric = valueOf(labels, METRIC_NAME);
  const offset = out.row(dropName ? withoutMetadata(labels) : labels);
  const row = { values: out.values, present: out.present, histograms: out.histograms, offset };
  const isNewest = NEWEST_FNS.has(fn);
  const seen = histogramStats ? statisticsOf(samples, !isNewest) : samples;
  let found = isNewest
    ? evaluateNewest(fragment, seen, row)
    : evaluateWindows(fragment, withoutStale(seen), row, (kind) => out.note({ kind, metric }));
  if (cells !== undefined && !declines(fragment, out)) found = runCells(cells, row, offset, steps.count);
  if (found === 0) {
    out.dropRow();
    return;
  }
  if (!needsCounterName(fn) || !lacksCounterName(metric)) return;
  if (out.present.subarray(offset, offset + steps.count).includes(FLOAT)) out.note({ kind: 'no-counter-name', metric });
}

/** Whether there are histograms among the rows of a fragment that says what to do with floats only. */
export function declines({ cells }: Fragment, rows: ColumnsBuilder): boolean {
  return cells !== undefined && rows.histograms.size > 0;
}

/** Without buckets and bounds; `hinted` says of each counter histogram whether it was reset since the one before. */
function statisticsOf(samples: SeriesSamples, hinted: boolean): SeriesSamples {
  const { histograms } = samples;
  if (histograms === undefined) return samples;
  const bare = histograms.map((histogram, i): FloatHistogram => {
    const { statistics, hint } = histogram;
    if (!hinted || i === 0 || hint === 'gauge') return statistics;
    return statistics.with({ hint: histogram.isResetAfter(histograms[i - 1]!) ? 'reset' : 'not_reset' });
  });
  return { ...samples, histograms: bare };
}

/** The same samples less the stale markers; they themselves where there are none. */
export function withoutStale<S extends SeriesSamples>(samples: S): S {
  const { times, values, starts, count } = samples;
  const words = wordsOf(values);
  const kept: number[] = [];
  for (let i = 0; i < count; i++) if (!isStaleAt(words, i)) kept.push(i);
  if (kept.length === count) return samples;
  return {
    ...samples,
    count: kept.length,
    times: Float64Array.from(kept, (i) => times[i]!),
    values: Float64Array.from(kept, (i) => values[i]!),
    ...(starts && { starts: Float64Array.from(kept, (i) => starts[i]!) }),
  };
}
