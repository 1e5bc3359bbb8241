// Blocks that promtool makes of text are read as they were meant.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { formatLabels, keyOf, type Labels, labelsOf } from '../../src/model/labels.js';
import { formatFloat } from '../../src/model/number.js';
import { selectSeries } from '../../src/tsdb/block/select.js';
import { verifyBlock } from '../../src/tsdb/block/verify.js';
import { blocksIn, readAll, withBlock } from '../support/block.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { floatBits } from '../support/xor-model.js';

const promtool = peerBinary('promtool');
const START_S = 1_767_225_600;
const SPAN_S = 5 * 3600;

const folder = emptyFolder();

/** Label values that are hard to sort, to quote or to decode. */
const STRANGE = ['é', 'z', '\u{1f600}', '\uffee', 'a"b', 'a\\b', 'a\nb', '\ufeffx', 'x'.repeat(300), ' '];
const VALUES = [0, -0, 1.5, 1e300, 5e-324, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** Some series, each with its samples by time in seconds. */
function generate(seed: number): Map<string, { labels: Labels; samples: Map<number, number> }> {
  const prng = new Prng(seed);
  const series = new Map<string, { labels: Labels; samples: Map<number, number> }>();
  for (let i = 0; i < 400; i++) {
    const pairs: [string, string][] = [
      ['__name__', `metric_${prng.int(5)}`],
      ['id', String(prng.int(300))],
    ];
    if (prng.float() < 0.5) pairs.push(['strange', prng.pick(STRANGE)]);
    if (prng.float() < 0.3) pairs.push([`label_${prng.int(40)}`, 'x']);
    const labels = labelsOf(pairs);
    const samples = new Map<number, number>();
    const step = prng.pick([15, 60, 61, 1800]);
    const end = START_S + prng.int(SPAN_S);
    for (let time = START_S + prng.int(SPAN_S); time < end; time += step) {
      samples.set(time, prng.float() < 0.1 ? prng.pick(VALUES) : prng.int(1000) / 8);
    }
    if (samples.size > 0) series.set(keyOf(labels), { labels, samples });
  }
  return series;
}

for (const seed of [1, 2, 3]) {
  test(`promtool's blocks of text, seed ${seed}`, { skip: promtool === undefined && missing('promtool') }, () => {
    const series = generate(seed);
    const byMetric = [...series.values()].sort((a, b) => (a.labels[1]! < b.labels[1]! ? -1 : 1));
    const lines = byMetric.flatMap(({ labels, samples }) =>
      Array.from(samples, ([time, value]) => `${openMetrics(labels)} ${formatFloat(value)} ${time}`),
    );
    const data = join(folder, String(seed));
    writeFileSync(`${data}.txt`, `${lines.join('\n')}\n# EOF\n`);
    execFileSync(promtool!, ['tsdb', 'create-blocks-from', 'openmetrics', `${data}.txt`, data], { stdio: 'pipe' });

    const found = new Map<string, Map<number, bigint>>();
    for (const path of blocksIn(data)) {
      withBlock(path, (block) => {
        const { stats } = block.meta;
        const counts = { series: stats.series, chunks: stats.chunks, samples: stats.samples };
        assert.deepEqual(verifyBlock(block), counts);
        const all = readAll(block);
        for (const { labels, samples } of all) {
          const times = found.get(keyOf(labels)) ?? new Map<number, bigint>();
          for (const { time, bits } of samples) times.set(time, bits);
          found.set(keyOf(labels), times);
        }
        for (const value of STRANGE) {
          const selected = [...selectSeries(block, [{ name: 'strange', op: '=', value }])];
          assert.deepEqual(
            selected,
            all.filter(({ labels }) => labels.includes(value)).map(({ ref }) => ref),
          );
        }
      });
    }
    assert.equal(found.size, series.size);
    for (const [key, { labels, samples }] of series) {
      const want = new Map(Array.from(samples, ([time, value]) => [time * 1000, floatBits(value)]));
      assert.deepEqual(found.get(key), want, formatLabels(labels));
    }
  });
}

/** `name{a="b",c="d"}`, with the escapes that the format has. */
function openMetrics([, name, ...labels]: Labels): string {
  const pairs: string[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    const escaped = labels[i + 1]!.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');
    pairs.push(`${labels[i]}="${escaped}"`);
  }
  return `${name}{${pairs.join(',')}}`;
}
