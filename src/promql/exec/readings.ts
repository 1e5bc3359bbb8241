// What a plan reads from its source, known before anything is evaluated: so all of it can
// be asked for at once, equal readings once, and its size be seen before it is worked on.
//
// Only info() reads by values, and asks while it runs.

import { keptJson } from '../../base/kept-json.js';
import type { Matcher } from '../../model/matcher.js';
import { inputsOf, type Plan, type RangePlan } from '../plan/plan.js';
import { fragmentOf } from './fragment.js';
import { coverage, subqueryGrid, windowEnds } from './ranges.js';
import type { Fragment, Steps } from './source.js';
import { needsCounterName } from './window/evaluate.js';

/** Raw samples in (endMs - windowMs, endMs]. */
export interface SamplesReading {
  readonly matchers: readonly Matcher[];
  readonly windowMs: number;
  readonly endMs: number;
}

export type Reading =
  | { readonly kind: 'fragment'; readonly fragment: Fragment }
  | { readonly kind: 'samples'; readonly samples: SamplesReading };

export interface ReadingOptions {
  readonly lookbackMs: number;
  readonly delayedNames: boolean;
  readonly typeLabels?: boolean;
}

/** The same for readings that give the same: all fields of a fragment, and of raw samples. */
export function readingKey(reading: Reading): string {
  if (reading.kind === 'samples') {
    const { matchers, windowMs, endMs } = reading.samples;
    return `${keptJson(matchers)} ${windowMs} ${endMs}`;
  }
  const { matchers, steps, windowMs, fn, args, dropName, cells, aggregate, quantile, best, histogramStats } =
    reading.fragment;
  const folded = `${partKey(cells)} ${partKey(aggregate)} ${partKey(quantile)} ${partKey(best)}`;
  const flags = `${dropName ? 'n' : ''}${histogramStats ? 'h' : ''}`;
  const { startMs, stepMs, count } = steps;
  return `${fn}(${args.join()})${flags} ${keptJson(matchers)} ${windowMs} ${startMs} ${stepMs} ${count} ${folded}`;
}

function partKey(part: object | undefined): string {
  return part === undefined ? '' : keptJson(part);
}

/** What a node itself reads; its inputs are others. */
export function readingOf(plan: Plan, steps: Steps, options: ReadingOptions): Reading | undefined {
  switch (plan.kind) {
    case 'fragment':
      return { kind: 'fragment', fragment: fragmentOf(plan, steps, keepsNames(plan.fn, options)) };
    case 'smoothed':
      return samplesOf({ kind: 'raw', selection: plan.selection, windowMs: 0, pos: plan.pos }, steps, options);
    case 'window':
    case 'matrix':
      return samplesOf(plan.range, steps, options);
    default:
      return undefined;
  }
}

/** Whether a fragment's rows keep their names, though its function drops them. */
export function keepsNames(fn: string, { delayedNames, typeLabels }: ReadingOptions): boolean {
  return delayedNames || (typeLabels === true && needsCounterName(fn));
}

function samplesOf(range: RangePlan, steps: Steps, { lookbackMs }: ReadingOptions): Reading | undefined {
  if (range.kind !== 'raw') return undefined;
  const { matchers, offsetMs, atMs } = range.selection;
  const ends = windowEnds(steps, offsetMs, atMs);
  return { kind: 'samples', samples: { matchers, ...coverage(range, ends, lookbackMs) } };
}

export interface PlacedPlan {
  readonly plan: Plan;
  /** The steps it is evaluated at. */
  readonly steps: Steps;
}

/** The inputs of a node that are evaluated, with their steps: a subquery's are its own. */
export function placedInputs(plan: Plan, steps: Steps): readonly PlacedPlan[] {
  if (plan.kind === 'once') return [{ plan: plan.input, steps: { ...steps, count: 1 } }];
  const here = inputsOf(plan).map((input) => ({ plan: input, steps }));
  const grid = gridOf(plan, steps);
  if (grid === undefined) return here;
  const [, ...args] = here;
  const { input } = (plan as Plan & { range: RangePlan & { kind: 'subquery' } }).range;
  return grid.count === 0 ? args : [{ plan: input, steps: grid }, ...args];
}

/** The steps of a node's subquery, where it has one. */
export function gridOf(plan: Plan, steps: Steps): Steps | undefined {
  if ((plan.kind !== 'window' && plan.kind !== 'matrix') || plan.range.kind !== 'subquery') return undefined;
  const { offsetMs, atMs, windowMs, stepMs } = plan.range;
  return subqueryGrid(windowEnds(steps, offsetMs, atMs), windowMs, stepMs);
}

/** The most steps that any part of a plan is evaluated at. */
export function mostSteps(plan: Plan, steps: Steps): number {
  return placedInputs(plan, steps).reduce(
    (most, input) => Math.max(most, mostSteps(input.plan, input.steps)),
    steps.count,
  );
}

/** Whether the source could not do a reading, so that what the plan has in its place is read. */
export type IsDeclined = (reading: Reading) => boolean;

/** What a node comes to where the source declined its reading; undefined where it did not. */
export function inPlaceOf(plan: Plan, reading: Reading | undefined, isDeclined: IsDeclined): Plan | undefined {
  if (reading === undefined || plan.kind !== 'fragment' || plan.otherwise === undefined) return undefined;
  return isDeclined(reading) ? plan.otherwise : undefined;
}

/** All readings of a plan by their keys, in the order in which it would ask. */
export function readingsOf(
  plan: Plan,
  steps: Steps,
  options: ReadingOptions,
  isDeclined: IsDeclined = () => false,
): Map<string, Reading> {
  const readings = new Map<string, Reading>();
  const walk = (placed: PlacedPlan): void => {
    for (const input of placedInputs(placed.plan, placed.steps)) walk(input);
    const reading = readingOf(placed.plan, placed.steps, options);
    if (reading !== undefined) readings.set(readingKey(reading), reading);
    const other = inPlaceOf(placed.plan, reading, isDeclined);
    if (other !== undefined) walk({ plan: other, steps: placed.steps });
  };
  walk({ plan, steps });
  return readings;
}

/** Whether a plan reads more than its readings: by values that it comes to see. */
export function asksMore(plan: Plan): boolean {
  return (plan.kind === 'call' && plan.fn === 'info') || inputsOf(plan).some(asksMore);
}
