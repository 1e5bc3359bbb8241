// The logical plan: what a query does, without how its text said it.
//
// Parentheses, durations, `start()` and the like are resolved. Every node has the
// `pos` of the expression it stands for, which annotations refer to. Trees are
// immutable; each pass builds a new one.
//
//   sum by (job) (rate(m[5m])) + 1
//
//   binary +
//   ├─ fragment rate(m[5m]) | sum by (job)     ← a source answers this
//   └─ number 1

import type { Matcher } from '../../model/matcher.js';
import type { CellOp } from '../cells.js';
import type { AggregateOp, BinaryOp, Span, VectorMatching } from '../syntax/ast.js';

/** Which series, and when. */
export interface Selection {
  readonly matchers: readonly Matcher[];
  /** How far the selection looks back from the evaluation time; negative looks ahead. */
  readonly offsetMs: number;
  /** The time of `@`, in place of the evaluation time. */
  readonly atMs?: number;
  readonly extend?: 'anchored' | 'smoothed';
}

/** What may stand at several places of a query. */
interface Shareable {
  /** Equal for parts that are the same, which are then evaluated once. */
  readonly shared?: number;
}

export interface NumberPlan {
  readonly kind: 'number';
  readonly value: number;
  readonly pos: Span;
}

export interface StringPlan {
  readonly kind: 'string';
  readonly value: string;
  readonly pos: Span;
}

/** A selector and the function over its samples: one row per series. A source answers it. */
export interface FragmentPlan extends Shareable {
  readonly kind: 'fragment';
  readonly selection: Selection;
  /** `last` for an instant selector, `timestamp`, or a range function. */
  readonly fn: string;
  readonly windowMs: number;
  readonly args: readonly number[];
  readonly keepsName: boolean;
  /** What is done to each float, before the aggregation. */
  readonly cells?: readonly CellOp[];
  readonly aggregate?: FragmentGrouping;
  /** In place of an aggregation. */
  readonly quantile?: FragmentQuantiles;
  /** The cells that matter to what is above. */
  readonly best?: FragmentBestCells;
  /** The same without `cells` and `quantile`, where a source declines those. */
  readonly otherwise?: Plan;
  /** Where remarks about the aggregation's input belong. */
  readonly inputPos: Span;
  /** Where remarks about series belong: the function's first argument. */
  readonly notePos: Span;
  /** Only sums and counts of native histograms matter. */
  readonly histogramStats?: boolean;
  readonly pos: Span;
}

export type FragmentAggregateOp = 'sum' | 'avg' | 'min' | 'max' | 'count' | 'group' | 'stddev' | 'stdvar';

export interface FragmentGrouping {
  readonly op: FragmentAggregateOp;
  readonly grouping: 'by' | 'without';
  readonly labels: readonly string[];
}

export interface FragmentQuantiles {
  /** In [0, 1]. */
  readonly phi: number;
  readonly grouping: 'by' | 'without';
  readonly labels: readonly string[];
}

export interface FragmentBestCells {
  readonly order: 'largest' | 'smallest' | 'first';
  readonly k: number;
  readonly grouping: 'by' | 'without';
  readonly labels: readonly string[];
}

/** Raw samples, which a range function here, or the user, wants to see. */
export interface RawRange {
  readonly kind: 'raw';
  readonly selection: Selection;
  readonly windowMs: number;
  readonly pos: Span;
}

export interface SubqueryRange {
  readonly kind: 'subquery';
  readonly input: Plan;
  readonly windowMs: number;
  readonly stepMs: number;
  readonly offsetMs: number;
  readonly atMs?: number;
  readonly pos: Span;
}

export type RangePlan = RawRange | SubqueryRange;

/** A range function that is evaluated above the source: over a subquery, or with arguments that change. */
export interface WindowPlan extends Shareable {
  readonly kind: 'window';
  readonly fn: string;
  readonly range: RangePlan;
  /** Scalars, without the range. */
  readonly args: readonly Plan[];
  readonly keepsName: boolean;
  readonly notePos: Span;
  readonly pos: Span;
}

/** An instant selector that interpolates. */
export interface SmoothedPlan extends Shareable {
  readonly kind: 'smoothed';
  readonly selection: Selection;
  readonly pos: Span;
}

/** A range vector as the query's result. */
export interface MatrixPlan {
  readonly kind: 'matrix';
  readonly range: RangePlan;
  readonly pos: Span;
}

