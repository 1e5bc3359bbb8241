// Log lines, in the two forms Prometheus 3 writes:
//
//   time=2026-11-21T08:00:00.000Z level=INFO source=wal.js:12 msg="Segment loaded" component=tsdb segment=3
//   {"time":"2026-11-21T08:00:00Z","level":"INFO","source":"wal.js:12","msg":"Segment loaded","segment":3}
//
// One event is one line whatever its values hold: they are quoted, and cut at 4 KiB,
// so nobody can forge a line by putting a newline into a label. Nobody can flood the
// log either: of one message, a few lines pass each second, and the next that passes
// says how many did not (`suppressed=12`).

import { type Clock, realClock } from '../base/clock.js';
import { quote } from '../model/quote.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'logfmt' | 'json';

/** What may stand behind a key. `undefined` leaves the key out; other objects are printed by their toString. */
export type LogValue = string | number | boolean | bigint | null | undefined | Error | { toString(): string };
export type LogFields = Readonly<Record<string, LogValue>>;

export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly format?: LogFormat;
  readonly clock?: Clock;
  /** Where lines go, with their newline; standard error if not given. */
  readonly write?: (line: string) => void;
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const VALUE_BYTES_MAX = 4096;

/** Lines of one message that may come at once, and how many more each second. */
const BURST_LINES = 50;
const LINES_PER_SECOND = 10;

/** How much one message may still say. Messages are constants of the code, so there are few. */
interface Allowance {
  lines: number;
  filledAtMs: number;
  suppressed: number;
}

interface Output {
  readonly rank: number;
  readonly format: LogFormat;
  readonly clock: Clock;
  readonly write: (line: string) => void;
  readonly allowances: Map<string, Allowance>;
}

type Field = readonly [key: string, value: LogValue];

export class Logger {
  readonly #output: Output;
  readonly #fields: readonly Field[];

  constructor(output: Output, fields: readonly Field[] = []) {
    this.#output = output;
    this.#fields = fields;
  }

  /** A logger that adds these fields to each of its lines: `{ component: 'tsdb' }`. */
  with(fields: LogFields): Logger {
    return new Logger(this.#output, [...this.#fields, ...Object.entries(fields)]);
  }

  enabled(level: LogLevel): boolean {
    return RANK[level] >= this.#output.rank;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#log('error', message, fields);
  }

  #log(level: LogLevel, message: string, fields: LogFields): void {
    if (!this.enabled(level)) return;
    const { format, clock, write } = this.#output;
    const allowance = takeLine(this.#output, message);
    if (allowance === undefined) return;
    const time = new Date(clock.nowMs()).toISOString();
    const head: Field[] = [
      ['time', time],
      ['level', level.toUpperCase()],
      ['source', caller()],
      ['msg', message],
    ];
    const tail: Field[] = allowance.suppressed > 0 ? [['suppressed', allowance.suppressed]] : [];
    allowance.suppressed = 0;
    const given = [...head, ...this.#fields, ...Object.entries(fields), ...tail];
    const all = given.filter(([, value]) => value !== undefined);
    write(`${format === 'json' ? jsonLine(all) : logfmtLine(all)}\n`);
  }
}

export function createLogger(options: LoggerOptions = {}): Logger {
  return new Logger({
    rank: RANK[options.level ?? 'info'],
    format: options.format ?? 'logfmt',
    clock: options.clock ?? realClock,
    write: options.write ?? ((line) => void process.stderr.write(line)),
    allowances: new Map(),
  });
}

/** The allowance of a message, one line taken from it; undefined where none is left. */
function takeLine({ allowances, clock }: Output, message: string): Allowance | undefined {
  const nowMs = clock.monotonicMs();
  let allowance = allowances.get(message);
  if (allowance === undefined) {
    allowance = { lines: BURST_LINES, filledAtMs: nowMs, suppressed: 0 };
    allowances.set(message, allowance);
  }
  const refill = ((nowMs - allowance.filledAtMs) / 1000) * LINES_PER_SECOND;
  allowance.lines = Math.min(BURST_LINES, allowance.lines + refill);
  allowance.filledAtMs = nowMs;
  if (allowance.lines < 1) {
    allowance.suppressed++;
    return undefined;
  }
  allowance.lines--;
  return allowance;
}

/** Swallows everything: for tests, and where a logger is optional. */
export const noLog: Logger = createLogger({ level: 'error', write: () => {} });

function logfmtLine(fields: readonly Field[]): string {
  return fields.map(([key, value]) => `${quoteIfNeeded(key)}=${quoteIfNeeded(cut(textOf(value)))}`).join(' ');
}

function jsonLine(fields: readonly Field[]): string {
  return `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${jsonValue(value)}`).join(',')}}`;
}

function jsonValue(value: LogValue): string {
  if (typeof value === 'boolean' || typeof value === 'bigint' || value === null) return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  // Line separators are legal in JSON, but some readers of lines split there.
  return JSON.stringify(cut(textOf(value))).replace(
    /[\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  );
}

function textOf(value: LogValue): string {
  if (value === null) return '<nil>';
  return value instanceof Error ? value.message : String(value);
}

/** At most 4 KiB of UTF-8, whole characters, with a mark where something is missing. */
function cut(text: string): string {
  if (text.length * 3 <= VALUE_BYTES_MAX || Buffer.byteLength(text) <= VALUE_BYTES_MAX) return text;
  const mark = '…';
  const bytes = Buffer.from(text).subarray(0, VALUE_BYTES_MAX - Buffer.byteLength(mark));
  return new TextDecoder().decode(bytes, { stream: true }) + mark;
}

/** Quotes what a reader of logfmt would take apart, as slog decides it: spaces, `=`, `"`, controls, nothing at all. */
function quoteIfNeeded(text: string): string {
  if (text !== '' && !/[\s="\p{C}\p{Z}\ufffd]/u.test(text)) return text;
  return quote(text);
}

const HERE = /[/\\]telemetry[/\\]log\.js/;

/** `file.js:line` of the first caller outside this file. A few microseconds: log lines are rare. */
function caller(): string {
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  const frame = frames.find((line) => !HERE.test(line)) ?? '';
  return /([^/\\(]+:\d+):\d+\)?$/.exec(frame)?.[1] ?? 'unknown';
}
