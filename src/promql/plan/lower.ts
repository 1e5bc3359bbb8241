// Syntax tree → plan: parentheses go, durations and times become numbers, every
// selector becomes a fragment or, where it cannot, a range of raw samples.

import { labelsOf, METRIC_NAME } from '../../model/labels.js';
import type { Matcher } from '../../model/matcher.js';
import { executionError } from '../errors.js';
import type { Aggregate, Call, Expr, MatrixSelector, Subquery, VectorSelector } from '../syntax/ast.js';
import { type DurationContext, resolveDuration } from './durations.js';
import type { CallPlan, InfoSelection, Plan, RangePlan, Selection } from './plan.js';
import { EXTENDED_FUNCTIONS, RANGE_SIGNATURES } from './range-functions.js';

/** What is known of a query besides its text. */
export interface PlanContext {
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
  readonly lookbackMs: number;
  /** The step of subqueries that name none. */
  readonly subqueryStepMs: number;
  /** Metric names are dropped at the very end rather than by each operation. */
  readonly delayedNames: boolean;
  /** Remarks about counters go by the type label: the feature type-and-unit-labels. */
  readonly typeLabels?: boolean;
  /** Whether samples are asked for their start timestamps: the feature use-start-timestamps. */
  readonly startTimestamps?: boolean;
  /** Whether the source has all series of a group in one place. */
  readonly wholeGroups?: boolean;
}

export function lower(expr: Expr, context: PlanContext): Plan {
  return new Lowering(context).plan(expr);
}

class Lowering {
  readonly #context: PlanContext;
  readonly #durations: DurationContext;

