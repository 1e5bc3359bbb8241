import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import type { Source } from '../../../src/promql/exec/source.js';
import { QueryMemory } from '../../../src/query/budget.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { type EvaluatorPort, Evaluators, LONG_COST } from '../../../src/query/evaluator/pool.js';
import type { EvaluatorReply, EvaluatorTask } from '../../../src/query/evaluator/protocol.js';
import type { Priority } from '../../../src/query/gate.js';
import { resultJson } from '../../../src/query/render.js';
import type { QueryData } from '../../../src/query/result.js';
import { ShardSource } from '../../../src/shard/source.js';
import { FakeClock } from '../../support/clock.js';
import { eagerEvaluators } from '../../support/evaluators.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { bitsOf } from '../../support/promqltest/series.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';

const HEAP = { bytes: 2 ** 26, name: '--query.max-memory, 64MiB' };

/** Evaluators that do nothing but tell which task they got; `finish` ends the oldest under way. */
class FakeThreads {
  readonly started: string[] = [];
  readonly closed: number[] = [];
  #count = 0;
  readonly #underWay: ((reply: EvaluatorReply) => void)[] = [];

  readonly start = (): EvaluatorPort => {
    const number = this.#count++;
    return {
      run: (task) => {
        this.started.push(nameOf(task));
        return new Promise((resolve, reject) => {
          this.#underWay.push(resolve);
          this.#rejects.set(number, reject);
        });
      },
      close: async () => {
        this.closed.push(number);
        this.#rejects.get(number)?.(new Error('the thread is gone'));
      },
    };
  };
  readonly #rejects = new Map<number, (error: Error) => void>();

