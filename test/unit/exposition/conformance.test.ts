// Texts whose scrape by a real Prometheus was recorded: the public conformance cases, and
// our own at the edges of the format: testdata/exposition.

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isTooLong } from '../../../src/model/exemplar.js';
import { compareLabels, keyOf, type Labels, labelsOf } from '../../../src/model/labels.js';
import type { BodyFormat, MetadataLine } from '../../../src/wasm/exposition.js';
import { type ModelSample, type ModelScrape, ModelTarget, valueOfBits } from '../../support/scrape-model.js';
import { conformance, hasConformance, readConformance, readTestdata } from '../../support/testdata.js';

interface Recorded {
  readonly contentType: string;
  readonly up: number;
  readonly error?: string;
  readonly samples?: readonly { labels: Record<string, string>; value: string; ts: string | number }[];
  readonly sampleCount?: number;
  readonly metadata?: readonly { metric: string; type: string; help: string; unit: string }[];
  readonly exemplars?: readonly {
    series: Record<string, string>;
    labels: Record<string, string>;
    value: string;
    ts: string | number;
  }[];
}

const TIME = 1_700_000_000_000;
const FORMATS = {
  'text/plain': 'text',
  'application/openmetrics-text': 'openmetrics',
  'application/vnd.google.protobuf': 'protobuf',
} as const;
const recorded = (hasConformance() ? JSON.parse(readConformance('exposition/SCRAPE-RESULTS.json')) : {}) as Record<
  string,
  Recorded
>;
/** Samples at times that were not asked for. */
const UNRECORDED = new Set(['openmetrics/timestamps']);

for (const [name, want] of Object.entries(recorded)) {
  const format = FORMATS[want.contentType.split(';')[0] as keyof typeof FORMATS];
  if (format === undefined) continue;
  const path = conformance(`exposition/${name}`);
  const file = statSync(path).isDirectory() ? join(path, 'metrics') : path;
  const { samples, ...rest } = want;
  test(`scrape of ${name}`, () =>
    check(readFileSync(file), UNRECORDED.has(name) ? rest : { samples, ...rest }, format));
}

const quirks = JSON.parse(readTestdata('exposition/quirks.json')) as Record<string, Recorded & { body: string }>;

/** Where we differ on purpose. */
const DIFFERENT = new Map([
  ['unquoted-name-in-braces', 'Prometheus takes {foo} for a metric named o; we refuse it'],
  ['unquoted-short-in-braces', 'the same: Prometheus cuts the word down to nothing'],
  ['label-le-hex', 'hexadecimal bucket borders stay as they are written'],
  ['label-le-underscore', 'so do those with underscores'],
]);

for (const [name, want] of Object.entries(quirks)) {
  test(`quirk ${name}`, { todo: DIFFERENT.get(name) }, () => {
    if (!DIFFERENT.has(name)) check(Buffer.from(want.body, 'latin1'), want);
  });
}

const openQuirks = JSON.parse(readTestdata('exposition/openmetrics-quirks.json')) as typeof quirks;

for (const [name, want] of Object.entries(openQuirks)) {
  test(`quirk ${name} of OpenMetrics`, () => check(Buffer.from(want.body, 'latin1'), want, 'openmetrics'));
}

test('a fault has the offset of what is wrong', () => {
  const target = new ModelTarget();
  assert.equal(target.scrape('a 1\nb{x="1"} 1.5.5\n', 1).offset, 13);
  assert.equal(target.scrape('a 1\n@', 1).offset, 4);
});

/** Scrapes a body twice, the second time over what the first left behind: both must give what was recorded. */
function check(body: Uint8Array, want: Recorded, format: BodyFormat = 'text'): void {
  const target = new ModelTarget({ target: ['instance', 'i', 'job', 'j'], format, exemplars: true });
  const first = target.scrape(body, TIME);
  compare(first, want);
  if (want.exemplars !== undefined) assert.deepEqual(exemplarsOf(first), exemplarsWanted(want));
  assert.deepEqual(metadataOf(first.metadata), metadataOf(linesOf(want)));
  const again = target.scrape(body, TIME);
  compare(again, want);
  if (want.error === undefined) assert.deepEqual(again.metadata, []);
}

