// Records of exemplars, and label sets packed into strings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { BytesError } from '../../../src/tsdb/bytes.js';
import {
  decodeExemplars,
  type ExemplarEntry,
  encodeExemplars,
  packLabels,
  unpackLabels,
} from '../../../src/tsdb/wal/exemplar-record.js';

test('a record by hand', () => {
  const entries: ExemplarEntry[] = [
    { ref: 5, timeMs: 1000, value: 1.5, labels: ['trace', 'ž'] },
    { ref: 4, timeMs: 1002, value: -0, labels: [] },
  ];
  const bytes = `04 0000000000000005 00000000000003e8
    00 00 3ff8000000000000 01 05 7472616365 02 c5be
    01 04 8000000000000000 00`;
  assert.equal(Buffer.from(encodeExemplars(entries)).toString('hex'), bytes.replace(/\s/g, ''));
  assert.deepEqual(decodeExemplars(Buffer.from(bytes.replace(/\s/g, ''), 'hex')), entries);
});

function generate(random: Prng): ExemplarEntry[] {
  const texts = ['', 'a', 'trace_id', 'žluť', '\u{1f600}', 'x'.repeat(200), '\ufeffmark'];
  return Array.from({ length: random.int(20) }, () => ({
    ref: 1 + random.int(2 ** 30) * 512,
    timeMs: random.int(2 ** 31) * 1000 - 2 ** 40,
    value: [0, -1.25, Number.NaN, Infinity, random.int(1e6) / 7][random.int(5)]!,
    labels: Array.from({ length: 2 * random.int(4) }, () => texts[random.int(texts.length)]!),
  }));
}

test('records read back as what was written, and damaged ones are a fault or other exemplars (seeds 1 … 300)', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Prng(seed);
    const entries = generate(random);
    const bytes = encodeExemplars(entries);
    assert.deepEqual(decodeExemplars(bytes), entries, `seed ${seed}`);
    const bad = Buffer.from(bytes.subarray(0, 1 + random.int(bytes.length)));
    if (bad.length > 1) bad[1 + random.int(bad.length - 1)]! ^= 1 << random.int(8);
    try {
      decodeExemplars(bad);
    } catch (error) {
      if (!(error instanceof BytesError)) throw new Error(`seed ${seed}`, { cause: error });
    }
    for (const { labels } of entries) assert.deepEqual(unpackLabels(packLabels(labels)), labels);
  }
});
