// Blocks that a real Prometheus wrote, and its account of what is in them.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { keyOf, labelsOf } from '../../../src/model/labels.js';
import { formatJsonFloat } from '../../../src/model/number.js';
import type { Block } from '../../../src/tsdb/block/block.js';
import { ChunkEncoding } from '../../../src/tsdb/block/contract.js';
import { blocksIn, openBlock, type ReadSeries, readAll, withBlock } from '../../support/block.js';
import { conformance, conformanceMissing, readConformance, testdata } from '../../support/testdata.js';
import type { Sample } from '../../support/xor-model.js';

const KILLED = testdata('blocks/killed/01M7Y0DYVRQYB5RRVPA5E1T2RB');
const FIRST = '01M7Y0DXJ9842ERM7HS55F3Y8P';
const skip = conformanceMissing();

interface Expected {
  readonly metric: Record<string, string>;
  readonly floats: number;
  readonly first: string;
  readonly last: string;
  readonly sha256: string;
}

const STALE = 0x7ff0000000000002n;

test('a block holds what its description counts, within its times', () => {
  withBlock(KILLED, (block) => {
    const series = readAll(block);
    const { stats, minTimeMs, maxTimeMs } = block.meta;
    const chunks = series.flatMap((one) => one.chunks);
    assert.equal(series.length, stats.series);
    assert.equal(chunks.length, stats.chunks);
    assert.equal(
      series.reduce((sum, { count }) => sum + count, 0),
      stats.samples,
    );
    assert.ok(chunks.every((chunk) => chunk.minTimeMs >= minTimeMs && chunk.maxTimeMs < maxTimeMs));
    assert.equal(block.tombstones.count, stats.tombstones);
    assert.equal(block.sizeBytes, 6341 + 92274 + 295 + 37);
    const encodings = new Set(chunks.map(({ encoding }) => encoding));
    assert.ok(encodings.has(ChunkEncoding.Xor));
  });
});

test('chunks begin and end when the index says so', () => {
  withBlock(KILLED, (block) => {
    for (const { labels, chunks, samples } of readAll(block)) {
      if (chunks.some(({ encoding }) => encoding !== ChunkEncoding.Xor)) continue;
      const times = new Set(samples.map(({ time }) => time));
      for (const { minTimeMs, maxTimeMs } of chunks)
        assert.ok(times.has(minTimeMs) && times.has(maxTimeMs), `${labels}`);
    }
  });
});

test('postings are what the labels of all series say', () => {
  for (const path of [KILLED, ...(skip ? [] : blocksIn(conformance('tsdb/blocks/data')))]) {
    withBlock(path, ({ index }) => {
      const lists = new Map<string, Map<string, number[]>>();
      for (const ref of index.allSeries()) {
        const labels = index.labelsOf(index.series(ref));
        for (let i = 0; i < labels.length; i += 2) {
          const values = lists.get(labels[i]!) ?? new Map<string, number[]>();
          values.set(labels[i + 1]!, [...(values.get(labels[i + 1]!) ?? []), ref]);
          lists.set(labels[i]!, values);
        }
      }
      assert.deepEqual(index.names(), [...lists.keys()].sort());
      for (const [name, values] of lists) {
        assert.equal(index.valueCount(name), values.size);
        const found = Array.from(index.values(name), ({ value }) => new TextDecoder().decode(value));
        assert.deepEqual(new Set(found), new Set(values.keys()));
        for (const [value, refs] of values)
          assert.deepEqual([...index.postings(name, value)], refs, `${name} ${value}`);
        for (const value of ['', ' ', '~', '\u{10ffff}']) assert.equal(index.postings(name, value).length, 0, value);
      }
      assert.equal(index.postings('nothing', 'x').length, 0);
    });
  }
});

test('symbols: by number, by text, and all of them', () => {
  for (const path of [KILLED, ...(skip ? [] : blocksIn(conformance('tsdb/blocks/data')))]) {
    withBlock(path, ({ index: { symbols } }) => {
      const { bytes, ends } = symbols.table();
      assert.equal(ends.length, symbols.count);
      for (let i = 0; i < symbols.count; i++) {
        const text = bytes.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!);
        assert.deepEqual(Buffer.from(symbols.bytes(i)), Buffer.from(text));
        assert.equal(symbols.string(i), new TextDecoder().decode(text));
        assert.equal(symbols.find(text), i);
        assert.equal(symbols.find(`${symbols.string(i)}\0`), undefined);
      }
      assert.equal(symbols.find('\u{10ffff}'), undefined);
      assert.throws(() => symbols.bytes(symbols.count), { name: 'BlockFault' });
    });
  }
});

