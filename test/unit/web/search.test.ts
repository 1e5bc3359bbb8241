// The search API: scores, orders, what is refused, and the lines of the answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jaroWinkler, scorer } from '../../../src/web/api/search-score.js';
import type { LabelQuery } from '../../../src/web/deps.js';
import { NOW_MS, withApp } from '../../support/web.js';

const close = (got: number, want: number) => assert.ok(Math.abs(got - want) < 1e-4, `${got}, not ${want}`);

const subsequences: [term: string, value: string, want: number][] = [
  ['up', 'up', 1],
  ['http', 'http_requests_total', 1],
  ['', 'up', 1],
  ['up', '', 0],
  ['up', 'pu', 0],
  ['upp', 'up', 0],
  // Runs ht and p, one letter between, nine behind.
  ['htp', 'http_requests', (4 + 1 - (1 + 4.5) / 13) / 9],
  // From its second place, two letters in front.
  ['ab', 'a_ab', (4 - 2 / 4) / 4],
  ['žb', 'xžb', (4 - 1 / 3) / 4],
  ['žb', 'xzb', 0],
];
for (const [term, value, want] of subsequences) {
  test(`${JSON.stringify(value)} has the letters of ${JSON.stringify(term)}`, () => {
    close(scorer([term], 'subsequence', 0, true)(value), want);
  });
}

const similar: [a: string, b: string, want: number][] = [
  ['MARTHA', 'MARHTA', 0.9611],
  ['DIXON', 'DICKSONX', 0.8133],
  ['DWAYNE', 'DUANE', 0.84],
  ['same', 'same', 1],
  ['abc', 'xyz', 0],
  ['', 'x', 0],
  ['', '', 1],
];
for (const [a, b, want] of similar) test(`${a} is like ${b}`, () => close(jaroWinkler(a, b), want));

test('what is below the threshold does not fit, but as a whole substring', () => {
  assert.equal(scorer(['htp'], 'subsequence', 0.9, true)('http_requests'), 0);
  assert.equal(scorer(['requets'], 'jarowinkler', 0, true)('requests'), 0);
  close(scorer(['requets'], 'jarowinkler', 0.9, true)('requests'), jaroWinkler('requets', 'requests'));
  assert.equal(scorer(['requets'], 'jarowinkler', 1, true)('requests'), 0);
  close(scorer(['p_r'], 'jarowinkler', 0, true)('http_requests'), 1 - (0.9 * 3) / 10);
  assert.equal(scorer(['http'], 'jarowinkler', 0, true)('http_requests'), 1);
});

test('the best of the terms counts, and case where it is asked for', () => {
  const score = scorer(['zzz', 'UP'], 'subsequence', 0, false);
  assert.equal(score('up'), 1);
  assert.equal(scorer(['UP'], 'subsequence', 0, true)('up'), 0);
});

const NAMES = ['a_up', 'down', 'up', 'upper'];

async function search(
  path: string,
  names: readonly string[] = NAMES,
): Promise<{ lines: unknown[]; status: number; type: string }> {
  let result = { lines: [] as unknown[], status: 0, type: '' };
  const found = async () => ({ values: names, warnings: [] });
  const metadata = async () => [{ metric: 'up', type: 'gauge', help: 'h', unit: '' }];
  await withApp({ storage: { labelValues: found, labelNames: found }, targets: { metadata } }, async (app) => {
    const response = await app.fetch(`/api/v1/search/${path}`);
    const text = await response.text();
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    result = { lines, status: response.status, type: response.headers.get('content-type') ?? '' };
  });
  return result;
}

const named = (...names: string[]) => ({ results: names.map((name) => ({ name })) });
const done = (more: boolean) => ({ status: 'success', has_more: more });

