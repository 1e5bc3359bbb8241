// Federation and groups in one core, against renderers that build strings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { compareStrings, type Labels, labelsOf, pairsOf, valueOf, withoutMetadata } from '../../../src/model/labels.js';
import { isLabelName } from '../../../src/model/names.js';
import { decodeLabels } from '../../../src/shard/columns.js';
import { Federation } from '../../../src/wasm/federate.js';
import type { QueryAggregate } from '../../../src/wasm/query.js';
import { encodeMetric } from '../../support/families.js';
import { HeadRig } from '../../support/head.js';

const NAMES = ['job', 'instance', 'region', 'größe', 'with.dot', '0digit', 'a:b', 'z', '__x', 'A', '[', '`', '{', '@'];
const VALUES = [
  'a',
  'back\\slash',
  'quo"te',
  'new\nline',
  '0123456789abcdef',
  '0123456789abcde"f\\',
  'ü',
  '😀',
  '\ufeffx',
  '\t',
];
const METRICS = ['up', 'http_requests_total', 'a:rule:sum', 'dots.in.name', 'größe', '0', 'Z', '_', ':', 'ab-cd'];
const FLOATS = [
  0,
  -0,
  1,
  -1.5,
  1e21,
  1e-7,
  123456789,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  5e-324,
  1e20,
  0.1,
];
const STALE = 0x7ff0000000000002n;

function bitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function isMetricName(name: string): boolean {
  return isLabelName(name.replaceAll(':', '_'), 'legacy');
}

function underscored(name: string, colon: boolean): string {
  const allowed = colon ? /[a-zA-Z0-9_:]/ : /[a-zA-Z0-9_]/;
  return [...name].map((c, i) => (allowed.test(c) && !(i === 0 && /[0-9]/.test(c)) ? c : '_')).join('');
}

function nameText(name: string, utf8: boolean): string {
  if (isLabelName(name, 'legacy')) return name;
  return utf8 ? `"${escapeText(name)}"` : underscored(name, false);
}

/** As Go prints a float in the text format; only for the values of this test. */
function floatText(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  if (Number.isNaN(value)) return 'NaN';
  if (value === 0) return '0';
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${Math.abs(power).toString().padStart(2, '0')}`;
}

interface Sampled {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
}

function line({ labels, timeMs, value }: Sampled, external: Labels, utf8: boolean): string {
  const metric = valueOf(labels, '__name__');
  const quoted = utf8 && !isMetricName(metric);
  const own = [...pairsOf(labels)].filter(([name]) => name !== '__name__');
  const added = [...pairsOf(external)].filter(([name]) => valueOf(labels, name) === '');
  const parts = [...own, ...added].map(([name, text]) => `${nameText(name, utf8)}="${escapeText(text)}"`);
  if (quoted) parts.unshift(`"${escapeText(metric)}"`);
  const head = quoted ? '' : isMetricName(metric) ? metric : underscored(metric, true);
  return `${head}${parts.length > 0 ? `{${parts.join(',')}}` : ''} ${floatText(value)} ${timeMs}\n`;
}

function typeLine(metric: string, utf8: boolean): string {
  const name = isMetricName(metric) ? metric : utf8 ? `"${escapeText(metric)}"` : underscored(metric, true);
  return `# TYPE ${name} untyped\n`;
}

/** Labels of a message: those of the series but its name, then external ones that it lacks. */
function pairsWith(labels: Labels, external: Labels, utf8: boolean): [string, string][] {
  const own = [...pairsOf(labels)].filter(([name]) => name !== '__name__');
  const added = [...pairsOf(external)].filter(([name]) => !own.some(([known]) => known === name));
  return [...own, ...added].map(([name, value]) => [
    utf8 || isMetricName(name) ? name : underscored(name, true),
    value,
  ]);
}

function randomSeries(rig: HeadRig, random: Prng, count: number): Sampled[] {
  const sampled: Sampled[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < count; i++) {
    const pairs: [string, string][] = NAMES.filter(() => random.float() < 0.3).map((name) => [
      name,
      random.pick(VALUES),
    ]);
    if (random.float() < 0.95) pairs.push(['__name__', random.pick(METRICS)]);
    const labels = labelsOf(pairs);
    if (seen.has(labels.join('\0'))) continue;
    seen.add(labels.join('\0'));
    const index = rig.create(labels);
    const value = random.pick(FLOATS);
    const timeMs = 1000 + random.int(2000);
    const kind = random.float();
    // Older, and then one that is too new, stale, or too old to count.
    rig.sample(index, kind < 0.1 ? 500 : timeMs, bitsOf(value));
    if (kind > 0.8) rig.sample(index, 3500, bitsOf(7));
    if (kind > 0.6 && kind < 0.7) rig.sample(index, timeMs + 1, STALE);
    if (kind >= 0.1 && !(kind > 0.6 && kind < 0.7)) sampled.push({ labels, timeMs, value });
  }
  return sampled;
}

