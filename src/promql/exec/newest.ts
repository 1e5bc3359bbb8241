// Instant selectors: the newest sample of each step's window, its time or its start timestamp.

import { isStaleAt, wordsOf } from '../../model/value.js';
import { FLOAT, type Fragment, HISTOGRAM } from './source.js';
import type { Row } from './window/evaluate.js';
import type { SeriesSamples } from './window/window.js';

/** What a fragment's function gives of the newest sample. */
export const NEWEST_FNS: ReadonlySet<string> = new Set(['last', 'timestamp', 'start_timestamp']);

/**
 * Fills a row and gives the count of cells that have a value. The samples have their stale markers: where one
 * is the newest sample, there is nothing.
 */
export function evaluateNewest({ fn, steps, windowMs }: Fragment, series: SeriesSamples, row: Row): number {
  const { times, values, count, starts, histogramTimes = NO_TIMES, histograms = [], histogramStarts } = series;
  const words = wordsOf(values);
  let float = 0;
  let histogram = 0;
  let found = 0;
  for (let step = 0; step < steps.count; step++) {
    const endMs = steps.startMs + step * steps.stepMs;
    while (float < count && times[float]! <= endMs) float++;
    while (histogram < histograms.length && histogramTimes[histogram]! <= endMs) histogram++;
    const floatMs = float > 0 ? times[float - 1]! : -Infinity;
    const histogramMs = histogram > 0 ? histogramTimes[histogram - 1]! : -Infinity;
    const isFloat = floatMs >= histogramMs;
    const timeMs = isFloat ? floatMs : histogramMs;
    if (timeMs <= endMs - windowMs || (isFloat && isStaleAt(words, float - 1))) continue;
    found++;
    const cell = row.offset + step;
    row.present[cell] = FLOAT;
    if (fn === 'timestamp') row.values[cell] = timeMs / 1000;
    else if (fn === 'start_timestamp')
      row.values[cell] = ((isFloat ? starts?.[float - 1] : histogramStarts?.[histogram - 1]) ?? 0) / 1000;
    else if (isFloat) row.values[cell] = values[float - 1]!;
    else {
      row.present[cell] = HISTOGRAM;
      row.histograms.set(cell, histograms[histogram - 1]!);
    }
  }
  return found;
}

const NO_TIMES = new Float64Array(0);
