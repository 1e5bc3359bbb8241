// Calls of all functions that work on values, by name.

import { NO_LABELS } from '../../../model/labels.js';
import { maxOf, minOf } from '../../arithmetic.js';
import type { CallPlan } from '../../plan/plan.js';
import { blankColumns, emptyColumns } from '../columns.js';
import type { OperatorContext } from '../operator.js';
import { ABSENT, FLOAT, HISTOGRAM, type Steps } from '../source.js';
import { type ScalarValue, type StringValue, type Value, type VectorValue, vector } from '../value.js';
import { CALENDAR_FUNCTIONS, calendarPart } from './calendar.js';
import {
  type HistogramContext,
  histogramFraction,
  histogramQuantile,
  histogramQuantiles,
  mapHistograms,
  NATIVE_FUNCTIONS,
} from './histogram.js';
import { checkJoin, checkReplacement, labelJoin, labelReplace } from './labels.js';
import { clamp, MATH_FUNCTIONS, mapFloats, round } from './math.js';
import { sortByLabels, sortByValue } from './order.js';
import { absent, evaluationTimes, toScalar, toVector } from './presence.js';

/** Throws what is wrong with literal arguments and counts before anything that the others do wrong. */
export function checkLiterals({ fn, args }: CallPlan): void {
  const texts = args.flatMap((arg) => (arg.kind === 'string' ? [arg.value] : []));
  if (fn === 'label_replace') checkReplacement({ target: texts[0]!, pattern: texts[3]! });
  if (fn === 'label_join') checkJoin(texts[0]!, texts.slice(2));
}

export function evaluateCall(plan: CallPlan, args: readonly Value[], context: OperatorContext): Value {
  const { steps } = context;
  const math = MATH_FUNCTIONS.get(plan.fn);
  if (math !== undefined) return mapFloats(args[0] as VectorValue, context, math);
  const part = CALENDAR_FUNCTIONS.get(plan.fn);
  if (part !== undefined) {
    const operand = args.length === 0 ? toVector(evaluationTime(steps)) : (args[0] as VectorValue);
    if (args.length > 0) return mapFloats(operand, context, (value) => calendarPart(part, value));
    const times = (operand.columns.values as Float64Array).map((value) => calendarPart(part, Math.floor(value)));
    return toVector({ kind: 'scalar', values: times });
  }
  const native = NATIVE_FUNCTIONS.get(plan.fn);
  if (native !== undefined) return mapHistograms(args[0] as VectorValue, context.names, native);
  const call = CALLS.get(plan.fn);
  if (call === undefined) throw new Error(`no function ${plan.fn}`);
  return call(args, plan, context);
}

type CallFunction = (args: readonly Value[], plan: CallPlan, context: OperatorContext) => Value;

const CALLS: ReadonlyMap<string, CallFunction> = new Map<string, CallFunction>([
  ['time', (_, __, { steps }) => evaluationTime(steps)],
  ['min_of', ([a, b]) => both(a!, b!, minOf)],
  ['max_of', ([a, b]) => both(a!, b!, maxOf)],
  ['scalar', ([operand]) => toScalar(operand as VectorValue)],
  ['vector', ([operand]) => toVector(operand as ScalarValue)],
  ['absent', ([operand], { absentLabels }) => absent(operand as VectorValue, absentLabels ?? NO_LABELS)],
  ['absent_over_time', ([operand], { absentLabels }) => absent(operand as VectorValue, absentLabels ?? NO_LABELS)],
  ['timestamp', ([operand], _, { steps, names }) => evaluationTimes(operand as VectorValue, steps, names)],
  ['start_timestamp', (_, __, { steps }) => vector(emptyColumns(steps.count))],
  ['round', ([operand, nearest], _, context) => round(operand as VectorValue, nearest as ScalarValue, context)],
  [
    'clamp',
    ([operand, least, most], _, context) =>
      clamp(operand as VectorValue, least as ScalarValue, most as ScalarValue, context),
  ],
  [
    'clamp_min',
    ([operand, least], _, context) => clamp(operand as VectorValue, least as ScalarValue, Infinity, context),
  ],
  [
    'clamp_max',
    ([operand, most], _, context) => clamp(operand as VectorValue, -Infinity, most as ScalarValue, context),
  ],
  ['sort', sortedBy(false)],
  ['sort_desc', sortedBy(true)],
  ['sort_by_label', sortedByLabel(false)],
  ['sort_by_label_desc', sortedByLabel(true)],
  [
    'label_replace',
    ([operand, ...texts], _, { pace }) => {
      const [target, template, source, pattern] = texts.map(textOf) as [string, string, string, string];
      return labelReplace(operand as VectorValue, { target, template, source, pattern }, pace);
    },
  ],
  [
    'label_join',
    ([operand, target, separator, ...sources], _, { pace }) =>
      labelJoin(operand as VectorValue, textOf(target!), textOf(separator!), sources.map(textOf), pace),
  ],
  [
    'histogram_quantile',
    ([phi, operand], plan, context) =>
      histogramQuantile(
        phi as ScalarValue,
        plan.argPos[0]!,
        operand as VectorValue,
        histogramContext(plan, 1, context),
      ),
  ],
  [
    'histogram_quantiles',
    ([operand, label, ...phis], plan, context) =>
      histogramQuantiles(
        operand as VectorValue,
        textOf(label!),
        phis.map((value, i) => ({ value: value as ScalarValue, pos: plan.argPos[i + 2]! })),
        histogramContext(plan, 0, context),
      ),
  ],
  [
    'histogram_fraction',
    ([lower, upper, operand], plan, context) =>
      histogramFraction(
        lower as ScalarValue,
        upper as ScalarValue,
        operand as VectorValue,
        histogramContext(plan, 2, context),
      ),
  ],
]);

function histogramContext(plan: CallPlan, vectorArg: number, context: OperatorContext): HistogramContext {
  return { ...context, pos: plan.argPos[vectorArg]! };
}

/** Seconds. */
function evaluationTime({ startMs, stepMs, count }: Steps): ScalarValue {
  return { kind: 'scalar', values: Float64Array.from({ length: count }, (_, i) => (startMs + i * stepMs) / 1000) };
}

function both(a: Value, b: Value, choose: (a: number, b: number) => number): ScalarValue {
  const other = (b as ScalarValue).values;
  return { kind: 'scalar', values: (a as ScalarValue).values.map((value, step) => choose(value, other[step]!)) };
}

function textOf(value: Value): string {
  return (value as StringValue).value;
}

/** In a range query rows are sorted by labels in the end, whatever this does. */
function sortedBy(descending: boolean): CallFunction {
  return ([operand], { pos }, { annotations, steps }) => {
    if (steps.count === 1) return sortByValue(operand as VectorValue, descending);
    annotations.sortInRangeQuery(pos);
    return withoutHistograms(operand as VectorValue);
  };
}

function sortedByLabel(descending: boolean): CallFunction {
  return ([operand, ...names], { pos }, { annotations, steps }) => {
    if (steps.count > 1) annotations.sortInRangeQuery(pos);
    return sortByLabels(operand as VectorValue, names.map(textOf), descending);
  };
}

function withoutHistograms(operand: VectorValue): VectorValue {
  const { labels, steps, values, present } = operand.columns;
  const floats = { ...blankColumns(labels, steps), values };
  present.forEach((mark, cell) => {
    floats.present[cell] = mark === HISTOGRAM ? ABSENT : mark === FLOAT ? FLOAT : ABSENT;
  });
  return vector(floats, operand.drops);
}
