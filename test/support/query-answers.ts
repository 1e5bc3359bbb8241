// Answers of query engines, and whether two of them are the same.

import type { Prng } from '../../src/base/prng.js';
import { pairsOf } from '../../src/model/labels.js';
import type { Columns } from '../../src/promql/exec/source.js';
import type { QueryEngine } from '../../src/query/engine.js';
import type { QueryAnswer } from '../../src/query/result.js';
import { DATA_END_MS, DATA_START_MS, QueryGenerator } from './query-generator.js';

/** Series by labels, each with its values by time in ms. */
export type Result = Map<string, Map<number, number>>;
export type Outcome =
  | { readonly result: Result; readonly annotations: string[] }
  | { readonly error: string; readonly type: string };

export interface Question {
  readonly text: string;
  readonly startMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
  readonly count: number;
}

export function randomQuestions(random: Prng, count: number): Question[] {
  const generator = new QueryGenerator(random);
  return Array.from({ length: count }, (): Question => {
    const text = generator.query();
    const startMs = DATA_START_MS + random.int(DATA_END_MS - DATA_START_MS + 600_000);
    if (random.int(2) === 0) return { text, startMs, stepMs: 0, count: 1 };
    return { text, startMs, stepMs: 1000 * (1 + random.int(300)), count: 1 + random.int(12) };
  });
}

export async function ask(engine: QueryEngine, { text, startMs, stepMs, count }: Question): Promise<Outcome> {
  try {
    const answer =
      stepMs === 0 ? await engine.instant(text, startMs) : await engine.range(text, { startMs, stepMs, count });
    return { result: resultOf(answer), annotations: [...answer.warnings, ...answer.infos].sort() };
  } catch (error) {
    const { message, type = 'bad_data' } = error as Error & { type?: string };
    return { error: message, type };
  }
}

function resultOf({ data }: QueryAnswer): Result {
  switch (data.kind) {
    case 'scalar':
      return new Map([['[]', new Map([[data.timeMs, data.value]])]]);
    case 'vector':
      return cells(data.columns, () => data.timeMs);
    case 'range':
      return cells(data.columns, (step) => data.steps.startMs + step * data.steps.stepMs);
    default:
      throw new Error(`a ${data.kind} was not asked for`);
  }
}

function cells({ labels, steps, present, values }: Columns, timeOf: (step: number) => number): Result {
  return new Map(
    labels.map((row, i) => {
      const points = new Map<number, number>();
      for (let step = 0; step < steps; step++) {
        if (present[i * steps + step] !== 0) points.set(timeOf(step), values[i * steps + step]!);
      }
      return [keyOf(pairsOf(row)), points];
    }),
  );
}

export function keyOf(pairs: Iterable<[string, string]>): string {
  return JSON.stringify([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What differs, if anything; annotations aside. */
export function compareResults(theirs: Result, ours: Result): string | undefined {
  for (const [key, points] of theirs) {
    const own = ours.get(key);
    if (own === undefined) return `theirs has ${key}, ours only ${[...ours.keys()].join(' ')}`;
    for (const [timeMs, value] of points) {
      const got = own.get(timeMs);
      if (got === undefined || !close(value, got)) return `${key} at ${timeMs}: theirs ${value}, ours ${got}`;
    }
    if (own.size !== points.size) return `${key}: ${points.size} points theirs, ${own.size} ours`;
  }
  return ours.size === theirs.size ? undefined : `ours has more: ${[...ours.keys()].join(' ')}`;
}

/** Without the names of duplicate series, which depend on the order of series. */
export function plainError(error: string): string {
  return error.replace(/: \[.*?\];/, ': […];').replace(/match group \{.*?\}/, 'match group {…}');
}

/** Sums of sums: the order of series is free, and with it the last digits. */
function close(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  // Variances of values that are nearly equal are all rounding.
  return Math.abs(a - b) <= Math.max(1e-15, 1e-9 * Math.max(Math.abs(a), Math.abs(b)));
}
