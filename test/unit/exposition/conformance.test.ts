// Texts whose scrape by a real Prometheus was recorded: the public conformance cases, and
// our own at the edges of the format: testdata/exposition.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compareLabels, keyOf, type Labels, labelsOf } from '../../../src/model/labels.js';
import type { MetadataLine } from '../../../src/wasm/exposition.js';
import { type ModelSample, type ModelScrape, ModelTarget, valueOfBits } from '../../support/scrape-model.js';
import { conformance, hasConformance, readConformance, readTestdata } from '../../support/testdata.js';

interface Recorded {
  readonly contentType: string;
  readonly up: number;
  readonly error?: string;
  readonly samples?: readonly { labels: Record<string, string>; value: string; ts: string | number }[];
  readonly sampleCount?: number;
  readonly metadata?: readonly { metric: string; type: string; help: string; unit: string }[];
}

const TIME = 1_700_000_000_000;
const TEXT_FORMAT = 'text/plain; version=0.0.4';
const recorded = (hasConformance() ? JSON.parse(readConformance('exposition/SCRAPE-RESULTS.json')) : {}) as Record<
  string,
  Recorded
>;
/** OpenMetrics and protobuf come later. */
const texts = Object.entries(recorded).filter(([, want]) => want.contentType.startsWith(TEXT_FORMAT));

for (const [name, want] of texts) {
  test(`scrape of ${name}`, () => check(readFileSync(conformance(`exposition/${name}`)), want));
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

test('a fault has the offset of what is wrong', () => {
  const target = new ModelTarget();
  assert.equal(target.scrape('a 1\nb{x="1"} 1.5.5\n', 1).offset, 13);
  assert.equal(target.scrape('a 1\n@', 1).offset, 4);
});

/** Scrapes a body twice, the second time over what the first left behind: both must give what was recorded. */
function check(body: Uint8Array, want: Recorded): void {
  const target = new ModelTarget({ target: ['instance', 'i', 'job', 'j'] });
  const first = target.scrape(body, TIME);
  compare(first, want);
  assert.deepEqual(metadataOf(first.metadata), metadataOf(linesOf(want)));
  const again = target.scrape(body, TIME);
  compare(again, want);
  assert.deepEqual(again.metadata, []);
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
  return (want.metadata ?? []).flatMap(({ metric, type, help }) => [
    { kind: 'help' as const, metric, text: help },
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

function metadataOf(lines: readonly { kind: string; metric: string; text: string }[]) {
  const metrics = new Map<string, { metric: string; type: string; help: string; unit: string }>();
  for (const { kind, metric, text } of lines) {
    const entry = metrics.get(metric) ?? { metric, type: 'unknown', help: '', unit: '' };
    metrics.set(metric, kind === 'help' ? { ...entry, help: text } : { ...entry, type: text });
  }
  return [...metrics.values()].sort((a, b) => (a.metric < b.metric ? -1 : 1));
}