function exemplarsOf({ exemplars }: ModelScrape): Set<string> {
  return new Set(
    exemplars
      .flatMap(({ labels, exemplars: all }) => all.map((exemplar) => ({ labels, exemplar })))
      .filter(({ exemplar }) => !isTooLong(exemplar.labels))
      .map(({ labels, exemplar }) =>
        JSON.stringify([ownLabels(labels), exemplar.labels, String(exemplar.value), exemplar.timeMs]),
      ),
  );
}

function exemplarsWanted({ exemplars = [] }: Recorded): Set<string> {
  return new Set(
    exemplars.map(({ series, labels, value, ts }) =>
      JSON.stringify([
        labelsOf(Object.entries(series)),
        labelsOf(Object.entries(labels)),
        String(numberOf(value)),
        ts === 'scrape' ? TIME : ts,
      ]),
    ),
  );
}

function compare(got: ModelScrape, want: Recorded): void {
  assert.equal(got.error, want.error);
  if (want.samples === undefined) return;
  const samples = sorted(firstOfEach(got.samples).map((sample) => ({ ...sample, labels: ownLabels(sample.labels) })));
  if (want.sampleCount !== undefined) assert.equal(samples.length, want.sampleCount);
  const wanted = sorted(
    want.samples.map((sample) => ({
      labels: labelsOf(Object.entries(sample.labels)),
      value: sample.value,
      timeMs: sample.ts === 'scrape' ? TIME : Number(sample.ts),
    })),
  );
  assert.deepEqual(
    samples
      .slice(0, want.sampleCount === undefined ? undefined : wanted.length)
      .map(({ labels, timeMs, bits }) => [labels, timeMs, valueOfBits(bits)]),
    wanted.map(({ labels, timeMs, value }) => [labels, timeMs, numberOf(value)]),
  );
}

/** Of samples of one series at one time, storage keeps the first. */
function firstOfEach(samples: readonly ModelSample[]): ModelSample[] {
  const seen = new Set<string>();
  return samples.filter(({ labels, timeMs }) => {
    const key = `${timeMs} ${keyOf(labels)}`;
    return !seen.has(key) && seen.add(key);
  });
}

function linesOf(want: Recorded): MetadataLine[] {
  return (want.metadata ?? []).flatMap(({ metric, type, help, unit }) => [
    { kind: 'help' as const, metric, text: help },
    ...(unit === '' ? [] : [{ kind: 'unit' as const, metric, text: unit }]),
    ...(type === 'unknown' ? [] : [{ kind: 'type' as const, metric, text: type }]),
  ]);
}

function numberOf(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

/** Without the labels that the target brought, as in the recording; where the scrape brought its own, they stay. */
function ownLabels(labels: Labels): Labels {
  return labels.filter((_, i) => {
    const name = labels[i & ~1];
    const value = labels[(i & ~1) + 1];
    return !((name === 'job' && value === 'j') || (name === 'instance' && value === 'i'));
  });
}

function sorted<T extends { labels: Labels; timeMs: number }>(samples: readonly T[]): T[] {
  return [...samples].sort((a, b) => compareLabels(a.labels, b.labels) || a.timeMs - b.timeMs);
}

function metadataOf(lines: readonly { kind: MetadataLine['kind']; metric: string; text: string }[]) {
  const metrics = new Map<string, { metric: string; type: string; help: string; unit: string }>();
  for (const { kind, metric, text } of lines) {
    const entry = metrics.get(metric) ?? { metric, type: 'unknown', help: '', unit: '' };
    metrics.set(metric, { ...entry, [kind]: text });
  }
  return [...metrics.values()].sort((a, b) => (a.metric < b.metric ? -1 : 1));
}
