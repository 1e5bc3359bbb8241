// Values of the field that are text in the file: durations, sizes, secrets, URLs, patterns.

import { DurationError, formatDuration, parseDuration } from '../model/duration.js';
import { PatternError } from '../model/matcher.js';
import { quote } from '../model/quote.js';
import { Pattern } from '../relabel/pattern.js';
import { type Codec, text } from './codec.js';
import { ConfigError } from './error.js';

/** Milliseconds. */
export const duration: Codec<number> = { ...text(durationOf, formatDuration), zero: 0 };

/** Milliseconds. Throws ConfigError. */
export function durationOf(given: string): number {
  return orConfigError(DurationError, () => parseDuration(given));
}

export const pattern: Codec<Pattern> = {
  ...text((given) => orConfigError(PatternError, () => new Pattern(given)), String),
  zero: new Pattern(''),
};

/** Bytes; written in powers of 1024: `15MB`, `1GiB512MiB`. */
export const bytes: Codec<number> = { ...text(parseBytes, formatBytes), zero: 0 };

/** What must not be printed: it shows as `<secret>` wherever it ends up by mistake. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself, for the header or the file it is meant for. */
  reveal(): string {
    return this.#value;
  }

  get isEmpty(): boolean {
    return this.#value === '';
  }

  toString(): string {
    return SECRET;
  }

  toJSON(): string {
    return SECRET;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return SECRET;
  }
}

const SECRET = '<secret>';

export const secret: Codec<Secret> = {
  ...text(
    (given) => new Secret(given),
    (given) => (given.isEmpty ? '' : SECRET),
  ),
  zero: new Secret(''),
};

/** Kept as text; a password inside shows as `xxxxx`. */
export const url: Codec<string> = text((given) => {
  const fault = urlFault(given);
  if (fault !== undefined) throw new ConfigError(`parse ${quote(given)}: ${fault}`);
  return given;
}, hidePassword);

/** A URL, or any text, with the password of a URL at its start replaced. */
export function hidePassword(given: string): string {
  return given.replace(/^([a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#:@]*):[^/?#]*@/, '$1:xxxxx@');
}

/** What Go's url.Parse would say; relative references are fine there. */
function urlFault(given: string): string | undefined {
  if (/[\x00-\x1f\x7f]/.test(given)) return 'net/url: invalid control character in URL';
  if (/^:/.test(given)) return 'missing protocol scheme';
  const escape = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(given.split('?')[0]!);
  if (escape !== null) return `invalid URL escape ${quote(escape[0])}`;
  const host = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/([^/?#]*)/.exec(given)?.[1] ?? '';
  const port = /:([^\]:]*)$/.exec(host.slice(host.lastIndexOf('@') + 1))?.[1];
  if (port !== undefined && !/^\d*$/.test(port)) return `invalid port ${quote(`:${port}`)} after host`;
  if (/\s/.test(host)) return `invalid character " " in host name`;
  return undefined;
}

const UNITS: readonly string[] = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

/** `512MB` and `512MiB` alike are powers of 1024; a unit is needed, except behind 0. Throws ConfigError. */
export function parseBytes(given: string): number {
  if (given === '0') return 0;
  const invalid = new ConfigError(`units: invalid ${given}`);
  let rest = given.replace(/^[-+]/, '');
  if (rest === '') throw invalid;
  let total = 0;
  while (rest !== '') {
    const number = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) throw invalid;
    const unit = /^[^\d.]*/.exec(rest.slice(number.length))![0];
    const power = UNITS.indexOf(/^([KMGTPE]?)i?B$/.exec(unit)?.[1] ?? '?');
    if (power < 0) throw new ConfigError(`units: unknown unit ${unit} in ${given}`);
    total += Number(number) * 1024 ** power;
    rest = rest.slice(number.length + unit.length);
  }
  return Math.trunc(given.startsWith('-') ? -total : total);
}

/** `1MiB512KiB`, as the units library prints it. */
export function formatBytes(given: number): string {
  if (given === 0) return '0B';
  let rest = Math.abs(given);
  let printed = given < 0 ? '-' : '';
  for (let power = UNITS.length - 1; power >= 0; power--) {
    const count = Math.floor(rest / 1024 ** power);
    if (count === 0) continue;
    printed += `${count}${UNITS[power]}${power === 0 ? 'B' : 'iB'}`;
    rest -= count * 1024 ** power;
  }
  return printed;
}

function orConfigError<T>(expected: new (message: string) => Error, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof expected) throw new ConfigError(error.message);
    throw error;
  }
}
