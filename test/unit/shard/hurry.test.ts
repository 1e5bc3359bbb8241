// Who waits for a shard that is busy is heard in the middle of its task.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShardClient, type ShardPort } from '../../../src/shard/client.js';
import type { Task, TaskReply } from '../../../src/shard/protocol.js';
import { Hurry } from '../../../src/wasm/round.js';
import { HeadRig } from '../../support/head.js';

/** A port that keeps its tasks, and what it was told. */
class FakePort implements ShardPort {
  readonly told: boolean[] = [];
  readonly tasks: Task[] = [];
  readonly #replies: ((reply: TaskReply) => void)[] = [];

  run(task: Task): Promise<TaskReply> {
    this.tasks.push(task);
    return new Promise((resolve) => this.#replies.push(resolve));
  }

  hurry(isHurried: boolean): void {
    this.told.push(isHurried);
  }

  async close(): Promise<void> {}

  /** Ends the task under way. */
  async finish(): Promise<void> {
    const results = this.tasks.at(-1)!.jobs.map(() => ({ ok: {} }));
    this.#replies.shift()!({ results, trapped: undefined, wantsReaders: false, seriesVersion: 0, suspects: [] });
    await new Promise(setImmediate);
  }
}

test('a shard is told of jobs that wait, and of a task with others in it', async () => {
  const port = new FakePort();
  const client = new ShardClient(port);
  void client.call('nextMorsel', { query: 1 }, 'adhoc');
  assert.deepEqual(port.told.splice(0), [false], 'alone');
  void client.call('nextMorsel', { query: 2 }, 'adhoc');
  assert.deepEqual(port.told.splice(0), [true], 'a second query waits');
  void client.callSoon('closeSnapshot', { snapshot: 1 }, 'ingest');
  assert.deepEqual(port.told.splice(0), [], 'a job with patience does not hurry anybody');
  await port.finish();
  assert.equal(port.tasks.at(-1)!.jobs.length, 2);
  assert.deepEqual(port.told.splice(0), [true], 'the query is not alone in its task');
  await port.finish();
  void client.call('nextMorsel', { query: 3 }, 'adhoc');
  assert.deepEqual(port.told.splice(0), [false], 'alone again');
  await port.finish();
  await client.close();
});

test('steps of storage take turns with rules and queries, and come alone', async () => {
  const port = new FakePort();
  const client = new ShardClient(port);
  const step = () => void client.call('truncate', { minTimeMs: 0 }, 'rules');
  void client.call('nextMorsel', { query: 0 }, 'adhoc');
  for (let i = 0; i < 4; i++) step();
  for (const query of [1, 2]) void client.call('nextMorsel', { query }, 'adhoc');
  for (let i = 0; i < 3; i++) void client.call('closeQuery', { query: 9 }, 'rules');
  await new Promise(setImmediate);
  for (let i = 0; i < 8; i++) await port.finish();
  const rules = 'closeQuery closeQuery closeQuery';
  assert.deepEqual(
    port.tasks.map(({ jobs }) => jobs.map(({ op }) => op).join(' ')),
    ['nextMorsel', 'truncate', rules, 'truncate', 'nextMorsel', 'truncate', 'nextMorsel', 'truncate'],
  );
  await client.close();
});

test('a morsel is short where others wait, and long where nobody does', () => {
  const rig = new HeadRig();
  const count = 400;
  for (let i = 0; i < count; i++) {
    const series = rig.create(['__name__', 'm', 'i', `${i}`]);
    for (let n = 1; n <= 10; n++) rig.sample(series, n * 1000, 1n);
  }
  const hurry = new Hurry({ memory: rig.core.memory, round: rig.queries.round });
  const morsels = (fn = 'count_over_time'): number => {
    const list = rig.select.anyOf([]);
    const window = { startMs: 1000, stepMs: 1000, steps: 10, windowMs: 5000 };
    const query = rig.queries.open(list, rig.queries.view(0), fn, window, false);
    let times = 1;
    while (!query.next({ samples: 100, series: 50_000 })) times++;
    query.close();
    rig.select.release(list);
    return times;
  };
  hurry.set(true);
  assert.equal(morsels(), 40, 'ten series of ten samples each');
  assert.ok(morsels('stddev_over_time') >= 100, 'fewer where windows are gone over again and again');
  hurry.set(false);
  const patient = morsels();
  assert.ok(patient > 1 && patient < 10, `${patient} morsels`);
});

test('newest samples of many series are looked at in parts where others wait', () => {
  const rig = new HeadRig();
  const count = 20_000;
  for (let i = 0; i < count; i++) rig.sample(rig.create(['__name__', 'm', 'i', `${i}`]), 1000, 1n);
  const hurry = new Hurry({ memory: rig.core.memory, round: rig.queries.round });
  const parts = (): number[] => {
    const list = rig.select.anyOf([]);
    const window = { startMs: 1000, stepMs: 1, steps: 1, windowMs: 5000 };
    const query = rig.queries.open(list, rig.queries.view(0), 'last', window, false);
    const rows: number[] = [];
    for (let done = false; !done; ) {
      done = query.next();
      rows.push(query.rows().count);
    }
    query.close();
    rig.select.release(list);
    return rows;
  };
  hurry.set(true);
  assert.deepEqual(parts(), [8192, 8192, 3616]);
  hurry.set(false);
  assert.deepEqual(parts(), [count]);
});
