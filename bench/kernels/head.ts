// The head below the shard: series, rows, select, federate, replay, truncation.
// Series look like a scrape's: many targets with the same metrics. `node dist/bench/kernels/head.js [filter]`.

import { pathToFileURL } from 'node:url';
import { Prng } from '../../src/base/prng.js';
import type { Labels } from '../../src/model/labels.js';
import type { Matcher } from '../../src/model/matcher.js';
import { encodeSamples } from '../../src/tsdb/wal/record.js';
import { Federation } from '../../src/wasm/federate.js';
import { NO_SERIES } from '../../src/wasm/head.js';
import { ROW_BYTES } from '../../src/wasm/rows.js';
import { ANY_TIME, HeadRig, packRows } from '../../test/support/head.js';
import { type Micro, printAll } from './micro.js';

const TARGETS = 500;
const START_MS = 1_700_000_000_000;
/** Rows of one batch, as a large scrape has them. */
const BATCH = 2000;

function labelsOfSeries(i: number): Labels {
  const metric = Math.floor(i / TARGETS);
  return [
    '__name__',
    `http_server_metric_${metric % 200}_total`,
    'code',
    `${200 + (metric % 7)}`,
    'handler',
    `/api/v1/path-${metric}`,
    'instance',
    `node-${i % TARGETS}.example.org:9100`,
    'job',
    `job-${i % 10}`,
  ];
}

const rigs = new Map<number, HeadRig>();

/** A head with `count` series, index i having the labels of i; each has one sample. Shared: benchmarks only add samples. */
function rigOf(count: number): HeadRig {
  let rig = rigs.get(count);
  if (rig !== undefined) return rig;
  rigs.clear();
  rig = new HeadRig();
  const { head, exposition } = rig;
  for (let from = 0; from < count; from += BATCH) {
    rig.withPart((part) => {
      for (let i = from; i < Math.min(count, from + BATCH); i++) {
        exposition.scratch.write(labelsOfSeries(i));
        if (head.resolve() !== NO_SERIES || head.create(part, i + 1) !== i)
          throw new Error('series are not as expected');
      }
    });
  }
  rigs.set(count, rig);
  return rig;
}

const lastTimes = new WeakMap<HeadRig, number>();

/** A later time at each call, 15 s apart. */
function nextTime(rig: HeadRig): number {
  const time = (lastTimes.get(rig) ?? START_MS) + 15_000;
  lastTimes.set(rig, time);
  return time;
}

