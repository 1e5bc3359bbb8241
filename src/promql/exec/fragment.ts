// A fragment's node as what a source is asked for, and the remarks that need no look at series.

import { lacksCounterName } from '../counters.js';
import type { FragmentPlan } from '../plan/plan.js';
import { exactName } from '../plan/pushdown.js';
import type { Annotations } from './annotations.js';
import { windowEnds } from './ranges.js';
import type { Fragment, Steps } from './source.js';
import { needsCounterName } from './window/evaluate.js';

interface Made {
  readonly steps: Steps;
  readonly keepNames: boolean;
  readonly fragment: Fragment;
}

/** The one made last of each plan: the steps of a query are asked for several times on its way. */
const made = new WeakMap<FragmentPlan, Made>();

/** `keepNames`: what is above wants to see the names that the function drops, and drops them itself. */
export function fragmentOf(plan: FragmentPlan, steps: Steps, keepNames: boolean): Fragment {
  const last = made.get(plan);
  if (last?.steps === steps && last.keepNames === keepNames) return last.fragment;
  const { selection, fn, windowMs, args, keepsName, cells, aggregate, quantile, best, histogramStats } = plan;
  const fragment = {
    matchers: selection.matchers,
    steps: windowEnds(steps, selection.offsetMs, selection.atMs),
    windowMs,
    fn,
    args,
    dropName: !keepsName && !keepNames,
    cells,
    aggregate,
    quantile,
    best,
    histogramStats,
  };
  made.set(plan, { steps, keepNames, fragment });
  return fragment;
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
