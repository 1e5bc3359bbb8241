// Push-down: what a source can do goes into the fragment.
//
//   window rate over m[5m]           → fragment rate(m[5m])
//   sum by (job) over that fragment  → fragment rate(m[5m]) | sum by (job)
//
// A range function goes down where its arguments are constant and its selector is
// a plain one; an aggregation where it distributes over shards.

import { METADATA_LABELS, METRIC_NAME } from '../../model/labels.js';
import type { Matcher } from '../../model/matcher.js';
import {
  type AggregatePlan,
  type FragmentAggregateOp,
  type FragmentPlan,
  mapChildren,
  type NumberPlan,
  type Plan,
  type WindowPlan,
} from './plan.js';

const DISTRIBUTIVE: ReadonlySet<string> = new Set<FragmentAggregateOp>([
  'sum',
  'avg',
  'min',
  'max',
  'count',
  'group',
  'stddev',
  'stdvar',
]);

/** Functions whose rows are remarked on by name, which groups do not have. */
const REMARKED: ReadonlySet<string> = new Set(['rate', 'increase']);

export interface PushDownOptions {
  readonly delayedNames: boolean;
  /** Remarks about rows go by their type labels. */
  readonly typeLabels?: boolean;
}

export function pushDown(plan: Plan, options: PushDownOptions): Plan {
  const pushed = mapChildren(plan, (child) => pushDown(child, options));
  if (pushed.kind === 'window') return pushWindow(pushed);
  if (pushed.kind === 'aggregate') return pushAggregate(pushed, options);
  return pushed;
}

function pushWindow(window: WindowPlan): Plan {
  const { range, fn, args } = window;
  if (range.kind !== 'raw' || range.selection.extend !== undefined) return window;
  if (!args.every((arg): arg is NumberPlan => arg.kind === 'number')) return window;
  const { atMs, offsetMs } = range.selection;
  const numbers = args.map(({ value }) => value);
  // What refuses its arguments stays above: errors are to come in the order of evaluation.
  if (fn === 'double_exponential_smoothing' && numbers.some((factor) => factor <= 0 || factor >= 1)) return window;
  if (fn === 'predict_linear') {
    // The prediction is made from the evaluation time, which @ leaves behind the window by more at each step.
    if (atMs !== undefined) return window;
    numbers.push(offsetMs);
  }
  return {
    kind: 'fragment',
    selection: range.selection,
    fn,
    windowMs: range.windowMs,
    args: numbers,
    keepsName: window.keepsName,
    notePos: window.notePos,
    inputPos: window.pos,
    pos: window.pos,
  };
}

function pushAggregate(plan: AggregatePlan, { delayedNames, typeLabels }: PushDownOptions): Plan {
  const { op, input, grouping, labels } = plan;
  if (!DISTRIBUTIVE.has(op) || input.kind !== 'fragment' || input.aggregate !== undefined) return plan;
  if (typeLabels && REMARKED.has(input.fn)) return plan;
  if (!rowsDiffer(input) && (!delayedNames || REMARKED.has(input.fn))) return plan;
  const named = input.keepsName || delayedNames;
  const left = named ? labels : withoutNames(grouping, labels);
  return { ...input, aggregate: { op: op as FragmentAggregateOp, grouping, labels: left }, pos: plan.pos };
}

/** Grouping labels where rows have lost those that name a metric: said so, because a source groups by what series have. */
function withoutNames(grouping: 'by' | 'without', labels: readonly string[]): readonly string[] {
  const others = labels.filter((label) => !METADATA_LABELS.has(label));
  return grouping === 'by' ? others : [...others, ...METADATA_LABELS];
}

/**
 * Whether no two rows can have the same labels. Rows that lose their names can, if the names differ;
 * that is an error, which nobody would see once the rows are aggregated.
 */
function rowsDiffer(fragment: FragmentPlan): boolean {
  return fragment.keepsName || exactName(fragment.selection.matchers) !== undefined;
}

/** The one metric name that matchers allow, where they do. */
export function exactName(matchers: readonly Matcher[]): string | undefined {
  return matchers.find(({ name, op }) => name === METRIC_NAME && op === '=')?.value;
}