/** Batches of rows for all series, in an order, in linear memory: only their times are written anew. */
function batches(rig: HeadRig, count: number, isPermuted: boolean): { run: () => number } {
  const random = new Prng(7);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  if (isPermuted) {
    for (let i = count - 1; i > 0; i--) {
      const j = random.int(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
  }
  const at = rig.core.exports.heap_alloc(count * ROW_BYTES) >>> 0;
  for (let from = 0; from < count; from += BATCH) {
    const rows = Array.from(order.subarray(from, from + BATCH), (series) => ({
      series,
      ref: series + 1,
      timeMs: 0n,
      bits: BigInt(random.int(1000)),
    }));
    rig.core.bytes.set(packRows(rows), at + from * ROW_BYTES);
  }
  const stamp = (timeMs: number) => {
    const { view } = rig.core;
    const time = BigInt(timeMs);
    for (let i = 0; i < count; i++) view.setBigInt64(at + i * ROW_BYTES + 8, time, true);
  };
  let append = 0;
  const run = () => {
    append++;
    const baseTimeMs = lastTimes.get(rig)!;
    for (let from = 0; from < count; from += BATCH) {
      const size = Math.min(BATCH, count - from);
      rig.head.beginAppend();
      rig.withPart((part) => {
        rig.head.rows(at + from * ROW_BYTES, size, { append, baseRef: from, baseTimeMs, ...ANY_TIME }, part);
      });
    }
    rig.head.commit(append);
    return count;
  };
  return { run: timed(run, () => stamp(nextTime(rig))) };
}

/** What one run needs before it is not part of it: the runner measures whole calls, so it is done ahead, in turns. */
function timed(run: () => number, prepare: () => void): () => number {
  prepare();
  return () => {
    const operations = run();
    prepare();
    return operations;
  };
}

function append(count: number, isPermuted: boolean): Micro {
  return {
    name: `append rows, ${count} series, ${isPermuted ? 'permuted' : 'in scrape order'} (with their times)`,
    unit: 'sample',
    prepare: () => batches(rigOf(count), count, isPermuted).run,
  };
}

/** The part of the above that is not the core's. */
function stampOnly(count: number): Micro {
  return {
    name: `  of that, times of ${count} rows written by JS`,
    unit: 'sample',
    prepare: () => {
      const view = new DataView(new ArrayBuffer(count * ROW_BYTES));
      return () => {
        for (let i = 0; i < count; i++) view.setBigInt64(i * ROW_BYTES + 8, 5n, true);
        return count;
      };
    },
  };
}

function create(): Micro {
  return {
    name: 'series create (with their labels from JS)',
    unit: 'series',
    prepare: () => () => {
      const rig = new HeadRig();
      rig.withPart((part) => {
        for (let i = 0; i < 20_000; i++) {
          rig.exposition.scratch.write(labelsOfSeries(i));
          rig.head.resolve();
          rig.head.create(part, i + 1);
        }
      });
      return 20_000;
    },
  };
}

function scratchOnly(): Micro {
  return {
    name: '  of that, labels from JS',
    unit: 'series',
    prepare: () => {
      const rig = new HeadRig();
      return () => {
        for (let i = 0; i < 20_000; i++) rig.exposition.scratch.write(labelsOfSeries(i));
        return 20_000;
      };
    },
  };
}

function resolve(count: number): Micro {
  return {
    name: `series resolve, of ${count}`,
    unit: 'series',
    prepare: () => {
      const rig = rigOf(count);
      let i = 0;
      return () => {
        i = (i + 7919) % count;
        rig.exposition.scratch.write(labelsOfSeries(i));
        for (let n = 0; n < 100; n++) rig.head.resolve();
        return 100;
      };
    },
  };
}

function select(name: string, matchers: readonly Matcher[]): Micro {
  return {
    name: `select of 1M: ${name}`,
    unit: 'select',
    prepare: () => {
      const rig = rigOf(1_000_000);
      return () => {
        rig.select.release(rig.select.series(matchers));
        return 1;
      };
    },
  };
}

function federate(count: number): Micro {
  return {
    name: `federate, ${count} series`,
    unit: 'series',
    prepare: () => {
      const rig = rigOf(count);
      if (!lastTimes.has(rig)) batches(rig, count, false).run();
      return () => {
        const list = rig.select.series([{ name: '__name__', op: '=~', value: '.+' }]);
        const window = { startMs: START_MS * 2, stepMs: 1, steps: 1, windowMs: START_MS * 2 };
        const query = rig.queries.open(list, rig.queries.view(0xffff), 'last', window, false);
        const federation = new Federation(rig.core, query, list, {
          ...{ format: 'text', utf8: true, externalLabels: ['region', 'eu'] },
        });
        while (!federation.next(1 << 20).done);
        federation.close();
        query.close();
        rig.select.release(list);
        return count;
      };
    },
  };
}

function replay(): Micro {
  return {
    name: 'replay of samples, 100000 series',
    unit: 'sample',
    prepare: () => {
      const count = 100_000;
      const rig = new HeadRig();
      rig.head.beginReplay(0, 1);
      const series = new Uint8Array(1 << 16);
      rig.exposition.load(series);
      for (let i = 0; i < count; i++) {
        const text = [...labelsOfSeries(i)].map((one) => String.fromCharCode(one.length) + one).join('');
        const record = Buffer.concat([
          Buffer.from([1, 0, 0, 0, 0]),
          Buffer.alloc(4),
          Buffer.from([5]),
          Buffer.from(text, 'latin1'),
        ]);
        record.writeUInt32BE(i + 1, 5);
        if (rig.replay(record, 'series') !== undefined) throw new Error('the record is not one');
      }
      let time = START_MS;
      return () => {
        time += 15_000;
        for (let from = 0; from < count; from += 10_000) {
          const samples = Array.from({ length: 10_000 }, (_, i) => ({
            ref: from + i + 1,
            timeMs: time,
            bits: BigInt(i % 10) << 50n,
          }));
          rig.replay(encodeSamples(samples), 'samples');
        }
        return count;
      };
    },
  };
}

function scan(): Micro {
  return {
    name: 'truncate: scan of 1M, nothing to drop',
    unit: 'series',
    prepare: () => {
      const rig = rigOf(1_000_000);
      if (!lastTimes.has(rig)) batches(rig, 1_000_000, false).run();
      return () => {
        for (let from = 0; from < 1_000_000; from += 20_000) rig.head.scan(0, from, 20_000);
        return 1_000_000;
      };
    },
  };
}

export const headMicros: readonly Micro[] = [
  create(),
  scratchOnly(),
  append(2000, false),
  append(100_000, false),
  append(100_000, true),
  resolve(100_000),
  federate(100_000),
  replay(),
  append(1_000_000, false),
  append(1_000_000, true),
  stampOnly(1_000_000),
  resolve(1_000_000),
  select('two large matchers', [
    { name: 'job', op: '=', value: 'job-3' },
    { name: '__name__', op: '=~', value: '.*_1.*' },
  ]),
  select('a small one and a large one', [
    { name: '__name__', op: '=', value: 'http_server_metric_7_total' },
    { name: 'instance', op: '=', value: 'node-7.example.org:9100' },
    { name: 'job', op: '=', value: 'job-7' },
  ]),
  select('a set and a pattern', [
    { name: 'instance', op: '=~', value: 'node-(1|2|3|4)\\.example\\.org:9100' },
    { name: 'code', op: '=~', value: '20[0-3]' },
  ]),
  select('all of a job but one code', [
    { name: 'job', op: '=', value: 'job-3' },
    { name: 'code', op: '!=', value: '200' },
  ]),
  scan(),
];

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  printAll(headMicros);
}
