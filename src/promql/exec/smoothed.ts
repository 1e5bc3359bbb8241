// `selector smoothed`: at each step the value between the samples around it.

import { METRIC_NAME, valueOf } from '../../model/labels.js';
import { ColumnsBuilder } from './columns.js';
import { type Columns, FLOAT, HISTOGRAM, type NoteKind, type RawSeries, type Steps } from './source.js';
import { interpolate } from './window/extended.js';
import { interpolateHistograms } from './window/histograms.js';
import { Window } from './window/window.js';

export function smooth(series: readonly RawSeries[], at: Steps, lookbackMs: number): Columns {
  const out = new ColumnsBuilder(at.count, series.length);
  for (const one of series) {
    const offset = out.row(one.labels);
    const metric = valueOf(one.labels, METRIC_NAME);
    const note = (kind: NoteKind) => out.note({ kind, metric });
    const window = new Window({ ...one, count: one.times.length }, note);
    let found = 0;
    for (let step = 0; step < at.count; step++) {
      const timeMs = at.startMs + step * at.stepMs;
      window.slide(timeMs, timeMs, timeMs - lookbackMs, timeMs + lookbackMs);
      if (window.floatCount > 0 && window.histogramCount > 0) {
        note('mixed-types');
        continue;
      }
      const has = window.floatCount > 0 ? smoothFloat(window, timeMs) : smoothHistogram(window, timeMs);
      if (!has) continue;
      found++;
      const cell = offset + step;
      out.present[cell] = window.histogram === undefined ? FLOAT : HISTOGRAM;
      if (window.histogram === undefined) out.values[cell] = window.value;
      else out.histograms.set(cell, window.histogram);
      window.histogram = undefined;
    }
    if (found === 0) out.dropRow();
  }
  return out.finish();
}

function smoothFloat(window: Window, timeMs: number): boolean {
  const { times, values, from, to } = window;
  const next = firstAtOrAfter(times, from, to, timeMs);
  if (next < to && times[next] === timeMs) return window.float(values[next]!);
  if (next === from) return false;
  // Behind the newest sample its value is carried on.
  if (next === to) return window.float(values[to - 1]!);
  const before = { timeMs: times[next - 1]!, value: values[next - 1]! };
  return window.float(interpolate(before, { timeMs: times[next]!, value: values[next]! }, timeMs, false));
}

function smoothHistogram(window: Window, timeMs: number): boolean {
  const { histogramTimes: times, histograms, histogramFrom: from, histogramTo: to } = window;
  const next = firstAtOrAfter(times, from, to, timeMs);
  if (next < to && times[next] === timeMs) return window.native(histograms[next]!);
  if (next === from) return false;
  const before = histograms[next - 1]!;
  if (next === to) return window.native(before.with({ hint: 'unknown' }));
  const after = histograms[next]!;
  if (before.isCustom !== after.isCustom) {
    window.note('mixed-schemas');
    return false;
  }
  const isCounter = before.hint !== 'gauge' || after.hint !== 'gauge';
  const between = interpolateHistograms(
    { timeMs: times[next - 1]!, histogram: before },
    { timeMs: times[next]!, histogram: after },
    timeMs,
    isCounter,
    window,
  );
  return between !== undefined && window.native(between);
}

function firstAtOrAfter(times: Float64Array, from: number, to: number, timeMs: number): number {
  let index = from;
  while (index < to && times[index]! < timeMs) index++;
  return index;
}