for (const utf8 of [false, true]) {
  test(`federate: as strings put together, ${utf8 ? 'UTF-8' : 'underscores'}`, () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = new Prng(seed);
      const rig = new HeadRig();
      const sampled = randomSeries(rig, random, 150).filter(({ labels }) => valueOf(labels, '__name__') !== '');
      const external = random.pick<Labels>([[], ['region', 'e"u\\', 'z', '1'], ['größe', 'ü'], ['cluster', 'c\n']]);
      const list = rig.select.anyOf([]);
      const window = { startMs: 3000, stepMs: 1, steps: 1, windowMs: 2300 };
      const query = rig.queries.open(list, rig.queries.view(0), 'last', window, false);
      const federation = new Federation(rig.core, query, list, { format: 'text', utf8, externalLabels: external });
      const metrics = [...new Set(sampled.map(({ labels }) => valueOf(labels, '__name__')))].sort(compareStrings);
      // A large family comes in pieces.
      const got = new Map<string, string>();
      for (let done = false; !done; ) {
        const part = federation.next(random.pick([1, 200, 1e6]));
        done = part.done;
        for (const { name, offset, bytes } of part.blocks) {
          got.set(name, (got.get(name) ?? '') + Buffer.from(part.text, offset, bytes).toString('utf8'));
        }
      }
      for (const [name, text] of got) {
        const lines = sampled.filter(({ labels }) => valueOf(labels, '__name__') === name);
        const want = [typeLine(name, utf8), ...lines.map((one) => line(one, external, utf8))].join('');
        assert.equal(text, want, `seed ${seed}, ${name}`);
      }
      assert.deepEqual([...got.keys()], metrics);
      federation.close();
      query.close();
      rig.select.release(list);
      const again = rig.select.anyOf([]);
      const second = rig.queries.open(again, rig.queries.view(0), 'last', window, false);
      const protobuf = new Federation(rig.core, second, again, { format: 'protobuf', utf8, externalLabels: external });
      const messages = new Map<string, string>();
      for (let done = false; !done; ) {
        const part = protobuf.next(random.pick([1, 200, 1e6]));
        done = part.done;
        for (const { name, offset, bytes } of part.blocks) {
          messages.set(name, (messages.get(name) ?? '') + Buffer.from(part.text, offset, bytes).toString('latin1'));
        }
      }
      for (const [name, message] of messages) {
        const ones = sampled.filter(({ labels }) => valueOf(labels, '__name__') === name);
        const want = ones.map((one) => encodeMetric(pairsWith(one.labels, external, utf8), one.value, one.timeMs));
        assert.equal(message, Buffer.concat(want).toString('latin1'), `seed ${seed}, ${name}`);
      }
      assert.deepEqual([...messages.keys()], metrics);
      protobuf.close();
      second.close();
      rig.select.release(again);
    }
  });
}

test('groups: as label sets put together, by and without, also many names', () => {
  const random = new Prng(5);
  const rig = new HeadRig();
  const sampled = randomSeries(rig, random, 400);
  const all = [...NAMES, '__name__', 'unknown'];
  const wide = Array.from({ length: 100 }, (_, i) => `none_${i}`);
  for (let round = 0; round < 60; round++) {
    const labels = random.float() < 0.1 ? [...all, ...wide] : all.filter(() => random.float() < 0.25);
    const aggregate: QueryAggregate = { op: 'count', grouping: random.pick(['by', 'without']), labels };
    const list = rig.select.anyOf([]);
    const window = { startMs: 3000, stepMs: 1, steps: 1, windowMs: 2300 };
    const query = rig.queries.open(list, rig.queries.view(0), 'last', window, true, aggregate);
    while (!query.next({ samples: 50, series: 20 }));
    const groups = query.groups();
    const got = new Map<string, number>();
    const counts = new Float64Array(groups.state[0]!);
    decodeLabels(groups.labels.strings, groups.labels.rows, groups.count).forEach((set, i) => {
      got.set(set.join('\0'), counts[i]!);
    });
    assert.equal(got.size, groups.count);
    const want = new Map<string, number>();
    for (const one of sampled) {
      const kept = aggregate.grouping === 'by' ? one.labels : withoutMetadata(one.labels);
      const key = [...pairsOf(kept)]
        .filter(([name]) => labels.includes(name) === (aggregate.grouping === 'by'))
        .flat()
        .join('\0');
      want.set(key, (want.get(key) ?? 0) + 1);
    }
    assert.deepEqual([...got].sort(), [...want].sort(), `${aggregate.grouping} (${labels})`);
    query.close();
    rig.select.release(list);
  }
});
