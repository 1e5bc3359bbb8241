// `.name` of a value: a method, a field, or what a map has under that name.

import { FloatHistogram } from '../model/histogram.js';
import type { TemplateFunction } from './functions/function.js';
import { methodOf } from './methods.js';
import type { Frame } from './run.js';
import { ANY, Dict, Int, Struct, typeOf, type Value } from './value.js';

export type Found =
  | { readonly method: TemplateFunction }
  | {
      readonly value: Value;
      /** The type that the field or map says its values have, where it says less than they do. */
      readonly declared: string | undefined;
      readonly of: 'struct' | 'map' | 'nothing';
    };

/** `declared` is the type of what the value was in, where that says less than the value. */
export function fieldOf(frame: Frame, value: Value, name: string, declared: string | undefined): Found {
  if (value === undefined) {
    if (declared === ANY) frame.fail(`nil pointer evaluating ${ANY}.${name}`);
    return { value: undefined, declared: undefined, of: 'nothing' };
  }
  const method = methodOf(value, name);
  if (method !== undefined) return { method };
  if (value instanceof Struct && value.fields.has(name)) {
    return { value: value.fields.get(name), declared: name === 'Value' ? ANY : undefined, of: 'struct' };
  }
  if (value instanceof Dict) {
    const found = value.entries.has(name) ? value.entries.get(name) : value.zero;
    return { value: found, declared: value.valueType === ANY ? ANY : undefined, of: 'map' };
  }
  if (value instanceof FloatHistogram) {
    const field = HISTOGRAM_FIELDS.get(name);
    if (field !== undefined) return { value: field(value), declared: undefined, of: 'struct' };
  }
  return frame.fail(`can't evaluate field ${name} in type ${declared ?? typeOf(value)}`);
}

const HISTOGRAM_FIELDS: ReadonlyMap<string, (histogram: FloatHistogram) => Value> = new Map<
  string,
  (histogram: FloatHistogram) => Value
>([
  ['Schema', ({ schema }) => new Int(schema)],
  ['Count', ({ count }) => count],
  ['Sum', ({ sum }) => sum],
  ['ZeroCount', ({ zeroCount }) => zeroCount],
  ['ZeroThreshold', ({ zeroThreshold }) => zeroThreshold],
]);