  async finish(): Promise<void> {
    this.#underWay.shift()!({ kind: 'text', text: new ArrayBuffer(0) });
    await settled();
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const nameOf = (task: EvaluatorTask) => (task as unknown as { name: string }).name;
const taskOf = (name: string) => ({ name }) as unknown as EvaluatorTask;

function order(cost: number, priority: Priority = 'ad-hoc', signal = new AbortController().signal) {
  return { priority, cost, signal };
}

const LONG = 2 * LONG_COST;

test('evaluators: long tasks never take the last thread, and short ones pass them', async () => {
  const threads = new FakeThreads();
  const pool = new Evaluators({ workers: 1, heap: HEAP, start: threads.start }, realClock);
  for (const name of ['long 1', 'long 2']) pool.run(taskOf(name), [], order(LONG));
  assert.deepEqual(threads.started, ['long 1']);
  pool.run(taskOf('short 1'), [], order(10));
  pool.run(taskOf('short 2'), [], order(10));
  assert.deepEqual(threads.started, ['long 1', 'short 1']);
  assert.equal(pool.threads, 2);
  // The first that ends is long 1: the next short one is due before the next long one.
  await threads.finish();
  assert.deepEqual(threads.started.slice(2), ['short 2']);
  await threads.finish();
  assert.deepEqual(threads.started.slice(3), ['long 2']);
});

test('evaluators: rules go first, then what would be done first', async () => {
  const threads = new FakeThreads();
  const pool = new Evaluators({ workers: 1, heap: HEAP, start: threads.start }, realClock);
  pool.run(taskOf('first'), [], order(LONG));
  pool.run(taskOf('huge'), [], order(1000 * LONG));
  pool.run(taskOf('large'), [], order(2 * LONG));
  pool.run(taskOf('rule'), [], order(1000 * LONG, 'rules'));
  for (let i = 0; i < 3; i++) await threads.finish();
  assert.deepEqual(threads.started, ['first', 'rule', 'large', 'huge']);
});

test('evaluators: what people ask leaves a thread to rules', async () => {
  const threads = new FakeThreads();
  const pool = new Evaluators({ workers: 1, heap: HEAP, start: threads.start }, realClock);
  for (const name of ['long', 'long 2']) pool.run(taskOf(name), [], order(LONG));
  for (const name of ['short', 'short 2']) pool.run(taskOf(name), [], order(10));
  assert.deepEqual(threads.started, ['long', 'short']);
  for (const name of ['rule', 'rule 2']) pool.run(taskOf(name), [], order(LONG, 'rules'));
  assert.deepEqual(threads.started, ['long', 'short', 'rule']);
  await threads.finish();
  assert.deepEqual(threads.started.slice(3), ['rule 2']);
  await threads.finish();
  assert.deepEqual(threads.started.slice(4), ['short 2'], 'one long, one rule');
  assert.equal(pool.threads, 3);
});

test('evaluators: what is cancelled while it waits never starts', async () => {
  const threads = new FakeThreads();
  const pool = new Evaluators({ workers: 1, heap: HEAP, start: threads.start }, realClock);
  pool.run(taskOf('first'), [], order(LONG));
  const abort = new AbortController();
  const waiting = pool.run(taskOf('second'), [], order(LONG, 'ad-hoc', abort.signal));
  abort.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  await threads.finish();
  assert.deepEqual(threads.started, ['first']);
});

test('evaluators: a thread that does not stop is ended, and the next task gets another', async () => {
  const threads = new FakeThreads();
  let expire = () => {};
  const clock = {
    ...realClock,
    after: (_ms: number, action: () => void) => {
      expire = action;
      return { cancel: () => {} };
    },
  };
  const pool = new Evaluators({ workers: 1, heap: HEAP, start: threads.start }, clock);
  const abort = new AbortController();
  let stops = 0;
  const stuck = pool.run(taskOf('stuck'), [], {
    ...order(LONG, 'ad-hoc', abort.signal),
    stop: () => void stops++,
  });
  abort.abort(new Error('enough'));
  assert.deepEqual([stops, threads.closed], [1, []]);
  expire();
  await assert.rejects(stuck, /enough/);
  assert.deepEqual(threads.closed, [0]);
  pool.run(taskOf('next'), [], order(LONG));
  assert.deepEqual(threads.started, ['stuck', 'next']);
});

test('memory: a query has its own bound, and all have one together', () => {
  const memory = new QueryMemory({ bytes: 3 * 2 ** 20, name: 'all' }, { bytes: 2 * 2 ** 20, name: 'one' });
  const [first, second] = [memory.open(), memory.open()];
  first.reserve(2 ** 20);
  assert.throws(() => first.reserve(2 ** 20 + 1), {
    type: 'execution',
    message: 'query would take more memory than one query may: one',
  });
  first.reserve(2 ** 20);
  second.reserve(2 ** 19);
  assert.throws(() => second.reserve(2 ** 20), {
    type: 'unavailable',
    message: 'queries take all the memory that they may together: all',
  });
  assert.equal(memory.usedBytes, 2.5 * 2 ** 20);
  first.release();
  second.reserve(2 ** 20);
  second.release();
  assert.equal(memory.usedBytes, 0);
});

test('memory: what comes when a query has given all back is not taken', () => {
  const memory = new QueryMemory({ bytes: 2 ** 20, name: 'all' }, { bytes: 2 ** 20, name: 'one' });
  const share = memory.open();
  share.reserve(1024);
  share.release();
  assert.throws(() => share.reserve(1024), { type: 'canceled', message: 'query has ended' });
  assert.equal(memory.usedBytes, 0);
});

// --- Real evaluations ---

const STEPS = { startMs: 0, stepMs: 15_000, count: 40 };

async function given(series: number, shardCount = 2): Promise<{ open: () => Source; close: () => Promise<void> }> {
  const { shards, ingest } = await testShards(shardCount, 64 * 2 ** 20);
  const samples = (i: number) =>
    Array.from({ length: STEPS.count }, (_, step): [number, bigint] => [step * STEPS.stepMs, bitsOf(i + step / 7)]);
  const batch = Array.from({ length: series }, (_, i) => ({
    labels: ['__name__', 'm', 'i', `${i}`, 'job', `${i % 7}`],
    samples: packSamples(samples(i)),
  }));
  await ingest.append(batch, 0, anyOwner(shardCount));
  return { open: () => new ShardSource(shards, 'adhoc'), close: () => shards.close() };
}

const OPTIONS = { ...SCRIPT_OPTIONS, samplesMax: 10_000_000, concurrency: 4 };

async function textOf(data: QueryData): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of resultJson(data)) {
    pieces.push(typeof piece === 'string' ? piece : Buffer.from(piece).toString());
  }
  return pieces.join('');
}

