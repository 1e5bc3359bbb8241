// The head at its memory limit: whatever allocation fails, nothing traps, and what was accepted stays right.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { compareStrings, type Labels, valueOf } from '../../../src/model/labels.js';
import { encodeSeries } from '../../../src/tsdb/wal/record.js';
import { Federation } from '../../../src/wasm/federate.js';
import { NO_SERIES } from '../../../src/wasm/head.js';
import { ANY_TIME, HeadRig } from '../../support/head.js';

/** The core's own error and the ones of façades share the name. */
function unlessRefused<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if ((error as Error).name === 'OutOfMemory' || /no memory/i.test((error as Error).message)) return undefined;
    throw error;
  }
}

function labelsFor(random: Prng, i: number): Labels {
  const labels = ['__name__', `metric_${random.int(20)}`, 'id', `id-${i}-${'x'.repeat(random.int(100))}`];
  if (random.float() < 0.5) labels.push('job', `job-${random.int(5)}`);
  if (random.float() < 0.1) labels.push('zone', `zone-${i}`);
  if (random.float() < 0.02) labels.push(`zz_${i}`, 'rare');
  return labels;
}

/** A query of every kind; what they find is not looked at. */
function query(rig: HeadRig, watermark: number): void {
  const list = rig.select.anyOf([
    [
      { name: 'job', op: '=~', value: 'job-[123]' },
      { name: 'id', op: '!~', value: '.*xx' },
    ],
    [
      { name: '__name__', op: '=', value: 'metric_1' },
      { name: 'zone', op: '=', value: '' },
    ],
  ]);
  try {
    const window = { startMs: 1_000_000, stepMs: 1000, steps: 50, windowMs: 300_000 };
    const aggregate = { op: 'sum', grouping: 'by', labels: ['__name__', 'id'] } as const;
    for (const each of [undefined, aggregate]) {
      const open = rig.queries.open(list, rig.queries.view(watermark), 'last', window, true, each);
      try {
        while (!open.next({ samples: 100, series: 50 })) open.rows();
        if (each !== undefined) open.groups();
      } finally {
        open.close();
      }
    }
    federate(rig, watermark);
  } finally {
    rig.select.release(list);
  }
}

function federate(rig: HeadRig, watermark: number): void {
  const list = rig.select.anyOf([]);
  try {
    const window = { startMs: 2_000_000, stepMs: 1, steps: 1, windowMs: 1_500_000 };
    const instant = rig.queries.open(list, rig.queries.view(watermark), 'last', window, false);
    try {
      const federation = new Federation(rig.core, instant, list, {
        ...{ format: 'text', utf8: true, externalLabels: ['region', 'eu'] },
      });
      try {
        while (!federation.next(4096).done);
      } finally {
        federation.close();
      }
    } finally {
      instant.close();
    }
  } finally {
    rig.select.release(list);
  }
}

function checkAll(rig: HeadRig, alive: Map<number, Labels>, what: string): void {
  assert.equal(rig.head.seriesCount, alive.size, what);
  for (const [index, labels] of alive) assert.equal(rig.find(labels), index, what);
  for (const name of ['__name__', 'id', 'job', 'zone']) {
    const values = new Set([...alive.values()].map((labels) => valueOf(labels, name)));
    values.delete('');
    assert.deepEqual(rig.select.values(name), [...values].sort(compareStrings), `${what}: ${name}`);
  }
  for (const { name, series } of rig.select.names()) {
    const count = [...alive.values()].filter((labels) => valueOf(labels, name) !== '').length;
    assert.equal(series, count, `${what}: series with ${name}`);
  }
}

