// Codecs: how a part of the file becomes a typed value, and back for the status page.
// Here those of scalars, lists and maps; struct.ts has those of whole sections.
//
// A value of the wrong type is a fault of the file, collected with its line, as Go's
// YAML package does; a value that is wrong in itself throws at once.

import { isAbsolute, join } from 'node:path';
import { quote } from '../model/quote.js';
import {
  entriesOf,
  isMap,
  isNull,
  isSeq,
  isTrue,
  type Node,
  numberOf,
  type ScalarText,
  scalarOf,
  type YAMLSeq,
  type YamlFile,
} from './document.js';
import { ConfigError } from './error.js';

export interface Codec<T> {
  /** The name of the type in Prometheus, which its messages show. */
  readonly type: string;
  /** undefined where the node is of a wrong type, which is then noted in the file's faults. Throws ConfigError. */
  decode(node: Node, file: YamlFile): T | undefined;
  /** Plain data for printing, secrets hidden. */
  encode(value: T): unknown;
  /** What a key without a value says (`metrics_path:`). Where this is not given, such a key changes nothing. */
  readonly zero?: T;
}

export type ValueOf<C> = C extends Codec<infer T> ? T : never;

// ---- Scalars

/** A codec of scalars: `parse` answers undefined for a wrong type and throws for a wrong value. */
export function scalar<T>(
  type: string,
  parse: (scalar: ScalarText) => T | undefined,
  encode: (value: T) => unknown = (value) => value,
): Codec<T> {
  return {
    type,
    decode(node, file) {
      const value = isMap(node) || isSeq(node) ? undefined : parse(scalarOf(node));
      if (value === undefined) file.mismatch(node, type);
      return value;
    },
    encode,
  };
}

/** A scalar that is text in the file, whatever it looks like. */
export function text<T>(parse: (text: string) => T, encode?: (value: T) => unknown, type = 'string'): Codec<T> {
  return scalar(type, (given) => parse(given.tag === '!!binary' ? decodeBinary(given.text) : given.text), encode);
}

export const string: Codec<string> = { ...text((given) => given), zero: '' };

/** The path of a file; relative ones start at the folder of the file they stand in. */
export const path: Codec<string> = {
  ...string,
  decode: (node, file) => {
    const given = string.decode(node, file);
    return given === undefined ? undefined : resolvePath(file.folder, given);
  },
};

export const bool: Codec<boolean> = {
  ...scalar('bool', ({ tag, text: given }) => (tag === '!!bool' ? isTrue(given) : undefined)),
  zero: false,
};

export const int: Codec<number> = integer('int', Number.MIN_SAFE_INTEGER);
export const uint: Codec<number> = integer('uint', 0);

function integer(type: string, least: number): Codec<number> {
  const parse = ({ tag, text: given }: ScalarText): number | undefined => {
    if (tag !== '!!int' && tag !== '!!float') return undefined;
    const value = numberOf(given);
    return Number.isSafeInteger(value) && value >= least ? value : undefined;
  };
  return { ...scalar(type, parse), zero: 0 };
}

export const uint64: Codec<bigint> = scalar(
  'uint64',
  ({ tag, text: given }) => {
    if (tag !== '!!int' || given.startsWith('-')) return undefined;
    const digits = given.replaceAll('_', '').replace(/^\+/, '');
    const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits}` : digits);
    return value < 1n << 64n ? value : undefined;
  },
  (value) => Number(value),
);

export const float: Codec<number> = scalar('float64', ({ tag, text: given }) =>
  tag === '!!int' || tag === '!!float' ? numberOf(given) : undefined,
);

/** One of some words; `refusal` words the error for others. */
export function oneOf<const W extends string>(words: readonly W[], refusal: (given: string) => string): Codec<W> {
  return text((given) => {
    const word = words.find((candidate) => candidate === given);
    if (word === undefined) throw new ConfigError(refusal(given));
    return word;
  });
}

// ---- Lists and maps

export interface ListOptions {
  /** What to say of an item without a value; an item of text is then empty. */
  readonly nullItem?: string;
  readonly type?: string;
}

export function list<T>(item: Codec<T>, options: ListOptions = {}): Codec<readonly T[]> {
  const type = options.type ?? `[]${item.type}`;
  return {
    type,
    decode(node, file) {
      if (!isSeq(node)) {
        file.mismatch(node, type);
        return undefined;
      }
      const values: T[] = [];
      for (const child of (node as YAMLSeq<Node | null>).items) {
        const resolved = child === null ? null : file.resolve(child);
        if (resolved === null || isNull(resolved)) {
          if (options.nullItem !== undefined) throw new ConfigError(options.nullItem);
          if (resolved === null) continue;
        }
        const value = item.decode(resolved, file);
        if (value !== undefined) values.push(value);
      }
      return values;
    },
    encode: (values) => values.map((value) => item.encode(value)),
    zero: [],
  };
}

/** Keys are a user's: a Map, never an object. */
export function mapOf<T>(item: Codec<T>, type = `map[string]${item.type}`): Codec<ReadonlyMap<string, T>> {
  return {
    type,
    decode(node, file) {
      if (!isMap(node)) {
        file.mismatch(node, type);
        return undefined;
      }
      const values = new Map<string, T>();
      for (const [key, child] of entriesOf(node, file)) {
        const name = string.decode(key, file)!;
        if (values.has(name)) file.fault(key, `key ${quote(name)} already set in map`);
        const value = child === null ? item.zero : item.decode(file.resolve(child), file);
        if (value !== undefined) values.set(name, value);
      }
      return values;
    },
    encode: (values) => new Map([...values].sort(byKey).map(([key, value]) => [key, item.encode(value)])),
    zero: new Map(),
  };
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `!!binary`: bytes that may be no UTF-8, which then show as lone surrogates, so that no check takes them for text. */
function decodeBinary(base64: string): string {
  const packed = base64.replace(/\s/g, '');
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) {
    throw new ConfigError('yaml: !!binary value contains invalid base64 data');
  }
  const bytes = Buffer.from(packed, 'base64');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join('');
  }
}

/** Empty stays empty: it means no file. */
export function resolvePath(folder: string, path: string): string {
  return path === '' || folder === '' || isAbsolute(path) ? path : join(folder, path);
}
