// Push-down: what a source can do goes into the fragment.
//
//   window rate over m[5m]           → fragment rate(m[5m])
//   sum by (job) over that fragment  → fragment rate(m[5m]) | sum by (job)
//
//   abs(…) * 8 over it               → fragment rate(m[5m]) | abs | multiply 8
//   topk(5, …) over it               → topk over fragment rate(m[5m]) | largest 5
//   quantile(0.9, …) over it         → fragment rate(m[5m]) | quantile 0.9, of a source that has groups as wholes
//
// A range function goes down where its arguments are constant and its selector is
// a plain one; operators with a number and functions of one vector as a cell program
// (cells.ts); an aggregation where it distributes over shards; of one that chooses,
// what it cannot choose stays below.

import { METADATA_LABELS, METRIC_NAME } from '../../model/labels.js';
import type { Matcher } from '../../model/matcher.js';
import { lacksCounterName } from '../counters.js';
import { cellNodeOf } from './cells.js';
import {
  type AggregatePlan,
  type CallPlan,
  type FragmentAggregateOp,
  type FragmentBestCells,
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

/** Aggregations that choose cells, and which ones. */
const ORDERS: Partial<Record<AggregatePlan['op'], FragmentBestCells['order']>> = {
  topk: 'largest',
  bottomk: 'smallest',
  limitk: 'first',
};

/** Beyond that many of each group nothing is won. */
const BEST_MAX = 1000;

const ABSENCE: ReadonlySet<string> = new Set(['absent', 'absent_over_time']);

/** Functions whose rows are remarked on by name, which groups do not have. */
const REMARKED: ReadonlySet<string> = new Set(['rate', 'increase']);

export interface PushDownOptions {
  readonly delayedNames: boolean;
  /** Remarks about rows go by their type labels. */
  readonly typeLabels?: boolean;
  /** Whether the source has all series of a group in one place. */
  readonly wholeGroups?: boolean;
}

export function pushDown(plan: Plan, options: PushDownOptions): Plan {
  const pushed = mapChildren(plan, (child) => pushDown(child, options));
  if (pushed.kind === 'window') return pushWindow(pushed);
  if (pushed.kind === 'aggregate') return pushBest(pushQuantile(pushAggregate(pushed, options), options), options);
  if (pushed.kind === 'call' && ABSENCE.has(pushed.fn)) return pushPresence(pushed, options);
  return pushCells(pushed, options);
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

function pushAggregate(plan: AggregatePlan, options: PushDownOptions): Plan {
  const { op, input, grouping, labels, pos } = plan;
  if (!DISTRIBUTIVE.has(op) || input.kind !== 'fragment' || !mayLoseRows(input, options)) return plan;
  const left = groupingOf(input, grouping, labels, options);
  const aggregate = { op: op as FragmentAggregateOp, grouping, labels: left };
  return { ...input, aggregate, ...(input.otherwise && { otherwise: { ...plan, input: input.otherwise } }), pos };
}

/** A source may decline it: then it is done above. */
function pushQuantile(plan: Plan, options: PushDownOptions): Plan {
  if (plan.kind !== 'aggregate' || plan.op !== 'quantile' || options.wholeGroups !== true) return plan;
  const { input, param, grouping, labels, pos } = plan;
  if (param?.kind !== 'number' || !(param.value >= 0 && param.value <= 1)) return plan;
  if (input.kind !== 'fragment' || !mayLoseRows(input, options)) return plan;
  const quantile = { phi: param.value, grouping, labels: groupingOf(input, grouping, labels, options) };
  return { ...input, quantile, otherwise: { ...plan, input: input.otherwise ?? input }, pos };
}

/** topk and the like stay above; what is below need not hand up more cells than could be chosen. */
function pushBest(plan: Plan, options: PushDownOptions): Plan {
  if (plan.kind !== 'aggregate') return plan;
  const { op, input, param, grouping, labels } = plan;
  const order = ORDERS[op];
  if (order === undefined || param?.kind !== 'number' || input.kind !== 'fragment') return plan;
  const k = Math.trunc(param.value);
  if (!(k >= 1 && k <= BEST_MAX) || !mayLoseRows(input, options)) return plan;
  const best = { order, k, grouping, labels: groupingOf(input, grouping, labels, options) };
  return { ...plan, input: { ...input, best } };
}

/** Of absence only presence matters: one group says it. */
function pushPresence(plan: CallPlan, options: PushDownOptions): Plan {
  const input = plan.args[0]!;
  if (input.kind !== 'fragment' || !mayLoseRows(input, options)) return plan;
  const { pos } = input;
  const all = { grouping: 'by' as const, labels: [] };
  const group: AggregatePlan = { kind: 'aggregate', op: 'group', input, inputPos: pos, ...all, pos };
  return { ...plan, args: [pushAggregate(group, options)] };
}

function pushCells(plan: Plan, { delayedNames, typeLabels }: PushDownOptions): Plan {
  const node = cellNodeOf(plan);
  if (node === undefined || node.input.kind !== 'fragment') return plan;
  const { input, program, filters } = node;
  if (input.aggregate !== undefined || input.quantile !== undefined) return plan;
  if (input.fn === 'start_timestamp') return plan;
  if (filters && rowsAreRemarked(input, typeLabels)) return plan;
  const keepsName = input.keepsName && node.keepsName;
  if (!delayedNames && !rowsDiffer({ ...input, keepsName })) return plan;
  return {
    ...input,
    keepsName,
    cells: [...(input.cells ?? []), ...program],
    otherwise: withInput(plan, input.otherwise ?? input),
    inputPos: plan.pos,
    pos: plan.pos,
  };
}

/** The same node over another input in the place of its fragment. */
function withInput(plan: Plan, input: Plan): Plan {
  return mapChildren(plan, (child) => (child.kind === 'fragment' ? input : child));
}

/** Whether rows that a comparison takes away would take remarks with them. */
function rowsAreRemarked({ fn, selection, args }: FragmentPlan, typeLabels: boolean | undefined): boolean {
  if (fn === 'quantile_over_time') return !(args[0]! >= 0 && args[0]! <= 1);
  if (!REMARKED.has(fn)) return false;
  const metric = exactName(selection.matchers);
  return typeLabels === true || metric === undefined || lacksCounterName(metric);
}

/** Whether rows of a fragment may be folded or left out below without anybody missing them: no error, no remark. */
function mayLoseRows(input: FragmentPlan, { delayedNames, typeLabels }: PushDownOptions): boolean {
  if (input.aggregate !== undefined || input.quantile !== undefined || input.best !== undefined) return false;
  if (typeLabels && REMARKED.has(input.fn)) return false;
  return rowsDiffer(input) || (delayedNames && !REMARKED.has(input.fn));
}

function groupingOf(
  input: FragmentPlan,
  grouping: 'by' | 'without',
  labels: readonly string[],
  { delayedNames }: PushDownOptions,
): readonly string[] {
  return input.keepsName || delayedNames ? labels : withoutNames(grouping, labels);
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
