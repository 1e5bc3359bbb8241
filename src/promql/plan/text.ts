// Plans as text: one line for comparing and testing, a tree for people.
//
//   binary / (fragment rate(m[5m]) | sum by (job), 2)

import { formatDuration } from '../../model/duration.js';
import { METRIC_NAME } from '../../model/labels.js';
import { formatMatcher } from '../../model/matcher.js';
import { formatFloat, formatSeconds } from '../../model/number.js';
import { quote } from '../../model/quote.js';
import { type CellOp, NUMBERLESS } from '../cells.js';
import { type FragmentPlan, inputsOf, type Plan, type RangePlan, type Selection } from './plan.js';
import { RANGE_SIGNATURES } from './range-functions.js';

/** One line, without positions. */
export function planText(plan: Plan): string {
  const inputs = inputsOf(plan).map(planText);
  return inputs.length === 0 ? headOf(plan) : `${headOf(plan)} (${inputs.join(', ')})`;
}

/** One node a line, indented by depth. */
export function planTree(plan: Plan, indent = ''): string {
  const lines = inputsOf(plan).map((input) => planTree(input, `${indent}  `));
  return [`${indent}${headOf(plan)}`, ...lines].join('\n');
}

function headOf(plan: Plan): string {
  const text = wordsOf(plan);
  if (!('shared' in plan)) return text;
  // Behind the kind, where it has one.
  return plan.kind === 'fragment' ? text.replace('fragment', `fragment #${plan.shared}`) : `#${plan.shared} ${text}`;
}

function wordsOf(plan: Plan): string {
  switch (plan.kind) {
    case 'number':
      return formatFloat(plan.value);
    case 'string':
      return quote(plan.value);
    case 'fragment':
      return `fragment ${fragmentText(plan)}`;
    case 'smoothed':
      return `smoothed ${selectionText(plan.selection)}`;
    case 'window':
      return `window ${plan.fn} ${rangeText(plan.range)}`;
    case 'matrix':
      return `matrix ${rangeText(plan.range)}`;
    case 'call':
      return plan.info === undefined ? plan.fn : `info{${(plan.info.matchers ?? []).map(formatMatcher).join(',')}}`;
    case 'aggregate':
      return plan.op + groupingText(plan.grouping, plan.labels);
    case 'binary':
      return `binary ${plan.op}${plan.bool ? ' bool' : ''}${plan.matching ? matchingText(plan.matching) : ''}`;
    case 'negate':
    case 'once':
      return plan.kind;
  }
}

function fragmentText(plan: FragmentPlan): string {
  const { fn, args, selection, windowMs, aggregate, quantile, cells = [], best } = plan;
  const selector = fn === 'last' ? selectionText(selection) : callText(fn, args, selectionText(selection, windowMs));
  const parts = [plan.histogramStats ? `${selector} stats` : selector, ...cells.map(cellText)];
  if (aggregate !== undefined) parts.push(aggregate.op + groupingText(aggregate.grouping, aggregate.labels));
  if (quantile !== undefined) {
    parts.push(`quantile ${formatFloat(quantile.phi)}${groupingText(quantile.grouping, quantile.labels)}`);
  }
  if (best !== undefined) parts.push(`${best.order} ${best.k}${groupingText(best.grouping, best.labels)}`);
  return parts.join(' | ');
}

function cellText({ op, number }: CellOp): string {
  return NUMBERLESS.has(op) ? op : `${op} ${formatFloat(number)}`;
}

function callText(fn: string, args: readonly number[], range: string): string {
  const texts = args.map(formatFloat);
  texts.splice(RANGE_SIGNATURES.get(fn)?.rangeArg ?? 0, 0, range);
  return `${fn}(${texts.join(', ')})`;
}

function rangeText(range: RangePlan): string {
  if (range.kind === 'raw') return selectionText(range.selection, range.windowMs);
  const step = `[${formatDuration(range.windowMs)}:${formatDuration(range.stepMs)}]`;
  return step + timeText(range.offsetMs, range.atMs);
}

function selectionText({ matchers, offsetMs, atMs, extend }: Selection, windowMs?: number): string {
  const named = matchers.find((matcher) => matcher.name === METRIC_NAME && matcher.op === '=');
  const name = named?.value ?? '';
  const others = matchers.filter((matcher) => matcher !== named);
  const braces = others.length === 0 && name !== '' ? '' : `{${others.map(formatMatcher).join(',')}}`;
  const range = windowMs === undefined ? '' : `[${formatDuration(windowMs)}]`;
  return name + braces + range + (extend === undefined ? '' : ` ${extend}`) + timeText(offsetMs, atMs);
}

function timeText(offsetMs: number, atMs: number | undefined): string {
  const at = atMs === undefined ? '' : ` @ ${formatSeconds(atMs)}`;
  return at + (offsetMs === 0 ? '' : ` offset ${formatDuration(offsetMs)}`);
}

function groupingText(grouping: 'by' | 'without', labels: readonly string[]): string {
  return grouping === 'by' && labels.length === 0 ? '' : ` ${grouping} (${labels.join(', ')})`;
}

function matchingText(matching: NonNullable<(Plan & { kind: 'binary' })['matching']>): string {
  const { card, on, labels, include, fillLeft, fillRight } = matching;
  let text = on || labels.length > 0 ? ` ${on ? 'on' : 'ignoring'}(${labels.join(', ')})` : '';
  if (card === 'many-to-one') text += ` group_left(${include.join(', ')})`;
  if (card === 'one-to-many') text += ` group_right(${include.join(', ')})`;
  if (fillLeft !== undefined) text += ` fill_left(${formatFloat(fillLeft)})`;
  if (fillRight !== undefined) text += ` fill_right(${formatFloat(fillRight)})`;
  return text;
}
