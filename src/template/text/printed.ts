// A value as an action prints it: no value is `<no value>`, and pointers are what they point to.

import { Struct, type Value } from '../value.js';
import { display } from './print.js';

export function printed(value: Value): string {
  if (value === undefined) return '<no value>';
  return display(value instanceof Struct && value.pointer ? new Struct(value.type, false, value.fields) : value);
}
