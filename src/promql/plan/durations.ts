// Arithmetic in brackets and after `offset`, once the query's step and range are known.

import { DURATION_MAX_MS } from '../../model/duration.js';
import { maxOf, minOf, power } from '../arithmetic.js';
import { QueryError } from '../errors.js';
import type { Duration, DurationBinary, DurationNode, Span } from '../syntax/ast.js';

export interface DurationContext {
  /** 0 for an instant query. */
  readonly stepMs: number;
  /** The query's end less its start. */
  readonly rangeMs: number;
}

/** Whole milliseconds. Throws where the value is none, or is not positive and must be. */
export function resolveDuration(duration: Duration, context: DurationContext, allowNegative: boolean): number {
  if (typeof duration === 'number') return duration;
  const seconds = secondsOf(duration, context);
  if (!Number.isFinite(seconds)) throw wrong(duration, 'duration is NaN or infinite');
  if (seconds <= 0 && !allowNegative) throw wrong(duration, 'duration must be greater than 0');
  if (Math.abs(seconds) > DURATION_MAX_MS / 1000) throw wrong(duration, 'duration is out of range');
  return Math.trunc(seconds * 1000);
}

function secondsOf(node: DurationNode, context: DurationContext): number {
  switch (node.kind) {
    case 'number':
      return node.value;
    case 'durationUnary': {
      const operand = secondsOf(node.operand, context);
      return node.op === '-' ? -operand : operand;
    }
    case 'durationBinary':
      return combine(node, secondsOf(node.left, context), secondsOf(node.right, context));
    case 'durationCall':
      switch (node.fn) {
        case 'step':
          return context.stepMs / 1000;
        case 'range':
          return context.rangeMs / 1000;
        case 'min_of':
          return node.args.map((arg) => secondsOf(arg, context)).reduce(minOf);
        case 'max_of':
          return node.args.map((arg) => secondsOf(arg, context)).reduce(maxOf);
      }
  }
}

function combine(node: DurationBinary, left: number, right: number): number {
  switch (node.op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0) throw wrong(node, 'division by zero');
      return left / right;
    case '%':
      if (right === 0) throw wrong(node, 'modulo by zero');
      return left % right;
    case '^':
      return power(left, right);
  }
}

/** Prometheus puts the offsets of start and end in front, not line and column. */
function wrong(node: DurationNode, reason: string): QueryError {
  const { start, end } = placeOf(node);
  return new QueryError('bad_data', `${start}:${end}: ${reason}`);
}

/** Where Prometheus says that arithmetic is: from its first operand to its last, of min_of and max_of too. */
function placeOf(node: DurationNode): Span {
  switch (node.kind) {
    case 'durationUnary':
      return { start: node.pos.start, end: placeOf(node.operand).end };
    case 'durationBinary':
      return { start: placeOf(node.left).start, end: placeOf(node.right).end };
    case 'durationCall':
      return node.args.length < 2 ? node.pos : { start: placeOf(node.args[0]!).start, end: placeOf(node.args[1]!).end };
    default:
      return node.pos;
  }
}