test('what analyze counts in the first block', { skip }, () => {
  const account = readConformance('tsdb/blocks/analyze.txt');
  const number = (what: string) => Number(new RegExp(`^${what}: (\\d+)$`, 'm').exec(account)![1]);
  withBlock(conformance(`tsdb/blocks/data/${FIRST}`), ({ index }) => {
    const pairs = index.names().flatMap((name) => Array.from(index.values(name), (entry) => ({ name, ...entry })));
    assert.equal(index.allSeries().length, number('Total Series'));
    assert.equal(index.names().length, number('Label names'));
    assert.equal(pairs.length, number('Postings \\(unique label pairs\\)'));
    assert.equal(
      pairs.reduce((sum, { offset }) => sum + index.countAt(offset), 0),
      number('Postings entries \\(total label pairs\\)'),
    );
    const [common] = /Most common label pairs:\n((?:\d+ .+\n)+)/.exec(account)!.slice(1);
    for (const line of common!.trim().split('\n')) {
      const [, count, name, value] = /^(\d+) ([^=]+)=(.*)$/.exec(line)!;
      assert.equal(index.postings(name!, value!).length, Number(count), line);
    }
  });
});

test('every series of four blocks is, to the bit, what the server answered', { skip }, () => {
  const bySeries = new Map<string, Sample[]>();
  for (const path of blocksIn(conformance('tsdb/blocks/data'))) {
    withBlock(path, (block) => {
      for (const { labels, samples } of readAll(block)) {
        const all = bySeries.get(keyOf(labels)) ?? [];
        all.push(...samples);
        bySeries.set(keyOf(labels), all);
      }
    });
  }
  const expected = JSON.parse(readConformance('tsdb/blocks/expected-series.json')) as Expected[];
  assert.equal(bySeries.size, expected.length);
  for (const want of expected) {
    const labels = labelsOf(Object.entries(want.metric));
    assert.equal(checksum(bySeries.get(keyOf(labels))!), want.sha256, labels.join(' '));
  }
});

test('promtool dumps the same lines', { skip }, () => {
  const lines = new Set<string>();
  for (const path of blocksIn(conformance('tsdb/blocks/data'))) {
    withBlock(path, (block) => {
      for (const series of readAll(block)) for (const line of dumped(series)) lines.add(line);
    });
  }
  const dump = readConformance('tsdb/blocks/dump-special.txt').trim().split('\n');
  assert.ok(dump.length > 100);
  for (const line of dump) assert.ok(lines.has(line), line);
});

test('a series that the block does not have is a fault', () => {
  const block: Block = openBlock(KILLED);
  try {
    const refs = new Set(block.index.allSeries());
    for (let ref = 0; ref < 1000; ref++) {
      if (!refs.has(ref)) assert.throws(() => block.index.series(ref), { name: 'BlockFault' }, `${ref}`);
    }
    for (const ref of [2 ** 40, -1, Number.NaN]) assert.throws(() => block.index.series(ref), { name: 'BlockFault' });
  } finally {
    block.close();
  }
});

test('chunks come in the order of the question, some twice, near and far ones', () => {
  withBlock(KILLED, ({ index, chunks }) => {
    const refs = Array.from(index.allSeries()).flatMap((ref) =>
      index
        .series(ref)
        .chunks()
        .map((chunk) => chunk.ref),
    );
    const whole = chunks.read(refs);
    const copies = refs.map((_, i) =>
      Buffer.from(whole.bytes.slice(whole.starts[i]!, whole.starts[i]! + whole.lengths[i]!)),
    );
    const question = [...refs].reverse().filter((_, i) => i % 3 !== 0);
    question.push(question[0]!, refs[0]!);
    const read = chunks.read(question);
    for (const [i, ref] of question.entries()) {
      const data = read.bytes.subarray(read.starts[i]!, read.starts[i]! + read.lengths[i]!);
      assert.deepEqual(Buffer.from(data), copies[refs.indexOf(ref)]);
    }
    assert.equal(chunks.read([]).starts.length, 0);
    const wrong = [refs[1]! + 1, 2 ** 32, 3, 92274, 92273, 2 ** 40];
    for (const ref of wrong) assert.throws(() => chunks.read([refs[0]!, ref]), { name: 'BlockFault' }, `${ref}`);
  });
});

/** Lines as `tsdb dump` of promtool prints them. */
function dumped({ labels, samples }: ReadSeries): string[] {
  const pairs: string[] = [];
  for (let i = 0; i < labels.length; i += 2) pairs.push(`${labels[i]}=${JSON.stringify(labels[i + 1])}`);
  return samples.map(({ time, bits }) => `{${pairs.join(', ')}} ${formatJsonFloat(valueOf(bits))} ${time}`);
}

/** Over the lines `<ms> <value>` that a query would show: without stale markers. */
function checksum(samples: readonly Sample[]): string {
  const shown = samples.filter(({ bits }) => bits !== STALE);
  const lines = shown.map(({ time, bits }) => `${time} ${formatJsonFloat(valueOf(bits))}`);
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

function valueOf(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}
