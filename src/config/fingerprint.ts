// A fingerprint of a piece of configuration: the same where a reload changed nothing in it, secrets included.

import { createHash } from 'node:crypto';
import { Pattern } from '../relabel/pattern.js';
import { Secret } from './values.js';

/** Keys in `except` do not count, at the top only. Not for showing: who knows the rest can guess a short secret. */
export function fingerprintOf(section: object, except: ReadonlySet<string> = new Set()): string {
  const hash = createHash('sha256');
  const entries = Object.entries(section).filter(([key]) => !except.has(key));
  write(Object.fromEntries(entries), (part) => hash.update(part));
  return hash.digest('base64');
}

/** Every part says its kind and its length, so that no two values read alike. */
function write(value: unknown, emit: (part: string) => void): void {
  if (value === undefined || value === null) emit('-');
  else if (typeof value !== 'object') emit(`${typeof value}${String(value).length}:${value}`);
  else if (value instanceof Secret) write(value.reveal(), emit);
  else if (value instanceof Pattern) write(value.source, emit);
  else if (Array.isArray(value)) writeAll('[', value, emit);
  else if (value instanceof Map) writeAll('M', [...value].flat(), emit);
  else if (Object.getPrototypeOf(value) === Object.prototype)
    writeAll('{', Object.entries(value).sort(byKey).flat(), emit);
  else throw new Error(`no fingerprint of a ${value.constructor.name}`);
}

function writeAll(kind: string, values: readonly unknown[], emit: (part: string) => void): void {
  emit(`${kind}${values.length}:`);
  for (const value of values) write(value, emit);
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
