// The parameter `stats` of queries, and what it adds to their answers.

import { quote } from '../../model/quote.js';
import type { Steps } from '../../promql/exec/source.js';
import type { QueryStats } from '../deps.js';
import { listJson, objectJson } from './call.js';

/** Any text has asked for statistics in former days. */
export function statsWarning(stats: string): readonly string[] {
  if (stats === '' || stats === 'true' || stats === 'all') return [];
  const words = 'for parameter "stats" is deprecated and will be rejected in the next major release';
  return [`value ${quote(stats)} ${words}, use "true" or "all"`];
}

/** The member `stats` of an answer; `bySteps` where `stats=all` was asked for. */
export function statsJson(stats: QueryStats, bySteps: boolean): string {
  const timings = objectJson([
    ['evalTotalTime', String(stats.evalTotalSeconds)],
    ['resultSortTime', String(stats.resultSortSeconds)],
    ['queryPreparationTime', String(stats.preparationSeconds)],
    ['innerEvalTime', String(stats.innerEvalSeconds)],
    ['execQueueTime', String(stats.queueSeconds)],
    ['execTotalTime', String(stats.execTotalSeconds)],
  ]);
  const { counts } = stats;
  const byStep = bySteps ? counts?.byStep : undefined;
  const samples = objectJson([
    ...stepsField('totalQueryableSamplesPerStep', byStep?.steps, byStep?.total),
    ['totalQueryableSamples', String(counts?.total ?? stats.samplesTotal)],
    ...stepsField('samplesReadPerStep', byStep?.steps, byStep?.read),
    ['samplesRead', String(counts?.read ?? stats.samplesTotal)],
    ['peakSamples', String(stats.samplesPeak)],
  ]);
  return objectJson([
    ['timings', timings],
    ['samples', samples],
  ]);
}

/** `[[1435781451.781,12],…]`: a count at each step. */
function stepsField(name: string, steps: Steps | undefined, counts: Float64Array | undefined): [string, string][] {
  if (steps === undefined || counts === undefined) return [];
  const { startMs, stepMs } = steps;
  return [[name, listJson(Array.from(counts, (count, i) => `[${(startMs + i * stepMs) / 1000},${count}]`))]];
}
