// Values as Go's templates see them. Types matter: `eq 1 1.0` is an error, `1` prints as
// `1` and 1e6 as `1e+06`. What JavaScript has a type for is that:
//
//   undefined  no value: a nil, or what is not there     number  float64
//   boolean    bool                                      string  string
//
// The rest are objects of the classes below.

import type { FloatHistogram } from '../model/histogram.js';

export type Value =
  | undefined
  | boolean
  | string
  | number
  | Int
  | Html
  | Dict
  | List
  | Struct
  | Instant
  | Span
  | FloatHistogram;

export type IntType = 'int' | 'int64' | 'uint8' | 'uint64' | 'time.Month' | 'time.Weekday';

/** An integer of any type. */
export class Int {
  readonly value: bigint;
  readonly type: IntType;

  constructor(value: bigint | number, type: IntType = 'int') {
    this.value = BigInt(value);
    this.type = type;
  }

  get signed(): boolean {
    return !this.type.startsWith('uint');
  }
}

/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A map whose keys are strings. */
export class Dict {
  readonly entries: ReadonlyMap<string, Value>;
  /** Of the values, as Go names it. */
  readonly valueType: 'string' | 'interface {}' | '[]string';

  constructor(entries: ReadonlyMap<string, Value>, valueType: Dict['valueType']) {
    this.entries = entries;
    this.valueType = valueType;
  }

  get type(): string {
    return `map[string]${this.valueType}`;
  }

  /** What a key has that is not there. */
  get zero(): Value {
    if (this.valueType === 'string') return '';
    return this.valueType === '[]string' ? new List([], '[]string') : undefined;
  }
}

export class List {
  readonly items: readonly Value[];
  readonly type: 'template.queryResult' | '[]string';

  constructor(items: readonly Value[], type: List['type']) {
    this.items = items;
    this.type = type;
  }
}

/** Named fields: a sample, or the data of a template. */
export class Struct {
  readonly type: string;
  /** Whether it is reached by a pointer, which shows in its type only. */
  readonly pointer: boolean;
  readonly fields: ReadonlyMap<string, Value>;

  constructor(type: string, pointer: boolean, fields: ReadonlyMap<string, Value>) {
    this.type = type;
    this.pointer = pointer;
    this.fields = fields;
  }
}

abstract class Nanoseconds {
  readonly ns: bigint;
  /** Whether it is reached by a pointer, which shows in its type only. */
  readonly pointer: boolean;

  constructor(ns: bigint, pointer = false) {
    this.ns = ns;
    this.pointer = pointer;
  }
}

/** A time, in UTC: since 1970. */
export class Instant extends Nanoseconds {}

/** A duration. */
export class Span extends Nanoseconds {}

/** The field that may have values of any type: messages about it name that type. */
export const ANY = 'interface {}';

/** The type of a value, as Go names it. */
export function typeOf(value: Value): string {
  switch (typeof value) {
    case 'undefined':
      return '<nil>';
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    case 'number':
      return 'float64';
  }
  if (value instanceof Struct) return value.pointer ? `*${value.type}` : value.type;
  if (value instanceof Instant) return value.pointer ? '*time.Time' : 'time.Time';
  if (value instanceof Span) return value.pointer ? '*time.Duration' : 'time.Duration';
  if (value instanceof Html) return 'template.HTML';
  if (value instanceof Int || value instanceof Dict || value instanceof List) return value.type;
  return '*histogram.FloatHistogram';
}

/** What `if` makes of a value: false for what is empty or zero. */
export function isTrue(value: Value): boolean {
  switch (typeof value) {
    case 'undefined':
      return false;
    case 'boolean':
      return value;
    case 'string':
      return value !== '';
    case 'number':
      return value !== 0;
  }
  if (value instanceof Int) return value.value !== 0n;
  if (value instanceof Html) return value.text !== '';
  if (value instanceof Dict) return value.entries.size > 0;
  if (value instanceof List) return value.items.length > 0;
  if (value instanceof Span) return value.pointer || value.ns !== 0n;
  return true;
}

/** A sample of a query's answer. */
export function sampleOf(labels: ReadonlyMap<string, string>, value: Value): Struct {
  const fields = new Map<string, Value>([
    ['Labels', new Dict(labels, 'string')],
    ['Value', value],
  ]);
  return new Struct('template.sample', true, fields);
}
