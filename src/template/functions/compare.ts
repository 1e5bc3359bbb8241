// Comparisons: eq, ne, lt, le, gt, ge. Types must agree: 1 and 1.0 do not.

import { compareStrings } from '../../model/labels.js';
import { display } from '../text/print.js';
import { Dict, Html, Int, List, Span, Struct, typeOf, type Value } from '../value.js';
import { CallFault, type TemplateFunction } from './function.js';

type Kind = 'bool' | 'string' | 'float' | 'int' | 'uint' | undefined;

function kindOf(value: Value): Kind {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string' || value instanceof Html) return 'string';
  if (typeof value === 'number') return 'float';
  if (value instanceof Int) return value.signed ? 'int' : 'uint';
  return value instanceof Span && !value.pointer ? 'int' : undefined;
}

function incompatible(a: Value, b: Value): CallFault {
  return new CallFault(`incompatible types for comparison: ${typeOf(a)} and ${typeOf(b)}`);
}

function equal(a: Value, b: Value): boolean {
  const [kindA, kindB] = [kindOf(a), kindOf(b)];
  if (kindA !== kindB) {
    if (isInteger(kindA) && isInteger(kindB)) return integerOf(a) === integerOf(b);
    if (a !== undefined && b !== undefined) throw incompatible(a, b);
    return false;
  }
  switch (kindA) {
    case 'int':
    case 'uint':
      return integerOf(a) === integerOf(b);
    case 'string':
      return textOf(a) === textOf(b);
    case undefined:
      return same(a, b);
    default:
      return a === b;
  }
}

/** Of values that have no order. */
function same(a: Value, b: Value): boolean {
  if (a === undefined || b === undefined) return a === b;
  checkComparable(a);
  checkComparable(b);
  return a === b;
}

function isInteger(kind: Kind): boolean {
  return kind === 'int' || kind === 'uint';
}

function integerOf(value: Value): bigint {
  return value instanceof Span ? value.ns : (value as Int).value;
}

function textOf(value: Value): string {
  return value instanceof Html ? value.text : (value as string);
}

function less(a: Value, b: Value): boolean {
  const [kindA, kindB] = [orderedKindOf(a), orderedKindOf(b)];
  if (isInteger(kindA) && isInteger(kindB)) return integerOf(a) < integerOf(b);
  if (kindA !== kindB) throw incompatible(a, b);
  if (kindA === 'bool') throw new CallFault('invalid type for comparison');
  if (kindA === 'string') return compareStrings(textOf(a), textOf(b)) < 0;
  return (a as number) < (b as number);
}

function orderedKindOf(value: Value): Kind {
  return kindOf(value) ?? fail('invalid type for comparison');
}

function fail(message: string): never {
  throw new CallFault(message);
}

/** Of maps and slices Go compares none. */
function checkComparable(value: Value): void {
  if (value instanceof Dict || value instanceof List || (value instanceof Struct && !value.pointer)) {
    throw new CallFault(`non-comparable type ${display(value)}: ${typeOf(value)}`);
  }
}

/** Whether the first argument equals any of the others. */
function equalsAny([first, ...others]: readonly Value[]): boolean {
  if (others.length === 0) throw new CallFault('missing argument for comparison');
  return others.some((other) => equal(first, other));
}

function pairwise(holds: (a: Value, b: Value) => boolean): TemplateFunction {
  return { parameters: ['value', 'value'], call: ([a, b]) => holds(a, b) };
}

export const COMPARISONS: Readonly<Record<string, TemplateFunction>> = {
  eq: { parameters: ['value'], rest: 'value', call: equalsAny },
  ne: pairwise((a, b) => !equalsAny([a, b])),
  lt: pairwise(less),
  le: pairwise((a, b) => less(a, b) || equal(a, b)),
  gt: pairwise((a, b) => !less(a, b) && !equal(a, b)),
  ge: pairwise((a, b) => !less(a, b)),
};