export interface CallPlan extends Shareable {
  readonly kind: 'call';
  readonly fn: string;
  readonly args: readonly Plan[];
  /** Of absent and absent_over_time: the labels that their result has. */
  readonly absentLabels?: readonly string[];
  /** Of info: see info.ts. */
  readonly info?: InfoSelection;
  /** Where remarks about arguments belong: a shared one has the place of the last of its kind. */
  readonly argPos: readonly Span[];
  readonly pos: Span;
}

/** What info() joins with: when, and the conditions of its second argument. */
export interface InfoSelection {
  readonly matchers: readonly Matcher[] | undefined;
  readonly offsetMs: number;
  readonly atMs?: number;
}

export interface AggregatePlan extends Shareable {
  readonly kind: 'aggregate';
  readonly op: AggregateOp;
  readonly input: Plan;
  readonly param?: Plan;
  readonly grouping: 'by' | 'without';
  readonly labels: readonly string[];
  /** Where remarks about what is aggregated, and about the parameter, belong: see CallPlan. */
  readonly inputPos: Span;
  readonly paramPos?: Span;
  readonly pos: Span;
}

export interface BinaryPlan extends Shareable {
  readonly kind: 'binary';
  readonly op: BinaryOp;
  readonly left: Plan;
  readonly right: Plan;
  readonly bool: boolean;
  /** Exactly where both sides are vectors. */
  readonly matching?: VectorMatching;
  readonly pos: Span;
}

export interface NegatePlan extends Shareable {
  readonly kind: 'negate';
  readonly input: Plan;
  readonly pos: Span;
}

/** A part that gives the same at all steps, because of `@`: evaluated at one and repeated. */
export interface OncePlan extends Shareable {
  readonly kind: 'once';
  readonly input: Plan;
  readonly pos: Span;
}

export type Plan =
  | NumberPlan
  | StringPlan
  | FragmentPlan
  | WindowPlan
  | SmoothedPlan
  | MatrixPlan
  | CallPlan
  | AggregatePlan
  | BinaryPlan
  | NegatePlan
  | OncePlan;

/** A plan that may carry a number of its own. */
export type SharedPlan = Extract<
  Plan,
  Shareable & { readonly kind: Exclude<Plan['kind'], 'number' | 'string' | 'matrix'> }
>;

export type PlanType = 'scalar' | 'string' | 'vector' | 'matrix';

const SCALAR_FUNCTIONS = new Set(['time', 'pi', 'scalar', 'min_of', 'max_of']);

export function planType(plan: Plan): PlanType {
  switch (plan.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'matrix':
      return 'matrix';
    case 'call':
      return SCALAR_FUNCTIONS.has(plan.fn) ? 'scalar' : 'vector';
    case 'binary':
      return planType(plan.left) === 'scalar' && planType(plan.right) === 'scalar' ? 'scalar' : 'vector';
    case 'negate':
    case 'once':
      return planType(plan.input);
    default:
      return 'vector';
  }
}

/** The same node over other inputs; `change` sees each child, subqueries' insides included. */
export function mapChildren(plan: Plan, change: (child: Plan) => Plan): Plan {
  switch (plan.kind) {
    case 'number':
    case 'string':
    case 'fragment':
    case 'smoothed':
      return plan;
    case 'window':
      return { ...plan, range: mapRange(plan.range, change), args: plan.args.map(change) };
    case 'matrix':
      return { ...plan, range: mapRange(plan.range, change) };
    case 'call':
      return { ...plan, args: plan.args.map(change) };
    case 'aggregate':
      return { ...plan, input: change(plan.input), ...(plan.param && { param: change(plan.param) }) };
    case 'binary':
      return { ...plan, left: change(plan.left), right: change(plan.right) };
    case 'negate':
    case 'once':
      return { ...plan, input: change(plan.input) };
  }
}

function mapRange(range: RangePlan, change: (child: Plan) => Plan): RangePlan {
  return range.kind === 'raw' ? range : { ...range, input: change(range.input) };
}

/** The nodes right below, in the order in which Prometheus evaluates them. */
export function inputsOf(plan: Plan): readonly Plan[] {
  switch (plan.kind) {
    case 'window':
      return [...rangeInputs(plan.range), ...plan.args];
    case 'matrix':
      return rangeInputs(plan.range);
    case 'call':
      return plan.args;
    case 'aggregate':
      return plan.param === undefined ? [plan.input] : [plan.param, plan.input];
    case 'binary':
      return [plan.left, plan.right];
    case 'negate':
    case 'once':
      return [plan.input];
    default:
      return [];
  }
}

function rangeInputs(range: RangePlan): readonly Plan[] {
  return range.kind === 'subquery' ? [range.input] : [];
}
