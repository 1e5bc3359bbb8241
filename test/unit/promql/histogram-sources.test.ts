// Random queries over native histograms: shards answer as the model in memory does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { Prng } from '../../../src/base/prng.js';
import type { FloatHistogram } from '../../../src/model/histogram.js';
import { keyOf } from '../../../src/model/labels.js';
import { QueryEngine } from '../../../src/query/engine.js';
import type { QueryAnswer } from '../../../src/query/result.js';
import { generateHistograms, HISTOGRAMS_END_MS, HistogramQueries } from '../../support/histogram-generator.js';
import { memoryStore, SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { shardStores } from '../../support/promqltest/shard-store.js';

const QUERIES = 200;

interface Answer {
  readonly error: string;
  readonly annotations: string;
  /** Series and step to what stands there. */
  readonly cells: ReadonlyMap<string, readonly number[]>;
}

for (const [count, delayedNames] of [
  [1, true],
  [2, false],
  [5, true],
] as const) {
  test(`histograms: ${count} shards answer random queries as memory does`, async () => {
    const seed = Number(process.env.SEED ?? 21) + count;
    const random = new Prng(seed);
    const series = generateHistograms(random);
    const stores = await Promise.all([memoryStore(), shardStores(count)()]);
    for (const store of stores) {
      for (const { labels, samples } of series) {
        for (const { timeMs, value, startMs } of samples) store.append(labels, timeMs, value, startMs);
      }
      await store.commit?.();
    }
    const options = { ...SCRIPT_OPTIONS, samplesMax: 50_000_000, delayedNames };
    const engines = stores.map((store) => new QueryEngine(() => store.open(), realClock, options));
    const queries = new HistogramQueries(random);
    let withHistograms = 0;
    for (let round = 0; round < QUERIES; round++) {
      const text = queries.query();
      const steps = {
        startMs: random.int(HISTOGRAMS_END_MS),
        stepMs: 1000 * (1 + random.int(120)),
        count: random.int(12),
      };
      const [memory, shards] = await Promise.all(engines.map((engine) => ask(engine, text, steps)));
      const difference = compare(memory!, shards!);
      assert.equal(difference, undefined, `${text} at ${JSON.stringify(steps)}, seed ${seed}: ${difference}`);
      if ([...memory!.cells.values()].some((cell) => cell.length > 1)) withHistograms++;
    }
    for (const store of stores) await store.close?.();
    assert.ok(withHistograms > QUERIES / 20, `${withHistograms}`);
  });
}

async function ask(
  engine: QueryEngine,
  text: string,
  steps: { startMs: number; stepMs: number; count: number },
): Promise<Answer> {
  try {
    const answer = steps.count === 0 ? await engine.instant(text, steps.startMs) : await engine.range(text, steps);
    return { error: '', annotations: [...answer.warnings, ...answer.infos].sort().join('\n'), cells: cellsOf(answer) };
  } catch (error) {
    // The two series that an error names depend on their order.
    return {
      error: (error as Error).message.replace(/: \[.*/, '').replace(/\{.*\}/, ''),
      annotations: '',
      cells: new Map(),
    };
  }
}

function cellsOf({ data }: QueryAnswer): Answer['cells'] {
  assert.ok(data.kind === 'vector' || data.kind === 'range', data.kind);
  const { labels, steps, present, values, histograms } = data.columns;
  const cells = new Map<string, readonly number[]>();
  present.forEach((mark, cell) => {
    if (mark === 0) return;
    const key = `${keyOf(labels[Math.floor(cell / steps)]!)} ${cell % steps}`;
    cells.set(key, mark === 1 ? [values[cell]!] : numbersOf(histograms!.get(cell)!));
  });
  return cells;
}

function numbersOf(histogram: FloatHistogram): number[] {
  const { schema, count, sum, zeroThreshold, zeroCount, bounds, positive, negative, hint } = histogram;
  const buckets = [positive, negative].flatMap(({ indices, counts }) => [indices.length, ...indices, ...counts]);
  const hints = ['unknown', 'reset', 'not_reset', 'gauge'];
  return [schema, hints.indexOf(hint), count, sum, zeroThreshold, zeroCount, ...bounds, ...buckets];
}

function compare(want: Answer, got: Answer): string | undefined {
  if (want.error !== got.error) return `memory says ${want.error || 'nothing'}, shards ${got.error || 'nothing'}`;
  if (want.annotations !== got.annotations)
    return `remarks of memory\n${want.annotations}\nof shards\n${got.annotations}`;
  for (const [key, cell] of want.cells) {
    const other = got.cells.get(key);
    if (other?.length !== cell.length || !cell.every((number, i) => close(number, other[i]!))) {
      return `${key}: memory has ${cell}, shards ${other}`;
    }
  }
  return got.cells.size === want.cells.size ? undefined : 'shards have more';
}

/** Shards add in another order. */
function close(a: number, b: number): boolean {
  return Object.is(a, b) || a === b || Math.abs(a - b) <= Math.max(1e-12, 1e-9 * Math.max(Math.abs(a), Math.abs(b)));
}
