// Functions from float to float, element by element. Histograms have no part in them.

import { log2, log10 } from '../../../model/logarithm.js';
import { maxOf, minOf } from '../../arithmetic.js';
import { blankColumns } from '../columns.js';
import type { OperatorContext } from '../operator.js';
import { FLOAT } from '../source.js';
import type { ScalarValue, VectorValue } from '../value.js';

type Unary = (value: number) => number;

export const MATH_FUNCTIONS: ReadonlyMap<string, Unary> = new Map<string, Unary>([
  ['abs', Math.abs],
  ['acos', Math.acos],
  ['acosh', Math.acosh],
  ['asin', Math.asin],
  ['asinh', Math.asinh],
  ['atan', Math.atan],
  ['atanh', Math.atanh],
  ['ceil', Math.ceil],
  ['cos', Math.cos],
  ['cosh', cosh],
  ['deg', (value) => (value * 180) / Math.PI],
  ['exp', Math.exp],
  ['floor', Math.floor],
  ['ln', Math.log],
  ['log10', log10],
  ['log2', log2],
  ['rad', (value) => (value * Math.PI) / 180],
  ['sgn', (value) => (value < 0 ? -1 : value > 0 ? 1 : value)],
  ['sin', Math.sin],
  ['sinh', sinh],
  ['sqrt', Math.sqrt],
  ['tan', Math.tan],
  ['tanh', Math.tanh],
]);

/** Beyond this, the other half of a hyperbolic function is lost in rounding. */
const HALF_FROM = 21;

/** As Go's library has it, which overflows a little early. */
function cosh(value: number): number {
  const size = Math.abs(value);
  return size > HALF_FROM ? Math.exp(size) * 0.5 : Math.cosh(value);
}

function sinh(value: number): number {
  const size = Math.abs(value);
  return size > HALF_FROM ? Math.sign(value) * (Math.exp(size) * 0.5) : Math.sinh(value);
}

/** Applies a function to all floats. It answers NaN, never "nothing"; `skips` says at which steps there is nothing. */
export function mapFloats(
  operand: VectorValue,
  { names, pace }: OperatorContext,
  change: (value: number, step: number) => number,
  skips?: (step: number) => boolean,
): VectorValue {
  const { labels, steps, values, present } = operand.columns;
  const result = blankColumns(labels, steps);
  const skipped = Uint8Array.from({ length: steps }, (_, step) => Number(skips?.(step) ?? false));
  for (let row = 0, cell = 0; row < labels.length; row++) {
    pace.spend(steps);
    for (let step = 0; step < steps; step++, cell++) {
      if (present[cell] !== FLOAT || skipped[step] === 1) continue;
      result.present[cell] = FLOAT;
      result.values[cell] = change(values[cell]!, step);
    }
  }
  return names.drop(result);
}

/** To the nearest multiple, ties upwards. */
export function round(operand: VectorValue, nearest: ScalarValue | undefined, context: OperatorContext): VectorValue {
  return mapFloats(operand, context, (value, step) => {
    // Multiplying with the inverse is what Prometheus does: it rounds better for 0.1 and the like.
    const inverse = 1 / (nearest === undefined ? 1 : nearest.values[step]!);
    return Math.floor(value * inverse + 0.5) / inverse;
  });
}

/** Steps where the bounds are the wrong way round have no result. */
export function clamp(
  operand: VectorValue,
  least: ScalarValue | number,
  most: ScalarValue | number,
  context: OperatorContext,
): VectorValue {
  const at = (bound: ScalarValue | number, step: number) => (typeof bound === 'number' ? bound : bound.values[step]!);
  return mapFloats(
    operand,
    context,
    (value, step) => maxOf(at(least, step), minOf(at(most, step), value)),
    (step) => at(most, step) < at(least, step),
  );
}
