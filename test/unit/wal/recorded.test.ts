// A log that a real Prometheus wrote, and its account of what is in it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { realDisk } from '../../../src/base/disk.js';
import { readSegments } from '../../../src/tsdb/wal/reader.js';
import {
  decodeSamples,
  decodeSeries,
  decodeTombstones,
  RecordType,
  recordTypeName,
} from '../../../src/tsdb/wal/record.js';
import { logSources } from '../../../src/tsdb/wal/sources.js';
import { readTestdata, testdata } from '../../support/testdata.js';
import { testCore } from '../../support/wal.js';

interface Expected {
  readonly metric: Record<string, string>;
  readonly floats: number;
  readonly histograms: number;
  readonly last: string;
  readonly sha256: string;
}

const FOLDER = testdata('wal/killed/wal');

function readAll() {
  const labels = new Map<number, readonly string[]>();
  const samples = new Map<number, Map<number, number>>();
  const deleted = new Set<number>();
  const types = new Map<string, number>();
  const { sources, checkpoint } = logSources(realDisk, FOLDER, testCore());
  for (const source of sources) {
    const { damages } = readSegments(
      { disk: realDisk, core: testCore(), ...source },
      {
        record(record) {
          const name = recordTypeName(record.type);
          types.set(name, (types.get(name) ?? 0) + 1);
          if (record.type === RecordType.Series) {
            for (const series of decodeSeries(record.bytes)) labels.set(series.ref, series.labels);
          }
          if (record.type === RecordType.Tombstones) {
            for (const { ref } of decodeTombstones(record.bytes)) deleted.add(ref);
          }
          if (record.type !== RecordType.Samples) return;
          const bits = new DataView(new ArrayBuffer(8));
          for (const sample of decodeSamples(record.bytes)) {
            bits.setBigUint64(0, sample.bits);
            const ofSeries = samples.get(sample.ref) ?? new Map<number, number>();
            ofSeries.set(sample.timeMs, bits.getFloat64(0));
            samples.set(sample.ref, ofSeries);
          }
        },
      },
    );
    assert.deepEqual(damages, []);
  }
  return { labels, samples, deleted, types, checkpoint };
}

test('every record of the log and its checkpoint is read', () => {
  const { types, checkpoint, labels } = readAll();
  assert.equal(checkpoint, 2);
  assert.deepEqual(Object.fromEntries(types), {
    series: 3,
    samples: 14,
    float_histogram_samples: 13,
    custom_buckets_float_histogram_samples: 13,
    tombstones: 2,
  });
  assert.equal(labels.size, 76);
});

test('the samples are those that the server says it has', () => {
  const { labels, samples, deleted } = readAll();
  const expected = JSON.parse(readTestdata('wal/killed/expected-series.json')) as Expected[];
  const key = (pairs: [string, string][]) => JSON.stringify(pairs.sort());
  const byLabels = new Map(expected.map((series) => [key(Object.entries(series.metric)), series]));
  let compared = 0;
  let whole = 0;
  for (const [ref, ofSeries] of samples) {
    const flat = labels.get(ref)!;
    const pairs = flat.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, flat[i + 1]!]] : []));
    const want = byLabels.get(key(pairs));
    // Series deleted in the head, or with samples out of order (those are in another log), are not comparable.
    if (want === undefined || deleted.has(ref) || want.histograms > 0) continue;
    const times = [...ofSeries.keys()];
    const outOfOrder = times.some((timeMs, i) => i > 0 && timeMs < times[i - 1]!);
    if (outOfOrder) continue;
    // Stale markers are in the log but no sample of a query's answer.
    const values = [...ofSeries].filter(([, value]) => !Number.isNaN(value));
    const [lastMs, last] = values.at(-1)!;
    assert.equal(`${lastMs} ${formatted(last)}`, want.last, flat.join(' '));
    compared++;
    if (values.length !== want.floats) continue;
    const lines = values.map(([timeMs, value]) => `${timeMs} ${formatted(value)}`).join('\n');
    assert.equal(createHash('sha256').update(lines).digest('hex'), want.sha256, flat.join(' '));
    whole++;
  }
  assert.ok(compared >= 60, `${compared} compared`);
  assert.ok(whole >= 1, `${whole} compared whole`);
});

test('a counter that rises by one each step: the whole series, block included, has the recorded checksum', () => {
  const { labels, samples } = readAll();
  const [ref] = [...labels].find(([, flat]) => flat.includes('fx.utf8 name'))!;
  const stepMs = 15_000;
  const startMs = 1769817600000;
  const inLog = samples.get(ref)!;
  const firstMs = Math.min(...inLog.keys());
  const lines: string[] = [];
  for (let timeMs = startMs; timeMs < firstMs; timeMs += stepMs) lines.push(`${timeMs} ${(timeMs - startMs) / stepMs}`);
  for (const [timeMs, value] of inLog) lines.push(`${timeMs} ${formatted(value)}`);
  const sha256 = createHash('sha256').update(lines.join('\n')).digest('hex');
  assert.equal(sha256, '7ac254a48fedcfab5a10485dc0967941f485b9e58f23882a4a5f95d3a810cac7');
});

/** As the HTTP API prints floats, for those that occur here. */
function formatted(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}
