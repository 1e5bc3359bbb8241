// Data directories that a real Prometheus wrote, with what it answered: conformance/tsdb.

import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RecordedQuery {
  readonly path: string;
  readonly params: readonly (readonly [string, string])[];
  readonly data: unknown;
}

export interface RecordedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly floats: number;
  readonly histograms: number;
  /** Where there are floats. */
  readonly first?: string;
  readonly last?: string;
  readonly sha256: string;
}

export interface RecordedDirectory {
  readonly queries: readonly RecordedQuery[];
  readonly series: readonly RecordedSeries[];
  /** Times of the first and the last sample. */
  readonly fromMs: number;
  readonly toMs: number;
}

export function readRecorded(folder: string): RecordedDirectory {
  const json = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const { from, to } = json('INFO.json') as { from: number; to: number };
  return { queries: json('expected-queries.json'), series: json('expected-series.json'), fromMs: from, toMs: to };
}

/** Runs an action on a copy of the directory that one may write to. */
export async function withCopy<T>(folder: string, action: (data: string) => Promise<T>): Promise<T> {
  const parent = mkdtempSync(join(tmpdir(), 'narthex-tsdb-'));
  const data = join(parent, 'data');
  try {
    cpSync(join(folder, 'data'), data, { recursive: true, mode: 0 });
    return await action(data);
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

/** What a server's API answers, in an order that does not depend on the server. */
export async function ask(url: string, path: string, params: readonly (readonly [string, string])[]): Promise<unknown> {
  const query = new URLSearchParams(params.map(([name, value]): [string, string] => [name, value]));
  const reply = (await (await fetch(`${url}${path}?${query}`)).json()) as {
    status: string;
    data: unknown;
    warnings?: string[];
  };
  if (reply.status !== 'success' || reply.warnings !== undefined) return reply;
  return ordered(reply.data);
}

/** Lists in order: of series, of label names, of values. Samples within a series stay as they are. */
export function ordered(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(sorted).sort(byText);
  if (typeof data !== 'object' || data === null) return data;
  const { result, resultType, ...rest } = data as { result?: unknown; resultType?: string };
  const isList = resultType === 'vector' || resultType === 'matrix';
  return { ...rest, resultType, result: isList ? (result as unknown[]).map(sorted).sort(byText) : result };
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(pairs.map(([key, inner]) => [key, key === 'metric' ? sorted(inner) : inner]));
}

function byText(a: unknown, b: unknown): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : Number(left > right);
}

/** All raw samples of a series as the recording describes them. */
export async function readSeries(
  url: string,
  metric: RecordedSeries['metric'],
  { fromMs, toMs }: RecordedDirectory,
): Promise<Omit<RecordedSeries, 'metric'>> {
  const matchers = Object.entries(metric).map(([name, value]) => `${JSON.stringify(name)}=${JSON.stringify(value)}`);
  const range = toMs - fromMs + 1;
  const absent = metric.__name__ === undefined ? ['__name__=""'] : [];
  const selector = `{${[...matchers.map(named), ...absent].join(',')}}[${range}ms]`;
  const data = (await ask(url, '/api/v1/query', [
    ['query', selector],
    ['time', String(toMs / 1000)],
  ])) as { result: { metric: object; values?: [number, string][]; histograms?: [number, Histogram][] }[] };
  const names = JSON.stringify(sorted(metric));
  // Others may have more labels.
  const found = data.result.filter((one) => JSON.stringify(one.metric) === names);
  const { values = [], histograms = [] } = found[0] ?? {};
  const floats = values.map(([time, value]) => `${Math.round(time * 1000)} ${value}`);
  const others = histograms.map(([time, { count, sum }]) => `${Math.round(time * 1000)} ${count} ${sum}`);
  const lines = [...floats, ...others];
  return {
    floats: floats.length,
    histograms: others.length,
    ...(floats.length > 0 && { first: floats[0]!, last: floats.at(-1)! }),
    sha256: createHash('sha256').update(lines.join('\n')).digest('hex'),
  };
}

interface Histogram {
  readonly count: string;
  readonly sum: string;
}

function named(matcher: string): string {
  return matcher.replace(/^"([a-zA-Z_][a-zA-Z0-9_]*)"=/, '$1=');
}
