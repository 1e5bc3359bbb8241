// A tree as the JSON of /api/v1/parse_query, which the expression explorer shows.
// Keys are in alphabetical order, as Prometheus writes them.

import type { Matcher } from '../../model/matcher.js';
import { formatFloat } from '../../model/number.js';
import { functionOf } from '../functions.js';
import type { At, Binary, Call, Duration, DurationNode, Expr, VectorMatching, VectorSelector } from './ast.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export function toJson(expr: Expr): Json {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatFloat(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value };
    case 'vectorSelector':
      return { ...selectorJson(expr), type: 'vectorSelector' };
    case 'matrixSelector':
      return { ...selectorJson(expr.vector), ...durationJson('range', expr.range), type: 'matrixSelector' };
    case 'subquery':
      return {
        expr: toJson(expr.expr),
        ...durationJson('offset', expr.offset),
        ...durationJson('range', expr.range),
        ...durationJson('step', expr.step),
        ...atJson(expr.at),
        type: 'subquery',
      };
    case 'call':
      return { args: expr.args.map(toJson), func: functionJson(expr), type: 'call' };
    case 'aggregate':
      return {
        expr: toJson(expr.expr),
        grouping: expr.grouping,
        op: expr.op,
        param: expr.param === undefined ? null : toJson(expr.param),
        type: 'aggregation',
        without: expr.without,
      };
    case 'binary':
      return binaryJson(expr);
    case 'unary':
      return { expr: toJson(expr.expr), op: expr.op, type: 'unaryExpr' };
    case 'paren':
      return { expr: toJson(expr.expr), type: 'parenExpr' };
  }
}

function selectorJson(selector: VectorSelector): { readonly [key: string]: Json } {
  const { anchored, at, matchers, name, offset, smoothed } = selector;
  return {
    anchored,
    matchers: matchers.map(matcherJson),
    name,
    ...durationJson('offset', offset),
    smoothed,
    ...atJson(at),
  };
}

function matcherJson({ name, op, value }: Matcher): Json {
  return { name, type: op, value };
}

function binaryJson({ bool, left, matching, op, right }: Binary): Json {
  return {
    bool,
    lhs: toJson(left),
    matching: matching === undefined ? null : matchingJson(matching),
    op,
    rhs: toJson(right),
    type: 'binaryExpr',
  };
}

function matchingJson({ card, fillLeft, fillRight, include, labels, on }: VectorMatching): Json {
  return { card, fillValues: { lhs: fillLeft ?? null, rhs: fillRight ?? null }, include, labels, on };
}

function functionJson({ fn }: Call): Json {
  const { args, name, returns, variadic } = functionOf(fn)!;
  return { argTypes: args, name, returnType: returns, variadic };
}

function atJson(at: At | undefined): { readonly [key: string]: Json } {
  if (at?.kind === 'time') return { startOrEnd: null, timestamp: at.timeMs };
  return { startOrEnd: at?.kind ?? null, timestamp: null };
}

/** A duration is two members: its milliseconds, and its expression where these are not known. */
function durationJson(key: string, duration: Duration): { readonly [key: string]: Json } {
  const known = typeof duration === 'number';
  return { [key]: known ? duration : 0, [`${key}Expr`]: known ? null : durationNodeJson(duration) };
}

/** Prometheus has one kind of node with an operator and up to two sides. */
function durationNodeJson(node: DurationNode): Json {
  if (node.kind === 'number') return { duration: node.duration, type: 'numberLiteral', val: formatFloat(node.value) };
  const { op, left, right } = sidesOf(node);
  return {
    lhs: left === undefined ? null : durationNodeJson(left),
    op,
    rhs: right === undefined ? null : durationNodeJson(right),
    type: 'durationExpr',
    wrapped: node.wrapped,
  };
}

function sidesOf(node: Exclude<DurationNode, { kind: 'number' }>): {
  op: string;
  left?: DurationNode;
  right?: DurationNode;
} {
  switch (node.kind) {
    case 'durationUnary':
      return { op: node.op, right: node.operand };
    case 'durationBinary':
      return { op: node.op, left: node.left, right: node.right };
    case 'durationCall':
      return { op: node.fn, left: node.args[0], right: node.args[1] };
  }
}
