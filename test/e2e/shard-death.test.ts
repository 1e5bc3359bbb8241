// A shard dies under load, by a trap in its core or with its thread: it is made again from the log, the
// others go on, and nothing that was acknowledged is lost.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { realClock } from '../../src/base/clock.js';
import { realDisk } from '../../src/base/disk.js';
import { labelsOf, valueOf } from '../../src/model/labels.js';
import { DEFAULT_PARSE_OPTIONS } from '../../src/promql/syntax/parse.js';
import { QueryEngine } from '../../src/query/engine.js';
import { ShardAppender } from '../../src/scrape/shard-appender.js';
import { Storage } from '../../src/server/storage/storage.js';
import { ShardUnavailable } from '../../src/shard/client.js';
import { ShardSource } from '../../src/shard/source.js';
import { createLogger } from '../../src/telemetry/log.js';
import { emptyFolder } from '../support/folders.js';
import { eventually, sleep } from '../support/servers.js';
import { freeContext, openTarget, scrapeText, writeThrough } from '../support/shards.js';

const SHARDS = 3;
const SERIES = 90;
/** Long enough for any honest task on a busy machine. */
const STALL_MS = 5000;
const quiet = createLogger({ level: 'error', format: 'logfmt', write: () => {} });

// Neither threads nor timers of the storage keep a process alive.
const alive = setInterval(() => {}, 1000);

after(() => {
  clearInterval(alive);
});

async function openStorage(path: string, shards = SHARDS, onHopeless = (_: Error) => {}): Promise<Storage> {
  const storage = await Storage.open(realDisk, realClock, quiet, {
    path,
    shards,
    memoryBytes: 256 * 2 ** 20,
    sync: { mode: 'group' },
    blockMs: 2 * 3_600_000,
    onHopeless,
    faults: true,
    stallMs: STALL_MS,
  });
  await storage.replay();
  return storage;
}

/** Ends a shard; the call itself fails. */
async function kill(storage: Storage, shard: number, how: 'trap' | 'exit' | 'hang'): Promise<void> {
  await assert.rejects(storage.shards.shard(shard).client.call('fault', { how }, 'ingest'));
}

/** Writes numbered batches of SERIES series through one shard until told to stop; gives those acknowledged. */
class Writer {
  readonly #storage: Storage;
  readonly #shard: number;
  readonly acknowledged: number[] = [];
  refused = 0;
  stopped = false;
  #value = 0;

  constructor(storage: Storage, shard: number) {
    this.#storage = storage;
    this.#shard = shard;
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.#write(++this.#value);
        this.acknowledged.push(this.#value);
      } catch (error) {
        assert.ok(error instanceof ShardUnavailable, `${error}`);
        this.refused++;
        await sleep(5);
      }
    }
  }

  async #write(value: number): Promise<void> {
    const timeMs = START_MS + value;
    const series = Array.from({ length: SERIES }, (_, n) => ({
      labels: ['__name__', 'w', 'life', `${Math.floor(value / 50)}`, 'n', `${n}`, 'shard', `${this.#shard}`],
      samples: [[timeMs, value]] as const,
    }));
    const { error, outcome } = await writeThrough(this.#storage, this.#shard, series, timeMs);
    assert.equal(error, undefined);
    assert.equal(outcome.accepted + outcome.repeated, SERIES);
  }
}

const START_MS = Date.now() - 600_000;

/** Every acknowledged batch is there, in all its series. */
async function check(storage: Storage, writers: readonly Writer[]): Promise<void> {
  const source = new ShardSource(storage.shards, 'adhoc');
  for (const [shard, { acknowledged }] of writers.entries()) {
    const matchers = [
      { name: '__name__', op: '=' as const, value: 'w' },
      { name: 'shard', op: '=' as const, value: `${shard}` },
    ];
    const found = await source.samples(matchers, 3_600_000, START_MS + 600_000, freeContext());
    const seen = new Map<number, number>();
    for (const { times, values, labels } of found) {
      values.forEach((value, i) => {
        assert.equal(times[i], START_MS + value, `${labels}`);
        assert.equal(valueOf(labels, 'life'), `${Math.floor(value / 50)}`);
        seen.set(value, (seen.get(value) ?? 0) + 1);
      });
    }
    for (const value of acknowledged) assert.equal(seen.get(value), SERIES, `batch ${value} of writer ${shard}`);
    for (const [value, count] of seen) assert.ok(count <= SERIES, `batch ${value} of writer ${shard}: ${count}`);
  }
  source.close();
}