test('evaluators: rows as text, in blocks, are those of main', async () => {
  const store = await given(4000);
  const engines = [undefined, eagerEvaluators()].map(
    (evaluators) => new QueryEngine(store.open, realClock, OPTIONS, undefined, evaluators),
  );
  for (const query of ['m * 2', 'sum by (job) (m)', 'm > 1e9', 'time()', 'sort_desc(m)', 'm - on (i) m']) {
    for (const limit of [0, 1, 3500]) {
      const [own, other] = await Promise.all(
        engines.map(async (engine) => {
          const { data } = await engine.range(query, STEPS, { rendered: true });
          return textOf(data.kind === 'rendered' ? { ...data, limit } : limitRows(data, limit));
        }),
      );
      assert.ok(own === other, `${query}, ${limit}: ${own!.slice(0, 300)} and ${other!.slice(0, 300)}`);
    }
  }
  const [own, other] = await Promise.all(engines.map((engine) => engine.instant('m[1m]', 60_000, { rendered: true })));
  assert.equal(await textOf(own!.data), await textOf(other!.data));
  await store.close();
});

function limitRows(data: QueryData, limit: number): QueryData {
  if (data.kind !== 'range' || limit === 0) return data;
  return { ...data, columns: { ...data.columns, labels: data.columns.labels.slice(0, limit) } };
}

test('evaluators: memory is given back when the rows are taken, or when nobody wants them', async () => {
  const store = await given(4000);
  const engine = new QueryEngine(store.open, realClock, OPTIONS, undefined, eagerEvaluators());
  const client = new AbortController();
  const taken = await engine.range('m * 2', STEPS, { rendered: true });
  const left = await engine.range('m * 2', STEPS, { rendered: true, signal: client.signal });
  assert.equal(engine.active().length, 2);
  assert.ok(engine.memoryBytes > 2 ** 20);
  await textOf(taken.data);
  client.abort();
  await assert.rejects(textOf(left.data), { type: 'canceled', message: 'query was canceled in result streaming' });
  await settled();
  assert.deepEqual(engine.active(), []);
  assert.equal(engine.memoryBytes, 0);
  await store.close();
});

test("evaluators: what a shard declines is none of main's work because its first answer was small", async () => {
  // More cells than a shard sorts at once.
  const store = await given(14_000, 1);
  const options = { ...OPTIONS, wholeGroups: true };
  const evaluators = eagerEvaluators(2 ** 18);
  const [engine, own] = [evaluators, undefined].map(
    (used) => new QueryEngine(store.open, realClock, options, undefined, used),
  );
  const few = { ...STEPS, count: 2 };
  await engine!.range('quantile by (job) (0.9, m)', few, { rendered: true });
  assert.equal(evaluators.threads, 0, 'the shard does it');
  for (const query of ['quantile by (job) (0.9, m)', '1 + quantile by (job) (0.9, m)']) {
    const [there, here] = await Promise.all(
      [engine!, own!].map(async (asked) => textOf((await asked.range(query, STEPS, { rendered: true })).data)),
    );
    assert.equal(there, here);
    assert.equal(evaluators.threads, 1);
  }
  await store.close();
});

