// Sections of the file: keys with their types, names, defaults and order.
//
//   const queue = struct('config.plain', {
//     capacity: field('capacity', int, 10_000),
//     batchSendDeadlineMs: field('batch_send_deadline', duration, 5_000),
//   });
//   type Queue = ValueOf<typeof queue>;   // { readonly capacity: number, … }
//
// One declaration gives the names of the file, the names and types of the code
// (with their units), the defaults, and the order of printing. Unknown keys and
// keys that come twice are faults of the file, collected with their lines.

import { type Codec, string } from './codec.js';
import { entriesOf, isMap, isNull, type Node, type YamlFile } from './document.js';

export interface Field<T> {
  /** The key in the file. */
  readonly key: string;
  readonly codec: Codec<Exclude<T, undefined>>;
  readonly fallback: T;
  /** Printed even where it is empty. */
  readonly always: boolean;
}

/** A key with its default. */
export function field<T>(key: string, codec: Codec<T>, fallback: NoInfer<T>): Field<T> {
  return { key, codec: codec as Codec<Exclude<T, undefined>>, fallback, always: false };
}

/** As `field`, and printed even where it is zero, false or empty. */
export function shown<T>(key: string, codec: Codec<T>, fallback: NoInfer<T>): Field<T> {
  return { ...field(key, codec, fallback), always: true };
}

/** A key without a default; printed where it is given. */
export function optional<T>(key: string, codec: Codec<T>): Field<T | undefined> {
  return { key, codec: codec as Codec<Exclude<T, undefined>>, fallback: undefined, always: true };
}

// biome-ignore lint/suspicious/noExplicitAny: a Field is invariant in its type, so unknown would refuse them all.
export type Fields = Readonly<Record<string, Field<any>>>;

export type StructOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** Looks at a whole structure once its keys are fine; throws ConfigError for what does not go together, or returns it completed. */
export type Finish<T> = (value: T) => T;

export interface StructOptions {
  /** Other keys are somebody else's: for parts that stand among the keys of a larger section. */
  readonly ignoreUnknown?: boolean;
}

export interface StructCodec<T> extends Codec<T> {
  /** What an empty section says. */
  defaults(): T;
}

export function struct<const F extends Fields>(
  type: string,
  fields: F,
  finish: Finish<StructOf<F>> = (value) => value,
  options: StructOptions = {},
): StructCodec<StructOf<F>> {
  const byKeyName = new Map(Object.entries(fields).map(([name, known]) => [known.key, { name, known }]));
  const fallbacks = Object.fromEntries(
    Object.entries(fields).map(([name, known]) => [name, known.fallback]),
  ) as StructOf<F>;

  function decode(node: Node, file: YamlFile): StructOf<F> | undefined {
    if (isNull(node)) return finish(fallbacks);
    if (!isMap(node)) {
      file.mismatch(node, type);
      return undefined;
    }
    const before = file.faults.length;
    const values: Record<string, unknown> = { ...fallbacks };
    const seen = new Set<string>();
    for (const [key, child] of entriesOf(node, file)) {
      const name = string.decode(key, file)!;
      const entry = byKeyName.get(name);
      if (entry === undefined) {
        if (!options.ignoreUnknown) file.fault(key, `field ${name} not found in type ${type}`);
        continue;
      }
      if (seen.has(name)) file.fault(key, `field ${name} already set in type ${type}`);
      seen.add(name);
      const resolved = child === null ? null : file.resolve(child);
      if (resolved === null || isNull(resolved)) {
        values[entry.name] = entry.known.codec.zero ?? entry.known.fallback;
        continue;
      }
      values[entry.name] = entry.known.codec.decode(resolved, file) ?? entry.known.fallback;
    }
    return file.faults.length > before ? undefined : finish(values as StructOf<F>);
  }

  function encode(value: StructOf<F>): unknown {
    const printed = new Map<string, unknown>();
    for (const [name, { key, codec, always }] of Object.entries(fields)) {
      const given = value[name];
      if (given === undefined || (!always && isEmpty(given))) continue;
      const encoded = codec.encode(given);
      if (always || !isEmpty(encoded)) printed.set(key, encoded);
    }
    return printed;
  }

  return { type, decode, encode, defaults: () => finish(fallbacks) };
}

/** What Go's `omitempty` leaves out. */
function isEmpty(value: unknown): boolean {
  if (value === '' || value === 0 || value === 0n || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return value instanceof Map && value.size === 0;
}