for (const [how, shards] of [
  ['trap', 1],
  ['trap', 3],
  ['exit', 3],
  ['hang', 2],
] as const) {
  test(`one of ${shards} shards ends by ${how} under load, and comes back with all that was acknowledged`, async () => {
    const path = emptyFolder();
    const storage = await openStorage(path, shards);
    const writers = Array.from({ length: shards }, (_, shard) => new Writer(storage, shard));
    const runs = Promise.all(writers.map((writer) => writer.run()));
    await sleep(300);
    await kill(storage, 1 % shards, how);
    await assert.rejects(storage.shards.shard(1 % shards).client.call('counters', {}, 'rules'), ShardUnavailable);
    await eventually(async () => assert.equal(storage.rebuilt, 1));
    const before = writers.map(({ acknowledged }) => acknowledged.length);
    await eventually(async () => {
      for (const [i, { acknowledged }] of writers.entries()) assert.ok(acknowledged.length > before[i]! + 20);
    });
    await kill(storage, 2 % shards, how);
    await eventually(async () => assert.equal(storage.rebuilt, 2));
    await sleep(200);
    for (const writer of writers) writer.stopped = true;
    await runs;
    await check(storage, writers);
    await storage.close();
    const again = await openStorage(path, shards);
    await check(again, writers);
    await again.close();
  });
}

test('targets of a shard that died go on', async () => {
  const storage = await openStorage(emptyFolder());
  const appender = new ShardAppender(storage.shards, storage.ingest, () => {});
  storage.onShardBack = (shard) => appender.reopen(shard);
  const handles = Array.from({ length: 2 * SHARDS }, (_, i) =>
    openTarget(appender, i, labelsOf([['instance', `i${i}`]])),
  );
  const scrape = async (n: number): Promise<number> => {
    let failed = 0;
    for (const handle of handles) {
      const text = Array.from({ length: 30 }, (_, i) => `m{i="${i}"} ${n}\n`).join('');
      try {
        const { error } = await scrapeText(appender, handle, text, START_MS + n * 1000);
        assert.equal(error, undefined);
      } catch (error) {
        assert.ok(error instanceof ShardUnavailable, `${error}`);
        failed++;
      }
    }
    return failed;
  };
  assert.equal(await scrape(1), 0);
  await kill(storage, 0, 'trap');
  assert.ok((await scrape(2)) > 0);
  await eventually(async () => assert.equal(storage.rebuilt, 1));
  assert.equal(await scrape(3), 0);
  assert.equal(await scrape(4), 0);
  const source = new ShardSource(storage.shards, 'adhoc');
  const matchers = [{ name: '__name__', op: '=' as const, value: 'm' }];
  const found = await source.samples(matchers, 3_600_000, START_MS + 60_000, freeContext());
  source.close();
  assert.equal(found.length, handles.length * 30);
  for (const { values, labels } of found) {
    assert.deepEqual(
      [...values].filter((value) => value !== 2),
      [1, 3, 4],
      `${labels}`,
    );
  }
  await storage.close();
});

test('a query that needs a shard that is being made again fails as unavailable', async () => {
  const storage = await openStorage(emptyFolder());
  const engine = new QueryEngine(() => new ShardSource(storage.shards, 'adhoc'), realClock, {
    timeoutMs: 10_000,
    samplesMax: 1e6,
    concurrency: 2,
    lookbackMs: 300_000,
    subqueryStepMs: 15_000,
    delayedNames: false,
    parse: DEFAULT_PARSE_OPTIONS,
  });
  await engine.instant('sum(w)', START_MS);
  await kill(storage, 1, 'trap');
  await assert.rejects(engine.instant('sum(w)', START_MS), { name: 'ShardUnavailable', type: 'unavailable' });
  await eventually(async () => assert.equal(storage.rebuilt, 1));
  await engine.instant('sum(w)', START_MS);
  await storage.close();
});

test('what was open in a shard that died is not open in the one that took its place', async () => {
  const storage = await openStorage(emptyFolder());
  const { client } = storage.shards.shard(0);
  const request = {
    ...{ selectors: [], fromMs: 0, toMs: START_MS, watermark: 0 },
    ...{ externalLabels: [], utf8: true, format: 'text' as const },
  };
  const { query } = await client.call('openFederate', request, 'rules');
  await kill(storage, 0, 'trap');
  await eventually(async () => assert.equal(storage.rebuilt, 1));
  const again = await client.call('openFederate', request, 'rules');
  assert.notEqual(again.query, query);
  await assert.rejects(client.call('nextFederate', { query, bytes: 1000, part: 'floats' }, 'rules'), /is not open/);
  await client.call('nextFederate', { query: again.query, bytes: 1000, part: 'floats' }, 'rules');
  await storage.close();
});

test('shards that die again and again end the server', async () => {
  let given: Error | undefined;
  const storage = await openStorage(emptyFolder(), SHARDS, (reason) => {
    given = reason;
  });
  for (const [deaths, shard] of [0, 1, 0].entries()) {
    assert.equal(given, undefined);
    await eventually(async () => assert.equal(storage.rebuilt, deaths));
    await kill(storage, shard, 'trap');
  }
  assert.match(
    String(given),
    /shards died 3 times in 5 minutes, last: the core trapped: fault: memory access out of bounds/,
  );
  await storage.close();
});
