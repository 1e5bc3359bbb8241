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
  BinaryOp,
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
import { canNameLabel, keywordOf } from './token.js';

/** `followed` says that an operator comes right behind, which a duration could take in. */
export function format(expr: Expr, followed = false): string {
  switch (expr.kind) {
    case 'number':
      return formatNumber(expr);
    case 'string':
      return readable(quote(expr.value));
    case 'vectorSelector':
      return `${formatSelector(expr)}${formatAt(expr.at)}${formatExtended(expr)}${formatOffset(expr.offset, followed)}`;
    case 'matrixSelector':
      return formatMatrix(expr, followed);
    case 'subquery':
      return format(expr.expr) + formatSubquerySuffix(expr, followed);
    case 'call':
      return `${expr.fn}(${expr.args.map((arg) => format(arg)).join(', ')})`;
    case 'aggregate':
      return `${formatAggregateHead(expr)}(${expr.param ? `${format(expr.param)}, ` : ''}${format(expr.expr)})`;
    case 'binary':
      return `${formatLeft(expr)} ${formatOperator(expr)} ${format(expr.right, followed)}`;
    case 'unary':
      return expr.op + format(expr.expr, followed);
    case 'paren':
      return `(${format(expr.expr)})`;
  }
}

/** Operators that durations have, too. */
export function isDurationOp(op: BinaryOp): boolean {
  return '+-*/%^'.includes(op);
}

/** A sign would take in all of a power: `+Inf ^ 2` is +(Inf ^ 2). Prometheus prints that. */
function formatLeft({ op, left }: Binary): string {
  return op === '^' && left.kind === 'number' && left.value === Infinity ? 'Inf' : format(left, isDurationOp(op));
}

/** Our strings have U+FFFD for bytes that are no UTF-8; no text with it could be read again. */
function readable(quoted: string): string {
  return quoted.replaceAll('\ufffd', '\\ufffd');
}

function formatNumber({ value, duration }: NumberLiteral): string {
  return duration ? formatDuration(Math.round(value * 1000)) : formatFloat(value);
}

/** The name and conditions alone. */
function formatSelector({ name, matchers }: VectorSelector): string {
  const shown = matchers
    .filter((matcher) => !isNameItself(matcher, name))
    .map((matcher) => readable(formatMatcher(matcher)));
  return shown.length === 0 && name !== '' ? name : `${name}{${shown.sort(compareStrings).join(',')}}`;
}

function isNameItself(matcher: Matcher, name: string): boolean {
  return name !== '' && matcher.name === METRIC_NAME && matcher.op === '=' && matcher.value === name;
}

function formatMatrix({ vector, range }: MatrixSelector, followed: boolean): string {
  const brackets = `[${formatDurationOf(range)}]`;
  return `${formatSelector(vector)}${brackets}${formatExtended(vector)}${formatAt(vector.at)}${formatOffset(vector.offset, followed)}`;
}

/** `[1h:5m] @ 0.000 offset 1m`: all of a subquery but its expression. */
export function formatSubquerySuffix({ range, step, at, offset }: Subquery, followed: boolean): string {
  const stepText = step === 0 ? '' : formatDurationOf(step);
  return `[${formatDurationOf(range)}:${stepText}]${formatAt(at)}${formatOffset(offset, followed)}`;
}

function formatAt(at: At | undefined): string {
  if (at === undefined) return '';
  return at.kind === 'time' ? ` @ ${formatSeconds(at.timeMs)}` : ` @ ${at.kind}()`;
}

function formatOffset(offset: Duration, followed: boolean): string {
  return offset === 0 ? '' : ` offset ${formatOffsetValue(offset, followed)}`;
}

/**
 * Arithmetic that would end early stands in parentheses, and has a plus in front where an operator follows
 * that it would take in: `a offset +(5m) - b`. Prometheus prints neither.
 */
function formatOffsetValue(offset: Duration, followed: boolean): string {
  const text = formatDurationOf(offset);
  if (typeof offset === 'number' || offset.kind === 'durationCall') return text;
  if (offset.kind === 'durationUnary' && !offset.wrapped && isPrimary(offset.operand)) return text;
  if (followed) return offset.wrapped ? `+${text}` : `+(${text})`;
  return offset.wrapped || startsOpen(text) ? text : `(${text})`;
}

/** Whether an offset goes on over operators. */
function startsOpen(text: string): boolean {
  return /^(\(|[-+][-+])/.test(text);
}

function isPrimary(node: DurationNode): boolean {
  return node.kind === 'number' || node.kind === 'durationCall' || node.wrapped;
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
  return labels.map((label) => (needsNoQuotes(label) ? label : readable(quote(label)))).join(', ');
}

/** Of a label in a grouping. Prometheus prints `without`, `inf` and `nan` bare, and cannot read them then. */
function needsNoQuotes(label: string): boolean {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(label)) return false;
  const keyword = keywordOf(label);
  return keyword === undefined || canNameLabel(keyword);
}