const answers: [path: string, want: unknown[]][] = [
  ['metric_names', [named(...NAMES), done(false)]],
  ['label_names?limit=2', [named('a_up', 'down'), done(true)]],
  ['label_names?limit=4', [named(...NAMES), done(false)]],
  ['label_names?limit=0', [named(...NAMES), done(false)]],
  ['label_names?limit=3&batch_size=2', [named('a_up', 'down'), named('up'), done(true)]],
  ['label_values?label=x&sort_by=alpha&sort_dir=dsc&limit=2', [named('upper', 'up'), done(true)]],
  ['label_values?label=x&search[]=up', [named('a_up', 'up', 'upper'), done(false)]],
  ['label_values?label=x&search[]=up&sort_by=score&limit=2', [named('up', 'upper'), done(true)]],
  ['label_values?label=x&search[]=nothing', [named(), done(false)]],
  ['metric_names?search[]=UP&case_sensitive=false&limit=1&sort_by=score', [named('up'), done(true)]],
  [
    'metric_names?search[]=up&sort_by=score&include_score=true&include_metadata=1&limit=2',
    [
      {
        results: [
          { name: 'up', score: 1, type: 'gauge', help: 'h' },
          { name: 'upper', score: 1 },
        ],
      },
      done(true),
    ],
  ],
];
for (const [path, want] of answers) {
  test(`search/${path}`, async () => {
    const { lines, status, type } = await search(path);
    assert.equal(status, 200);
    assert.equal(type, 'application/x-ndjson; charset=utf-8');
    assert.deepEqual(lines, want);
  });
}

const refused: [path: string, message: string][] = [
  ['label_values', 'missing required parameter "label"'],
  ['label_names?limit=x', 'invalid limit "x": must be non-negative integer'],
  ['label_names?limit=-1', 'invalid limit "-1": must be non-negative integer'],
  ['label_names?batch_size=1e9', 'invalid batch_size "1e9": must be non-negative integer'],
  ['label_names?fuzz_threshold=101', 'invalid fuzz_threshold "101": must be 0-100'],
  ['label_names?fuzz_alg=x', 'unsupported fuzz_alg "x": must be one of [subsequence jarowinkler]'],
  ['label_names?case_sensitive=maybe', 'invalid case_sensitive "maybe": must be boolean'],
  ['metric_names?include_metadata=maybe', 'invalid include_metadata "maybe": must be boolean'],
  ['label_names?sort_dir=asc', 'sort_dir is only valid when sort_by is set'],
  ['label_names?sort_by=score&sort_dir=asc&search[]=a', 'sort_dir is not supported for sort_by=score'],
  ['label_names?sort_by=alpha&sort_dir=up', 'invalid sort_dir "up": must be "asc" or "dsc"'],
  ['label_names?sort_by=score', 'sort_by=score requires search[] to be set'],
  ['label_names?sort_by=__proto__', 'invalid sort_by "__proto__" for label_names: must be "alpha" or "score"'],
];
for (const [path, message] of refused) {
  test(`search/${path} is refused`, async () => {
    const { lines, status } = await search(path);
    assert.equal(status, 400);
    assert.deepEqual(lines, [{ status: 'error', errorType: 'bad_data', error: message }]);
  });
}

test('ten thousand names are scored in pieces, and the order of equal scores is that of names', async () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `n${String(i).padStart(5, '0')}`);
  const { lines } = await search('label_names?search[]=n&sort_by=score&limit=9999&batch_size=10000', names);
  assert.deepEqual(lines, [named(...names.slice(0, 9999)), done(true)]);
});

test('without times the last hour is searched; without the feature nothing is', async () => {
  const asked: LabelQuery[] = [];
  const labelNames = async (query: LabelQuery) => {
    asked.push(query);
    return { values: [], warnings: ['w'] };
  };
  await withApp({ storage: { labelNames } }, async (app) => {
    const body = new URLSearchParams([['match[]', 'up{a="b"}']]);
    const text = await (await app.fetch('/api/v1/search/label_names', { method: 'POST', body })).text();
    assert.equal(text, '{"results":[],"warnings":["w"]}\n{"status":"success","has_more":false}\n');
  });
  const [{ startMs, endMs, selectors }] = asked as [LabelQuery];
  assert.deepEqual([startMs, endMs, selectors.length], [NOW_MS - 3_600_000, NOW_MS, 1]);
  await withApp({ searchEnabled: false as never }, async (app) => {
    const response = await app.fetch('/api/v1/search/label_names');
    assert.equal(response.status, 503);
    assert.match(await response.text(), /search API disabled/);
  });
});
