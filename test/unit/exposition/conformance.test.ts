// Texts whose scrape by a real Prometheus was recorded: testdata/conformance/exposition.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compareLabels, type Labels, labelsOf } from '../../../src/model/labels.js';
import { ModelTarget, valueOfBits } from '../../support/scrape-model.js';
import { readTestdata, testdata } from '../../support/testdata.js';

interface Recorded {
  readonly up: number;
  readonly error?: string;
  readonly samples: readonly { labels: Record<string, string>; value: string; ts: string | number }[];
  readonly sampleCount?: number;
  readonly metadata?: readonly { metric: string; type: string; help: string; unit: string }[];
}

const FOLDER = 'conformance/exposition';
const TIME = 1_700_000_000_000;
const recorded = JSON.parse(readTestdata(`${FOLDER}/results.json`)) as Record<string, Recorded>;

for (const [name, want] of Object.entries(recorded)) {
  test(`scrape of ${name}`, () => {
    const target = new ModelTarget({ target: ['instance', 'i', 'job', 'j'] });
    const body = readFileSync(testdata(`${FOLDER}/${name}`));
    const got = target.scrape(body, TIME);
    assert.equal(got.error, want.error);
    const samples = sorted(got.samples.map((sample) => ({ ...sample, labels: ownLabels(sample.labels) })));
    if (want.sampleCount !== undefined) assert.equal(samples.length, want.sampleCount);
    const wanted = sorted(
      want.samples.map((sample) => ({
        labels: labelsOf(Object.entries(sample.labels)),
        value: sample.value,
        timeMs: sample.ts === 'scrape' ? TIME : Number(sample.ts),
      })),
    );
    assert.deepEqual(
      samples.slice(0, wanted.length).map(({ labels, timeMs, bits }) => [labels, timeMs, valueOfBits(bits)]),
      wanted.map(({ labels, timeMs, value }) => [labels, timeMs, numberOf(value)]),
    );
    assert.deepEqual(metadataOf(got.metadata), want.metadata ?? []);

    // Once more, over what the first left behind: the way of a known line must give the same.
    const again = target.scrape(body, TIME);
    assert.equal(again.error, want.error);
    assert.deepEqual(sorted(again.samples), sorted(got.samples));
    assert.deepEqual(again.metadata, []);
  });
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
