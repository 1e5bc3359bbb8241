// The label pairs of a row: of the label set of a series, or of the key of a group.
//
//   set   names │ n0 │ n1 │ …     values │ v0 │ v1 │ …     its schema has the names
//   key   count │ n0 │ v0 │ n1 │ v1 │ …                    groups.ts
//
// Looked at one row after the other: what is found here is that of the last one.

import * as series from '../head/series';
import * as schemas from '../labels/schemas';

let pairs: u32 = 0;
let names: usize = 0;
let values: usize = 0;
/** From one name to the next, and so for values. */
let stride: usize = 4;

export function lookAtSet(set: usize): void {
  const schema = series.schemaOf(set);
  pairs = schemas.count(schema);
  names = schemas.names(schema);
  values = series.values(set);
  stride = 4;
}

export function lookAtKey(key: usize): void {
  pairs = load<u32>(key);
  names = key + 4;
  values = key + 8;
  stride = 8;
}

export function count(): u32 {
  return pairs;
}

/** The symbol of a name. */
export function nameAt(index: u32): u32 {
  return load<u32>(names + <usize>index * stride);
}

/** The symbol of a value. */
export function valueAt(index: u32): u32 {
  return load<u32>(values + <usize>index * stride);
}
