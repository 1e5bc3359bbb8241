// The functions of Go's text/template itself.

import { displayAll } from '../text/print.js';
import { printf } from '../text/printf.js';
import { Dict, Html, Int, isTrue, List, Struct, typeOf, type Value } from '../value.js';
import { COMPARISONS } from './compare.js';
import { escapeHtml, escapeJs, escapeQuery } from './escape.js';
import { CallFault, type Surroundings, type TemplateFunction } from './function.js';

function anyTexts(make: (args: readonly Value[]) => string): TemplateFunction {
  return { parameters: [], rest: 'any', call: (args, { budget }) => budget.text(make(args)) };
}

/** What is printed of arguments before it is escaped: no value is `<no value>`. */
function escaper(escape: (text: string) => string): TemplateFunction {
  return anyTexts((args) => escape(displayAll(args.map(printable))));
}

function printable(value: Value): Value {
  if (value === undefined) return '<no value>';
  if (value instanceof Html) return value.text;
  return value instanceof Struct && value.pointer ? new Struct(value.type, false, value.fields) : value;
}

// ---- Elements

function index([item, ...keys]: readonly Value[], { budget }: Surroundings): Value {
  if (item === undefined) throw new CallFault('index of untyped nil');
  return keys.reduce<Value>((value, key) => {
    budget.spend(1);
    return element(value, key);
  }, item);
}

function element(value: Value, key: Value): Value {
  if (typeof value === 'string') return new Int(byteAt(value, key), 'uint8');
  if (value instanceof List) return value.items[existing(key, value.items.length, 'slice')];
  if (value instanceof Dict) {
    if (key === undefined) throw new CallFault('value is nil; should be of type string');
    if (typeof key !== 'string') throw new CallFault(`value has type ${typeOf(key)}; should be string`);
    return value.entries.has(key) ? value.entries.get(key) : value.zero;
  }
  if (value === undefined) throw new CallFault('index of nil pointer');
  throw new CallFault(`can't index item of type ${plainType(value)}`);
}

/** Texts are bytes in Go. */
function byteAt(text: string, key: Value): number {
  const bytes = Buffer.from(text);
  return bytes[existing(key, bytes.length, 'string')]!;
}

/** The index of something that is there. */
function existing(key: Value, length: number, of: 'slice' | 'string'): number {
  const at = position(key, length);
  if (at === length) throw new CallFault(`reflect: ${of} index out of range`);
  return at;
}

/** A place in a list, or behind its end. */
function position(key: Value, length: number): number {
  if (key === undefined) throw new CallFault('cannot index slice/array with nil');
  if (!(key instanceof Int)) throw new CallFault(`cannot index slice/array with type ${typeOf(key)}`);
  if (key.value < 0n || key.value > BigInt(length)) throw new CallFault(`index out of range: ${key.value}`);
  return Number(key.value);
}

function slice([item, ...keys]: readonly Value[], { budget }: Surroundings): Value {
  if (item === undefined) throw new CallFault('slice of untyped nil');
  if (keys.length > 3) throw new CallFault(`too many slice indexes: ${keys.length}`);
  if (typeof item === 'string') {
    if (keys.length === 3) throw new CallFault('cannot 3-index slice a string');
    const bytes = Buffer.from(budget.text(item));
    const [from, to] = bounds(keys, bytes.length);
    return bytes.toString('utf8', from, to);
  }
  if (!(item instanceof List)) throw new CallFault(`can't slice item of type ${plainType(item)}`);
  const [from, to] = bounds(keys, item.items.length);
  budget.spend(to - from);
  return new List(item.items.slice(from, to), item.type);
}

function bounds(keys: readonly Value[], length: number): [from: number, to: number] {
  const [from = 0, to = length, most = length] = keys.map((key) => position(key, length));
  if (from > to) throw new CallFault(`invalid slice index: ${from} > ${to}`);
  if (to > most) throw new CallFault(`invalid slice index: ${to} > ${most}`);
  return [from, to];
}

function length([item]: readonly Value[]): Value {
  if (typeof item === 'string') return new Int(Buffer.byteLength(item));
  if (item instanceof Html) return new Int(Buffer.byteLength(item.text));
  if (item instanceof List) return new Int(item.items.length);
  if (item instanceof Dict) return new Int(item.entries.size);
  throw new CallFault(
    item === undefined ? 'reflect: call of reflect.Value.Type on zero Value' : `len of type ${plainType(item)}`,
  );
}

/** Without the pointer. */
function plainType(value: Value): string {
  return typeOf(value).replace(/^\*/, '');
}

export const BUILTINS: Readonly<Record<string, TemplateFunction>> = {
  ...COMPARISONS,
  // The evaluator knows both: they need not look at all of their arguments.
  and: { parameters: ['value'], rest: 'value', call: (args) => args.find((value) => !isTrue(value)) ?? args.at(-1) },
  or: { parameters: ['value'], rest: 'value', call: (args) => args.find(isTrue) ?? args.at(-1) },
  not: { parameters: ['value'], call: ([value]) => !isTrue(value) },
  call: {
    parameters: ['value'],
    rest: 'value',
    call: ([target]) => {
      throw new CallFault(
        target === undefined ? 'call of nil' : `non-function ${displayAll([target])} of type ${typeOf(target)}`,
      );
    },
  },
  index: { parameters: ['value'], rest: 'value', call: index },
  slice: { parameters: ['value'], rest: 'value', call: slice },
  len: { parameters: ['value'], call: length },
  print: anyTexts(displayAll),
  println: anyTexts((args) => `${args.map((arg) => displayAll([arg])).join(' ')}\n`),
  printf: {
    parameters: ['string'],
    rest: 'any',
    call: ([format, ...args], { budget }) => budget.text(printf(format as string, args)),
  },
  html: escaper(escapeHtml),
  js: escaper(escapeJs),
  urlquery: escaper(escapeQuery),
};
