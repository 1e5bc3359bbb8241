// A fragment's node as what a source is asked for, and the remarks that need no look at series.

import { lacksCounterName } from '../counters.js';
import type { FragmentPlan } from '../plan/plan.js';
import { exactName } from '../plan/pushdown.js';
import type { Annotations } from './annotations.js';
import { windowEnds } from './ranges.js';
import type { Fragment, Steps } from './source.js';
import { needsCounterName } from './window/evaluate.js';

/** `keepNames`: what is above wants to see the names that the function drops, and drops them itself. */
export function fragmentOf(plan: FragmentPlan, steps: Steps, keepNames: boolean): Fragment {
  const { selection, fn, windowMs, args, keepsName, cells, aggregate, quantile, best } = plan;
  return {
    matchers: selection.matchers,
    steps: windowEnds(steps, selection.offsetMs, selection.atMs),
    windowMs,
    fn,
    args,
    dropName: !keepsName && !keepNames,
    ...(cells && { cells }),
    ...(aggregate && { aggregate }),
    ...(quantile && { quantile }),
    ...(best && { best }),
    ...(plan.histogramStats && { histogramStats: true }),
  };
}

/** Remarks about the arguments of a fragment that gave rows. */
export function noteArguments(annotations: Annotations, { fn, args, notePos }: FragmentPlan): void {
  if (fn === 'quantile_over_time' && !(args[0]! >= 0 && args[0]! <= 1)) {
    annotations.quantileOutOfRange(args[0]!, notePos);
  }
}

/** The remark about the name, for a fragment of one metric that gave floats and nobody looked at the rows. */
export function noteName(annotations: Annotations, { fn, selection, notePos }: FragmentPlan): void {
  const metric = exactName(selection.matchers);
  if (needsCounterName(fn) && metric !== undefined && lacksCounterName(metric)) {
    annotations.notes([{ kind: 'no-counter-name', metric }], notePos);
  }
}