test('evaluators: an answer that leaves in pieces has a deadline of its own', async () => {
  const store = await given(4000);
  const clock = new FakeClock();
  const engine = new QueryEngine(store.open, clock, OPTIONS, undefined, eagerEvaluators());
  const ask = () => engine.range('m * 2', STEPS, { rendered: true, timeoutMs: 500 });
  const [taken, left] = [await ask(), await ask()];
  clock.advance(29_000);
  assert.ok((await textOf(taken.data)).length > 2 ** 20);
  clock.advance(2000);
  await assert.rejects(textOf(left.data), { type: 'timeout', message: 'query timed out in result streaming' });
  assert.deepEqual(engine.active(), []);
  await store.close();
});

test('evaluators: info() asks for what depends on values', async () => {
  const { shards, ingest } = await testShards(2, 64 * 2 ** 20);
  const samples = packSamples([[0, bitsOf(1)]]);
  const batch = [
    { labels: ['__name__', 'm', 'instance', 'a', 'job', 'j'], samples },
    { labels: ['__name__', 'target_info', 'instance', 'a', 'job', 'j', 'version', '7'], samples },
  ];
  await ingest.append(batch, 0, anyOwner(2));
  const open = () => new ShardSource(shards, 'adhoc');
  const evaluators = new Evaluators({ workers: 1, heap: HEAP, hereCostMax: -1 }, realClock);
  const engine = new QueryEngine(open, realClock, OPTIONS, undefined, evaluators);
  const { data } = await engine.instant('info(m)', 0);
  assert.ok(data.kind === 'vector');
  assert.deepEqual(data.columns.labels, [['__name__', 'm', 'instance', 'a', 'job', 'j', 'version', '7']]);
  await evaluators.close();
  await shards.close();
});

test('evaluators: a query that fills its thread with labels fails alone', async () => {
  const store = await given(20_000);
  const heap = { bytes: 16 * 2 ** 20, name: 'the heap of tests' };
  const evaluators = new Evaluators({ workers: 1, heap, hereCostMax: 1000 }, realClock);
  const engine = new QueryEngine(store.open, realClock, OPTIONS, undefined, evaluators);
  const long = 'x'.repeat(4000);
  await assert.rejects(engine.instant(`label_replace(m, "i", "\${1}${long}", "i", "(.*)")`, 0), {
    type: 'execution',
    message: 'query took more memory for its labels than an evaluator has: the heap of tests',
  });
  const { data } = await engine.instant('topk(3, m)', 0);
  assert.ok(data.kind === 'vector');
  assert.equal(data.columns.labels.length, 3);
  await evaluators.close();
  await store.close();
});

test('evaluators: a query that is cancelled ends its work', async () => {
  const store = await given(5000);
  const evaluators = new Evaluators({ workers: 1, heap: HEAP, hereCostMax: 1000 }, realClock);
  const engine = new QueryEngine(store.open, realClock, OPTIONS, undefined, evaluators);
  const client = new AbortController();
  const asked = engine.range('sum(m * on () group_left () sum(m)) + count(m > on () group_left () max(m))', STEPS, {
    signal: client.signal,
  });
  setTimeout(() => client.abort(), 20);
  await assert.rejects(asked, { type: 'canceled', message: 'query was canceled in expression evaluation' });
  while (engine.memoryBytes > 0) await settled();
  assert.equal((await engine.instant('count(m)', 0)).data.kind, 'vector');
  await evaluators.close();
  await store.close();
});

test('topk below a subquery: its best cells would take more than 32 bits count, so all pass', async () => {
  const store = await given(1);
  const engine = new QueryEngine(store.open, realClock, OPTIONS);
  // 1,073,742 steps × 500 values × 8 bytes are 704 more than 2^32.
  const { data } = await engine.instant('max_over_time(topk(500, m)[1073742ms:1ms])', 600_000);
  assert.ok(data.kind === 'vector');
  assert.deepEqual([...data.columns.values], [39 / 7]);
  await store.close();
});
