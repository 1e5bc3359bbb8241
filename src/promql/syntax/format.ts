// A tree back to text, on one line, in the canonical form of Prometheus's String():
// groupings before the parentheses, matchers sorted, durations in their usual units.
// Parsing the result gives the same tree, but for positions.

import { formatDuration } from '../../model/duration.js';
import { compareStrings, METRIC_NAME } from '../../model/labels.js';
import { formatMatcher, type Matcher } from '../../model/matcher.js';
import { formatFloat, formatGeneral, formatSeconds } from '../../model/number.js';
import { quote } from '../../model/quote.js';
import type {
  Aggregate,
  At,
  Binary,
  Duration,
  DurationExpr,
  DurationNode,
  Expr,
  MatrixSelector,
  NumberLiteral,
  Subquery,
  VectorMatching,
  VectorSelector,
} from './ast.js';

export function format(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return formatNumber(expr);
    case 'string':
      return quote(expr.value);
    case 'vectorSelector':
      return `${formatSelector(expr)}${formatAt(expr.at)}${formatExtended(expr)}${formatOffset(expr.offset)}`;
    case 'matrixSelector':
      return formatMatrix(expr);
    case 'subquery':
      return format(expr.expr) + formatSubquerySuffix(expr);
    case 'call':
      return `${expr.fn}(${expr.args.map(format).join(', ')})`;
    case 'aggregate':
      return `${formatAggregateHead(expr)}(${expr.param ? `${format(expr.param)}, ` : ''}${format(expr.expr)})`;
    case 'binary':
      return `${format(expr.left)} ${formatOperator(expr)} ${format(expr.right)}`;
    case 'unary':
      return expr.op + format(expr.expr);
    case 'paren':
      return `(${format(expr.expr)})`;
  }
}

function formatNumber({ value, duration }: NumberLiteral): string {
  return duration ? formatDuration(Math.round(value * 1000)) : formatFloat(value);
}

/** The name and conditions alone. */
function formatSelector({ name, matchers }: VectorSelector): string {
  const shown = matchers.filter((matcher) => !isNameItself(matcher, name)).map(formatMatcher);
  return shown.length === 0 && name !== '' ? name : `${name}{${shown.sort(compareStrings).join(',')}}`;
}

function isNameItself(matcher: Matcher, name: string): boolean {
  return name !== '' && matcher.name === METRIC_NAME && matcher.op === '=' && matcher.value === name;
}

function formatMatrix({ vector, range }: MatrixSelector): string {
  const brackets = `[${formatDurationOf(range)}]`;
  return `${formatSelector(vector)}${brackets}${formatExtended(vector)}${formatAt(vector.at)}${formatOffset(vector.offset)}`;
}

/** `[1h:5m] @ 0.000 offset 1m`: all of a subquery but its expression. */
export function formatSubquerySuffix({ range, step, at, offset }: Subquery): string {
  const stepText = step === 0 ? '' : formatDurationOf(step);
  return `[${formatDurationOf(range)}:${stepText}]${formatAt(at)}${formatOffset(offset)}`;
}

function formatAt(at: At | undefined): string {
  if (at === undefined) return '';
  return at.kind === 'time' ? ` @ ${formatSeconds(at.timeMs)}` : ` @ ${at.kind}()`;
}

function formatOffset(offset: Duration): string {
  return offset === 0 ? '' : ` offset ${formatDurationOf(offset)}`;
}

function formatExtended({ anchored, smoothed }: VectorSelector): string {
  if (anchored) return ' anchored';
  return smoothed ? ' smoothed' : '';
}

export function formatDurationOf(duration: Duration): string {
  return typeof duration === 'number' ? formatDuration(duration) : formatDurationExpr(duration);
}

function formatDurationNode(node: DurationNode): string {
  return node.kind === 'number' ? formatNumber(node) : formatDurationExpr(node);
}

function formatDurationExpr(node: DurationExpr): string {
  const text = formatUnwrapped(node);
  return node.wrapped ? `(${text})` : text;
}

function formatUnwrapped(node: DurationExpr): string {
  switch (node.kind) {
    case 'durationUnary':
      return (node.op === '-' ? '-' : '') + formatDurationNode(node.operand);
    case 'durationBinary':
      return `${formatDurationNode(node.left)} ${node.op} ${formatDurationNode(node.right)}`;
    case 'durationCall':
      return `${node.fn}(${node.args.map(formatDurationNode).join(', ')})`;
  }
}

/** `sum by (a, b) `: what stands before the parentheses. */
export function formatAggregateHead({ op, grouping, without }: Aggregate): string {
  if (without) return `${op} without (${formatLabels(grouping)}) `;
  return grouping.length === 0 ? op : `${op} by (${formatLabels(grouping)}) `;
}

/** An operator with its modifiers: `> bool on (a) group_left (b)`. */
export function formatOperator({ op, bool, matching }: Binary): string {
  return op + (bool ? ' bool' : '') + (matching ? formatMatching(matching) : '');
}

function formatMatching({ card, on, labels, include, fillLeft, fillRight }: VectorMatching): string {
  const grouped = card === 'many-to-one' || card === 'one-to-many';
  let text = '';
  if (on || grouped || labels.length > 0) text += ` ${on ? 'on' : 'ignoring'} (${formatLabels(labels)})`;
  if (grouped) text += ` group_${card === 'many-to-one' ? 'left' : 'right'} (${formatLabels(include)})`;
  if (fillLeft !== undefined && fillLeft === fillRight) return `${text} fill (${formatGeneral(fillLeft)})`;
  if (fillLeft !== undefined) text += ` fill_left (${formatGeneral(fillLeft)})`;
  if (fillRight !== undefined) text += ` fill_right (${formatGeneral(fillRight)})`;
  return text;
}

function formatLabels(labels: readonly string[]): string {
  return labels.map((label) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(label) ? label : quote(label))).join(', ');
}
