// absent, scalar, vector, timestamp: between something, nothing and a number.

import type { Labels } from '../../../model/labels.js';
import { NO_LABELS } from '../../../model/labels.js';
import { blankColumns } from '../columns.js';
import { ABSENT, FLOAT, type Steps } from '../source.js';
import { type Names, type ScalarValue, type VectorValue, vector } from '../value.js';

/** 1 at each step at which the operand has no element. */
export function absent(operand: VectorValue, labels: Labels): VectorValue {
  const { steps, present } = operand.columns;
  const result = blankColumns([labels], steps);
  result.present.fill(FLOAT);
  result.values.fill(1);
  for (let cell = 0; cell < present.length; cell++) {
    if (present[cell] === ABSENT) continue;
    result.present[cell % steps] = ABSENT;
    result.values[cell % steps] = 0;
  }
  return vector(result);
}

/** The float of the one element; NaN at steps with none or several. */
export function toScalar(operand: VectorValue): ScalarValue {
  const { steps, present, values } = operand.columns;
  const numbers = new Float64Array(steps).fill(Number.NaN);
  const counts = new Uint32Array(steps);
  for (let cell = 0; cell < present.length; cell++) {
    if (present[cell] !== FLOAT) continue;
    const step = cell % steps;
    numbers[step] = ++counts[step]! === 1 ? values[cell]! : Number.NaN;
  }
  return { kind: 'scalar', values: numbers };
}

export function toVector(operand: ScalarValue): VectorValue {
  const { values } = operand;
  return vector({
    labels: [NO_LABELS],
    steps: values.length,
    values,
    present: new Uint8Array(values.length).fill(FLOAT),
  });
}

/** Of an expression's elements, which have no samples of their own: the evaluation time in seconds. */
export function evaluationTimes(operand: VectorValue, steps: Steps, names: Names): VectorValue {
  const { labels, present } = operand.columns;
  const result = blankColumns(labels, steps.count);
  for (let cell = 0; cell < present.length; cell++) {
    if (present[cell] === ABSENT) continue;
    result.present[cell] = FLOAT;
    result.values[cell] = (steps.startMs + (cell % steps.count) * steps.stepMs) / 1000;
  }
  return names.drop(result);
}
