// The workloads of the benchmarks: what they send is what they say, on every step.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROW_BYTES } from '../../../assembly/layout.js';
import { exporterFamilies } from '../../../bench/workloads/families.js';
import { Fleet } from '../../../bench/workloads/fleet.js';
import { Page, type TargetPage } from '../../../bench/workloads/page.js';
import { ProtobufPage } from '../../../bench/workloads/page-protobuf.js';
import { encodePatchable } from '../../../bench/workloads/snappy-patchable.js';
import { mix } from '../../../bench/workloads/values.js';
import { WriteBody } from '../../../bench/workloads/write-body.js';
import { generationOf } from '../../../bench/workloads/write-load.js';
import { Prng } from '../../../src/base/prng.js';
import { snappyDecode, snappyHeader } from '../../../src/base/snappy.js';
import { keyOf } from '../../../src/model/labels.js';
import { Core } from '../../../src/wasm/core.js';
import { type BodyFormat, Exposition } from '../../../src/wasm/exposition.js';

const FLEET = new Fleet({ series: 400, perInstance: 100 }, 42);
const TIME_MS = 1_800_000_000_000;

function decoded(block: Uint8Array): Uint8Array {
  const into = new Uint8Array(snappyHeader(block).length);
  snappyDecode(block, into);
  return into;
}

test('a block with holes decodes, and a changed hole changes those bytes alone', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const prng = new Prng(seed);
    const raw = Uint8Array.from({ length: 20 + prng.int(100_000) }, () => prng.int(1 + prng.int(4)));
    const holes: number[] = [];
    for (let at = prng.int(40); at + 8 <= raw.length; at += 8 + prng.int(200)) holes.push(at);
    const block = encodePatchable(raw, holes, 8);
    assert.deepEqual(decoded(block.bytes), raw, `seed ${seed}`);
    const patch = Uint8Array.from({ length: 8 }, () => prng.int(256));
    for (const [i, at] of holes.entries()) {
      raw.set(patch, at);
      block.bytes.set(patch, block.holes[i]);
    }
    assert.deepEqual(decoded(block.bytes), raw, `seed ${seed}, patched`);
  }
});

test('an exporter has as many series as asked for, no two the same', () => {
  for (const count of [17, 100, 1000, 2000]) {
    const series = exporterFamilies(count, 7).flatMap((family) => family.series);
    assert.equal(series.length, count);
    assert.equal(new Set(series.map(({ name, labels }) => JSON.stringify([name, labels]))).size, count);
  }
});

test('counters never fall, and buckets never exceed the next larger one', () => {
  for (let index = 0; index < 100; index++) {
    const name = FLEET.labels(index).find(([label]) => label === '__name__')![1];
    for (let step = 0; step < 50; step++) {
      const value = FLEET.values.at(index, step);
      if (/_total$|_bucket$|_count$/.test(name)) assert.ok(FLEET.values.at(index, step + 1) >= value, name);
      if (name.endsWith('_bucket') && FLEET.pageLabels(index)[1]![1] !== '+Inf') {
        assert.ok(FLEET.values.at(index + 1, step) >= value, `${name} ${index}`);
      }
    }
  }
});

test('between a third and two thirds of the series change', () => {
  const changing = Array.from({ length: 400 }, (_, index) => index).filter((index) => FLEET.values.changes(index));
  assert.ok(changing.length > 133 && changing.length < 267, String(changing.length));
});

test('a written body holds the labels, values and times of its series at each step', () => {
  const body = new WriteBody(FLEET, 100, 50, '/api/v1/write');
  for (const step of [0, 1, 39]) {
    const timeMs = TIME_MS + step * 15_000;
    body.fill(step, timeMs);
    const text = Buffer.from(body.request).toString('latin1');
    const head = text.indexOf('\r\n\r\n') + 4;
    assert.equal(Number(/Content-Length: (\d+)/.exec(text)![1]), body.request.length - head);
    const series = readWriteRequest(decoded(body.request.subarray(head)));
    assert.equal(series.length, 50);
    for (const [i, { labels, value, time }] of series.entries()) {
      assert.deepEqual(labels, FLEET.labels(100 + i));
      assert.equal(value, FLEET.values.at(100 + i, step));
      assert.equal(time, timeMs);
    }
  }
});