test('memory limit: every page refused once while series are made, sampled, queried and dropped', () => {
  for (let spare = 1; spare <= 40; spare++) {
    const random = new Prng(spare);
    const rig = new HeadRig();
    rig.head.beginReplay(0, 1);
    // Warm: the façades have their own buffers.
    rig.exposition.load(new Uint8Array(70_000));
    const limit = rig.core.exports.memory_used_pages() + spare;
    const alive = new Map<number, Labels>();
    let refused = 0;
    for (let i = 0; i < 800; i++) {
      const labels = labelsFor(random, i);
      const record = encodeSeries([{ ref: i + 1, labels }]);
      rig.core.exports.memory_limit(limit);
      const isMade = unlessRefused(() => rig.replay(record, 'series') ?? true);
      if (isMade === undefined) refused++;
      rig.core.exports.memory_limit(65_535);
      const index = rig.find(labels);
      if (index !== NO_SERIES) alive.set(index, labels);
      rig.core.exports.memory_limit(limit);
      if (index !== NO_SERIES) unlessRefused(() => rig.sample(index, 1_000_000 + i, BigInt(i), 1 + i));
      if (i % 200 === 199) unlessRefused(() => query(rig, 1 + i));
    }
    rig.core.exports.memory_limit(65_535);
    const what = `${spare} pages, ${refused} refused`;
    assert.equal(rig.head.seriesCount, alive.size, what);
    rig.head.endReplay();
    // Of all that was refused nothing is left once the head has been truncated; of the rest everything.
    rig.truncate(0);
    for (const [index, labels] of alive) if (rig.find(labels) === NO_SERIES) alive.delete(index);
    checkAll(rig, alive, what);
    for (let i = 0; i < 50; i++) {
      const labels = ['__name__', `after_${i}`, 'id', `new-${i}`];
      const index = rig.create(labels);
      alive.set(index, labels);
      rig.sample(index, 2_000_000, 7n, 2000);
    }
    query(rig, 2000);
    checkAll(rig, alive, what);
    rig.truncate(10_000_000);
    checkAll(rig, new Map(), what);
    assert.equal(rig.head.counters.pairs, 0, what);
  }
});

test('memory limit: rows whose series is gone are refused rather than lost count of', () => {
  const rig = new HeadRig();
  const rows = Array.from({ length: 100_000 }, (_, i) => ({ series: i, ref: 1, timeMs: 1n, bits: 1n }));
  // Room for the books of the batch, not for the list of what is unknown.
  const bounds = { append: 1, baseRef: 0, baseTimeMs: 0, ...ANY_TIME };
  rig.append(rows.slice(0, 10), bounds);
  rig.exposition.load(new Uint8Array(2_500_000));
  const needed = Math.ceil((100_000 * (28 + 16)) / 65536) + 3;
  rig.core.exports.memory_limit(rig.core.exports.memory_used_pages() + needed);
  assert.notEqual(rig.append(rows, bounds), undefined);
  const { unknown, noMemory } = rig.head.outcome();
  assert.equal(unknown + noMemory, 100_000);
  assert.ok(noMemory > 0);
  for (const row of rig.head.unknownRows(unknown)) assert.ok(row < 100_000);
});

test('memory: making and dropping everything again and again takes no more of it', () => {
  const rig = new HeadRig();
  let append = 0;
  let pages = 0;
  for (let round = 0; round < 12; round++) {
    const random = new Prng(round);
    for (let i = 0; i < 1500; i++) {
      const index = rig.create(labelsFor(random, round * 10_000 + i).slice(0, 6));
      for (let n = 0; n < 3; n++) rig.sample(index, 1_000_000 * (round + 1) + n, BigInt(random.u32()), ++append);
    }
    query(rig, append);
    federate(rig, append);
    rig.truncate(10_000_000 * (round + 1));
    assert.equal(rig.head.seriesCount, 0);
    const used = rig.core.exports.memory_used_pages();
    if (round < 4) pages = used;
    // One page of series records stays, and the directory of the pages.
    else assert.ok(used <= pages + 2, `round ${round}: ${used} pages after ${pages}`);
  }
  assert.equal(rig.head.counters.pairs, 0);
});