  constructor(context: PlanContext) {
    this.#context = context;
    // Looked at when a duration asks for them: a plan that no time went into is good for any.
    this.#durations = {
      get stepMs() {
        return context.stepMs;
      },
      get rangeMs() {
        return context.endMs - context.startMs;
      },
    };
  }

  plan(expr: Expr): Plan {
    const { pos } = expr;
    switch (expr.kind) {
      case 'number':
        return { kind: 'number', value: expr.value, pos };
      case 'string':
        return { kind: 'string', value: expr.value, pos };
      case 'paren':
        return this.plan(expr.expr);
      case 'vectorSelector':
        return this.#instant(expr, 'last');
      case 'matrixSelector':
      case 'subquery':
        return { kind: 'matrix', range: this.#range(expr), pos };
      case 'unary':
        return expr.op === '+' ? this.plan(expr.expr) : { kind: 'negate', input: this.plan(expr.expr), pos };
      case 'binary':
        return this.#binary(expr);
      case 'aggregate':
        return this.#aggregate(expr);
      case 'call':
        return this.#call(expr);
    }
  }

  #aggregate(expr: Aggregate): Plan {
    const { op, grouping: labels, pos } = expr;
    const input = this.plan(expr.expr);
    const param = expr.param && this.#param(expr.param);
    const grouping = expr.without ? 'without' : 'by';
    const inputs = { input, inputPos: input.pos, ...(param && { param, paramPos: param.pos }) };
    return { kind: 'aggregate', op, ...inputs, grouping, labels, pos };
  }

  /** Remarks about a parameter have the place of its sign, where it has one. */
  #param(expr: Expr): Plan {
    if (expr.kind === 'paren') return this.#param(expr.expr);
    const plan = this.plan(expr);
    return expr.kind === 'unary' ? { ...plan, pos: expr.pos } : plan;
  }

  /** Walks down the left side in a loop: a chain of operators may be long. */
  #binary(chain: Expr & { kind: 'binary' }): Plan {
    const operators = [chain];
    let left: Expr = chain.left;
    while (left.kind === 'binary') {
      operators.push(left);
      left = left.left;
    }
    let plan = this.plan(left);
    for (const { op, right, bool, matching, pos } of operators.reverse()) {
      plan = { kind: 'binary', op, left: plan, right: this.plan(right), bool, ...(matching && { matching }), pos };
    }
    return plan;
  }

  #instant(selector: VectorSelector, fn: 'last' | 'timestamp' | 'start_timestamp'): Plan {
    const selection = this.#selection(selector);
    const { pos } = selector;
    if (selection.extend === 'smoothed' && fn === 'last') return { kind: 'smoothed', selection, pos };
    return {
      kind: 'fragment',
      selection,
      fn,
      windowMs: this.#context.lookbackMs,
      args: [],
      keepsName: fn === 'last',
      notePos: pos,
      inputPos: pos,
      pos,
    };
  }

  #selection(selector: VectorSelector): Selection {
    const atMs = this.#timeOf(selector.at);
    return {
      matchers: selector.matchers,
      offsetMs: resolveDuration(selector.offset, this.#durations, true),
      ...(atMs !== undefined && { atMs }),
      ...(selector.anchored && { extend: 'anchored' as const }),
      ...(selector.smoothed && { extend: 'smoothed' as const }),
    };
  }

  #timeOf(at: VectorSelector['at']): number | undefined {
    switch (at?.kind) {
      case 'time':
        return at.timeMs;
      case 'start':
        return this.#context.startMs;
      case 'end':
        return this.#context.endMs;
      default:
        return undefined;
    }
  }

  #range(expr: MatrixSelector | Subquery): RangePlan {
    const windowMs = resolveDuration(expr.range, this.#durations, false);
    if (expr.kind === 'matrixSelector') {
      return { kind: 'raw', selection: this.#selection(expr.vector), windowMs, pos: expr.pos };
    }
    const atMs = this.#timeOf(expr.at);
    const stepMs = resolveDuration(expr.step, this.#durations, false);
    return {
      kind: 'subquery',
      input: this.plan(expr.expr),
      windowMs,
      stepMs: stepMs === 0 ? this.#context.subqueryStepMs : stepMs,
      offsetMs: resolveDuration(expr.offset, this.#durations, true),
      ...(atMs !== undefined && { atMs }),
      pos: expr.pos,
    };
  }

  #call(call: Call): Plan {
    const { fn, pos } = call;
    const args = call.args.map(withoutParens);
    const signature = RANGE_SIGNATURES.get(fn);
    if (signature !== undefined) return this.#rangeCall(call, args, signature.rangeArg, signature.keepsName);
    const context = this.#context;
    switch (fn) {
      case 'start':
        return { kind: 'number', value: context.startMs / 1000, pos };
      case 'end':
        return { kind: 'number', value: context.endMs / 1000, pos };
      case 'range':
        return { kind: 'number', value: (context.endMs - context.startMs) / 1000, pos };
      case 'step':
        return { kind: 'number', value: context.startMs === context.endMs ? 0 : context.stepMs / 1000, pos };
      case 'timestamp':
      case 'start_timestamp':
        // Of anything but a selector, samples have lost when they were taken; start_timestamp() is empty then.
        if (args[0]!.kind === 'vectorSelector' && (fn === 'timestamp' || this.#context.startTimestamps === true)) {
          return { ...this.#instant(args[0]!, fn), inputPos: pos, pos } as Plan;
        }
        return this.#plainCall(call, args);
      case 'absent':
        return { ...this.#plainCall(call, args), absentLabels: absentLabels(args[0]!) };
      case 'info':
        return { ...this.#plainCall(call, args.slice(0, 1)), info: this.#info(args) };
      default:
        return this.#plainCall(call, args);
    }
  }

  #plainCall({ fn, pos }: Call, exprs: readonly Expr[]): CallPlan {
    const args = exprs.map((arg) => this.plan(arg));
    return { kind: 'call', fn, args, argPos: args.map((arg) => arg.pos), pos };
  }

  #rangeCall(call: Call, args: readonly Expr[], rangeArg: number, keepsName: boolean): Plan {
    const { fn, pos } = call;
    const arg = args[rangeArg] as MatrixSelector | Subquery;
    const range = this.#range(arg);
    if (range.kind === 'raw' && range.selection.extend !== undefined) checkExtended(range.selection.extend, fn);
    const window: Plan = {
      kind: 'window',
      fn,
      range,
      args: args.filter((_, i) => i !== rangeArg).map((scalar) => this.plan(scalar)),
      keepsName,
      // Prometheus has put the result of a subquery in the place of its expression by then, and lost where it was.
      notePos: args[0]!.kind === 'subquery' ? { start: 0, end: 0 } : args[0]!.pos,
      pos,
    };
    if (fn !== 'absent_over_time') return window;
    return { kind: 'call', fn, args: [window], argPos: [pos], absentLabels: absentLabels(arg), pos };
  }

  #info(args: readonly Expr[]): InfoSelection {
    const selector = args[1] as VectorSelector | undefined;
    return {
      matchers: selector?.matchers,
      ...this.#timeOfFirstSelector(args[0]!),
    };
  }

  /** When info() looks at info series: at the time its first argument's first selector looks at. */
  #timeOfFirstSelector(expr: Expr): { offsetMs: number; atMs?: number } {
    const path = pathToSelector(expr);
    let offsetMs = 0;
    for (const node of path.reverse()) {
      offsetMs += resolveDuration(node.offset, this.#durations, true);
      const atMs = this.#timeOf(node.at);
      if (atMs !== undefined) return { offsetMs, atMs };
    }
    return { offsetMs };
  }
}

/** The subqueries around the first vector selector and, last, that selector. */
function pathToSelector(expr: Expr): (Subquery | VectorSelector)[] {
  switch (expr.kind) {
    case 'vectorSelector':
      return [expr];
    case 'matrixSelector':
      return [expr.vector];
    case 'subquery': {
      const inner = pathToSelector(expr.expr);
      return inner.length === 0 ? [] : [expr, ...inner];
    }
    case 'paren':
    case 'unary':
      return pathToSelector(expr.expr);
    case 'aggregate':
      return firstPath(expr.param === undefined ? [expr.expr] : [expr.expr, expr.param]);
    case 'binary':
      return firstPath([expr.left, expr.right]);
    case 'call':
      return firstPath(expr.args);
    default:
      return [];
  }
}

function firstPath(exprs: readonly Expr[]): (Subquery | VectorSelector)[] {
  for (const expr of exprs) {
    const path = pathToSelector(expr);
    if (path.length > 0) return path;
  }
  return [];
}

function withoutParens(expr: Expr): Expr {
  while (expr.kind === 'paren') expr = expr.expr;
  return expr;
}

function checkExtended(modifier: 'anchored' | 'smoothed', fn: string): void {
  const allowed: readonly string[] = EXTENDED_FUNCTIONS[modifier];
  if (allowed.includes(fn)) return;
  throw executionError(`${modifier} modifier can only be used with: ${allowed.join(', ')} - not with ${fn}`);
}

/** Of a selector: the labels that its equality matchers fix, each once. */
function absentLabels(expr: Expr): readonly string[] {
  const selector = expr.kind === 'matrixSelector' ? expr.vector : expr;
  if (selector.kind !== 'vectorSelector') return [];
  const fixed = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, op, value } of selector.matchers as readonly Matcher[]) {
    if (name === METRIC_NAME) continue;
    // A second matcher on a label takes it out again, even one that says the same.
    if (op === '=' && !seen.has(name)) fixed.set(name, value);
    else fixed.delete(name);
    if (op === '=') seen.add(name);
  }
  return labelsOf(fixed);
}
