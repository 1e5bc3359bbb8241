// The parameter `stats` of queries, and what it adds to their answers.

import { quote } from '../../model/quote.js';
import type { QueryStats } from '../deps.js';
import { objectJson } from './call.js';

/** Any text has asked for statistics in former days. */
export function statsWarning(stats: string): readonly string[] {
  if (stats === '' || stats === 'true' || stats === 'all') return [];
  const words = 'for parameter "stats" is deprecated and will be rejected in the next major release';
  return [`value ${quote(stats)} ${words}, use "true" or "all"`];
}

/** The member `stats` of an answer. */
export function statsJson(stats: QueryStats): string {
  const timings = objectJson([
    ['evalTotalTime', String(stats.evalTotalSeconds)],
    ['resultSortTime', String(stats.resultSortSeconds)],
    ['queryPreparationTime', String(stats.preparationSeconds)],
    ['innerEvalTime', String(stats.innerEvalSeconds)],
    ['execQueueTime', String(stats.queueSeconds)],
    ['execTotalTime', String(stats.execTotalSeconds)],
  ]);
  const samples = objectJson([
    ['totalQueryableSamples', String(stats.samplesTotal)],
    ['peakSamples', String(stats.samplesPeak)],
  ]);
  return objectJson([
    ['timings', timings],
    ['samples', samples],
  ]);
}