test('a page holds the names, labels and values of its series at each step', () => {
  const page = new Page(FLEET, 2);
  for (const step of [0, 5, 1000]) {
    const lines = page.at(step).toString().split('\n');
    assert.equal(lines.pop(), '');
    const samples = lines.filter((line) => !line.startsWith('#'));
    assert.equal(samples.length, 100);
    for (const [i, line] of samples.entries()) {
      const [[, name], ...labels] = FLEET.pageLabels(200 + i);
      const text = labels.length === 0 ? name : `${name}{${labels.map(([l, v]) => `${l}="${v}"`).join(',')}}`;
      assert.equal(line, `${text} ${FLEET.values.at(200 + i, step)}`);
    }
  }
});

/** What the core reads from a page: values by series. */
function readPage(page: TargetPage, format: BodyFormat, step: number): Map<string, number> {
  const core = new Core();
  const exposition = new Exposition(core);
  const cache = exposition.open();
  const body = exposition.load(page.at(step));
  const parsed = exposition.parse(cache, body, 0, {
    format,
    honorTimestamps: true,
    trackTimestampsStaleness: false,
  });
  assert.ok(parsed.ok);
  const series = Array.from({ length: parsed.misses }, (_, miss) => {
    exposition.readLabels(cache, miss);
    const labels = keyOf(exposition.scratch.read());
    exposition.resolve(cache, miss, miss, miss, 0);
    return labels;
  });
  const { address, count } = exposition.rows(0);
  return new Map(
    Array.from({ length: count }, (_, row) => {
      const at = address + row * ROW_BYTES;
      return [series[core.view.getUint32(at, true)]!, core.view.getFloat64(at + 16, true)];
    }),
  );
}

test('a page says the same in each format', () => {
  for (const step of [0, 7, 9999]) {
    const text = readPage(new Page(FLEET, 2), 'text', step);
    assert.equal(text.size, 100);
    assert.deepEqual(readPage(new Page(FLEET, 2, true), 'openmetrics', step), text);
    assert.deepEqual(readPage(new ProtobufPage(FLEET, 2), 'protobuf', step), text);
  }
});

test('churn replaces each part of the requests once, and its pods are other series', () => {
  const spec = { generation: 0, churn: { afterSteps: [10, 20, 30], parts: 6 } };
  const last = Array.from({ length: 6 }, (_, batch) => generationOf(spec, batch, 39));
  assert.deepEqual(last, [1, 1, 1, 0, 0, 0]);
  assert.equal(generationOf(spec, 1, 19), 0);
  assert.notDeepEqual(FLEET.labels(3, 0), FLEET.labels(3, 1));
});

test('mix spreads: neighbours have half of their bits in common', () => {
  let different = 0;
  for (let i = 0; i < 1000; i++) {
    for (let bits = mix(i, 5) ^ mix(i + 1, 5); bits !== 0; bits &= bits - 1) different++;
  }
  assert.ok(Math.abs(different / 1000 - 16) < 1, String(different / 1000));
});

interface ReadSeries {
  labels: [string, string][];
  value: number;
  time: number;
}

/** A plain reader of the protobuf, for what the bench writes. */
function readWriteRequest(bytes: Uint8Array): ReadSeries[] {
  return fields(bytes).map(({ bytes: series }) => {
    const labels: [string, string][] = [];
    let sample: Uint8Array | undefined;
    for (const { field, bytes: inner } of fields(series)) {
      if (field === 2) sample = inner;
      else labels.push(fields(inner).map(({ bytes: text }) => Buffer.from(text).toString()) as [string, string]);
    }
    const view = new DataView(sample!.buffer, sample!.byteOffset, sample!.length);
    assert.equal(view.getUint8(0), 0x09);
    assert.equal(view.getUint8(9), 0x10);
    return { labels, value: view.getFloat64(1, true), time: varint(sample!, 10).value };
  });
}

function fields(bytes: Uint8Array): { field: number; bytes: Uint8Array }[] {
  const found: { field: number; bytes: Uint8Array }[] = [];
  for (let at = 0; at < bytes.length; ) {
    assert.equal(bytes[at]! & 7, 2, 'a length-delimited field');
    const { value: length, end } = varint(bytes, at + 1);
    found.push({ field: bytes[at]! >> 3, bytes: bytes.subarray(end, end + length) });
    at = end + length;
  }
  return found;
}

function varint(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end: at };
  }
}
