// The API handlers on fakes: what they ask of the server, and how they write its answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, inflateSync } from 'node:zlib';
import { FloatHistogram } from '../../../src/model/histogram.js';
import type { Labels } from '../../../src/model/labels.js';
import { ABSENT, type Columns, FLOAT, HISTOGRAM, type Steps } from '../../../src/promql/exec/source.js';
import { ParseError } from '../../../src/promql/syntax/errors.js';
import { ALL_PARSE_OPTIONS } from '../../../src/promql/syntax/parse.js';
import { relabelRule } from '../../../src/relabel/rule.js';
import type { ActiveQuery, QueryAnswer, QueryOptions } from '../../../src/web/deps.js';
import { ApiError } from '../../../src/web/errors.js';
import { askedQueries, EMPTY_VECTOR, NOW_MS, withApp } from '../../support/web.js';

function columns(labels: Labels[], rows: (number | undefined)[][]): Columns {
  const flat = rows.flat();
  return {
    labels,
    steps: rows[0]?.length ?? 1,
    values: Float64Array.from(flat, (value) => value ?? 0),
    present: Uint8Array.from(flat, (value) => (value === undefined ? 0 : 1)),
  };
}

function answer(data: QueryAnswer['data'], remarks: Partial<QueryAnswer> = {}): QueryAnswer {
  return { data, warnings: [], infos: [], ...remarks };
}

/** Bodies of /api/v1/query for what the engine gives. */
const instants: [name: string, query: string, given: QueryAnswer, want: string][] = [
  [
    'a scalar',
    '',
    answer({ kind: 'scalar', timeMs: 1570, value: 1e-7 }),
    '{"resultType":"scalar","result":[1.57,"0.0000001"]}',
  ],
  [
    'a string',
    '',
    answer({ kind: 'string', timeMs: 1500, text: 'a"\n' }),
    '{"resultType":"string","result":[1.5,"a\\"\\n"]}',
  ],
  ['an empty vector', '', EMPTY_VECTOR, '{"resultType":"vector","result":[]}'],
  [
    'a vector',
    '',
    answer({
      kind: 'vector',
      timeMs: 1570,
      columns: columns([['__name__', 'up', 'job', 'é"'], []], [[1e-7], [Number.NaN]]),
    }),
    '{"resultType":"vector","result":[' +
      '{"metric":{"__name__":"up","job":"é\\""},"value":[1.570,"1e-07"]},{"metric":{},"value":[1.570,"NaN"]}]}',
  ],
  [
    'a vector cut by the limit',
    '&limit=1',
    answer({
      kind: 'vector',
      timeMs: -1001,
      columns: columns(
        [
          ['a', '1'],
          ['a', '2'],
        ],
        [[1], [2]],
      ),
    }),
    '{"resultType":"vector","result":[{"metric":{"a":"1"},"value":[-1.001,"1"]}]},"warnings":["results truncated due to limit"]',
  ],
  [
    'a vector that the limit holds exactly',
    '&limit=2',
    answer({
      kind: 'vector',
      timeMs: 1000,
      columns: columns(
        [
          ['a', '1'],
          ['a', '2'],
        ],
        [[1], [2]],
      ),
    }),
    '{"resultType":"vector","result":[{"metric":{"a":"1"},"value":[1,"1"]},{"metric":{"a":"2"},"value":[1,"2"]}]}',
  ],
  [
    'raw samples',
    '',
    answer({
      kind: 'raw',
      series: [
        {
          labels: ['a', '1'],
          times: Float64Array.of(1000, 1500),
          values: Float64Array.of(Number.POSITIVE_INFINITY, -0),
        },
      ],
    }),
    '{"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[[1,"+Inf"],[1.500,"-0"]]}]}',
  ],
  [
    'remarks',
    '',
    answer(EMPTY_VECTOR.data, { warnings: ['w'], infos: ['i', 'j'] }),
    '{"resultType":"vector","result":[]},"warnings":["w"],"infos":["i","j"]',
  ],
  [
    'statistics',
    '&stats=all',
    answer(EMPTY_VECTOR.data, {
      stats: {
        evalTotalSeconds: 0.5,
        resultSortSeconds: 0,
        preparationSeconds: 0.1,
        innerEvalSeconds: 0.25,
        queueSeconds: 0,
        execTotalSeconds: 0.75,
        samplesTotal: 10,
        samplesPeak: 5,
      },
    }),
    '{"resultType":"vector","result":[],"stats":{"timings":{"evalTotalTime":0.5,"resultSortTime":0,' +
      '"queryPreparationTime":0.1,"innerEvalTime":0.25,"execQueueTime":0,"execTotalTime":0.75},' +
      '"samples":{"totalQueryableSamples":10,"samplesRead":10,"peakSamples":5}}}',
  ],
];

for (const [name, query, given, want] of instants) {
  test(`query: ${name}`, async () => {
    await withApp({ query: { instant: async () => given } }, async (app) => {
      const reply = await app.fetch(`/api/v1/query?query=x${query}`);
      assert.equal(reply.status, 200);
      assert.equal(reply.headers.get('content-type'), 'application/json');
      assert.equal(await reply.text(), `{"status":"success","data":${want}}`);
    });
  });
}

test('native histograms have their own fields', async () => {
  const histogram = new FloatHistogram({
    schema: 0,
    count: 7,
    sum: 1.5,
    zeroThreshold: 0.001,
    zeroCount: 1,
    positive: { indices: [0, 2], counts: [2, 0] },
    negative: { indices: [1], counts: [4] },
  });
  const custom = new FloatHistogram({
    schema: -53,
    bounds: [-1, 1],
    count: 1,
    positive: { indices: [0], counts: [1] },
  });
  const json = '{"count":"7","sum":"1.5","buckets":[[1,"-2","-1","4"],[3,"-0.001","0.001","1"],[0,"0.5","1","2"]]}';
  const customJson = '{"count":"1","sum":"0","buckets":[[3,"-Inf","-1","1"]]}';
  const labels = [
    ['a', '1'],
    ['a', '2'],
  ];
  const present = Uint8Array.of(HISTOGRAM, FLOAT, HISTOGRAM, ABSENT);
  const cells = {
    labels,
    values: Float64Array.of(0, 9, 0, 0),
    present,
    histograms: new Map([
      [0, histogram],
      [2, custom],
    ]),
  };
  const raw = {
    labels: [],
    times: Float64Array.of(1000),
    values: Float64Array.of(2),
    histogramTimes: Float64Array.of(2000),
    histograms: [custom],
  };
  const engine = {
    instant: async (text: string) =>
      text === 'raw'
        ? answer({ kind: 'raw', series: [raw] })
        : answer({ kind: 'vector', timeMs: 0, columns: { ...cells, labels: [['a', '1']], steps: 1 } }),
    range: async (_text: string, steps: Steps) => answer({ kind: 'range', steps, columns: { ...cells, steps: 2 } }),
  };
  await withApp({ query: engine }, async (app) => {
    const result = async (path: string) => (await (await app.fetch(path)).text()).replace(/^.*"result":/, '');
    assert.equal(await result('/api/v1/query?query=x'), `[{"metric":{"a":"1"},"histogram":[0,${json}]}]}}`);
    assert.equal(
      await result('/api/v1/query_range?query=x&start=0&end=1&step=1'),
      `[{"metric":{"a":"1"},"values":[[1,"9"]],"histograms":[[0,${json}]]},` +
        `{"metric":{"a":"2"},"histograms":[[0,${customJson}]]}]}}`,
    );
    assert.equal(
      await result('/api/v1/query?query=raw'),
      `[{"metric":{},"values":[[1,"2"]],"histograms":[[2,${customJson}]]}]}}`,
    );
  });
});

test('query_range: absent points are left out', async () => {
  const rows = [
    [1, undefined, 3],
    [undefined, 5, undefined],
  ];
  const given = columns(
    [
      ['a', '1'],
      ['a', '3'],
    ],
    rows,
  );
  await withApp(
    { query: { range: async (_text, steps) => answer({ kind: 'range', steps, columns: given }) } },
    async (app) => {
      const reply = await app.fetch('/api/v1/query_range?query=x&start=1&end=2&step=0.5');
      assert.equal(
        await reply.text(),
        '{"status":"success","data":{"resultType":"matrix","result":[' +
          '{"metric":{"a":"1"},"values":[[1,"1"],[2,"3"]]},{"metric":{"a":"3"},"values":[[1.500,"5"]]}]}}',
      );
    },
  );
});

/** What the engine is asked for, by the parameters. */
const asked: [parameters: string, want: [text: string, timeMs: number, options: Omit<QueryOptions, 'signal'>]][] = [
  ['query=up', ['up', NOW_MS, { timeoutMs: undefined, lookbackMs: undefined }]],
  ['query=up%20%2B+1&time=1.5', ['up + 1', 1500, { timeoutMs: undefined, lookbackMs: undefined }]],
  ['query=a&time=2015-07-01T20:10:51.781Z&timeout=1m30s', ['a', NOW_MS, { timeoutMs: 90_000, lookbackMs: undefined }]],
  ['query=a&time=2015-07-01T22:10:51.781%2B02:00', ['a', NOW_MS, { timeoutMs: undefined, lookbackMs: undefined }]],
  ['query=a&time=0&timeout=0.5&lookback_delta=5m', ['a', 0, { timeoutMs: 500, lookbackMs: 300_000 }]],
  ['query=a&query=b&time=-1.001', ['a', -1001, { timeoutMs: undefined, lookbackMs: undefined }]],
];

for (const [parameters, want] of asked) {
  for (const how of ['GET', 'POST'] as const) {
    test(`query asks as it was asked, by ${how}: ${parameters}`, async () => {
      const got: unknown[] = [];
      const instant = async (text: string, timeMs: number, { timeoutMs, lookbackMs }: QueryOptions) => {
        got.push(text, timeMs, { timeoutMs, lookbackMs });
        return EMPTY_VECTOR;
      };
      await withApp({ query: { instant } }, async (app) => {
        const form = { 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8' };
        const reply =
          how === 'GET'
            ? await app.fetch(`/api/v1/query?${parameters}`)
            : await app.fetch('/api/v1/query?query=behind&time=7', { method: 'POST', body: parameters, headers: form });
        assert.equal(reply.status, 200);
        // A form's parameters come before those of the URL.
        assert.deepEqual(got.slice(0, 1), [want[0]]);
        if (how === 'GET' || parameters.includes('time=')) assert.deepEqual(got, want);
      });
    });
  }
}

test('query asks as a multipart form says, where the URL does not', async () => {
  const got: unknown[] = [];
  const instant = async (text: string, timeMs: number) => {
    got.push(text, timeMs);
    return EMPTY_VECTOR;
  };
  await withApp({ query: { instant } }, async (app) => {
    const form = new FormData();
    form.append('query', 'up{job="é"}');
    form.append('time', '8');
    assert.equal((await app.fetch('/api/v1/query?time=7', { method: 'POST', body: form })).status, 200);
  });
  assert.deepEqual(got, ['up{job="é"}', 7000]);
});

test('query_range asks for the steps between start and end', async () => {
  const got: [Steps, number | undefined][] = [];
  const range = async (_text: string, steps: Steps, { endMs }: QueryOptions) => {
    got.push([steps, endMs]);
    return EMPTY_VECTOR;
  };
  await withApp({ query: { range } }, async (app) => {
    for (const tail of ['start=0&end=11000&step=1', 'start=1&end=2&step=0.3', 'start=5&end=5&step=1h']) {
      assert.equal((await app.fetch(`/api/v1/query_range?query=x&${tail}`)).status, 200);
    }
  });
  assert.deepEqual(got, [
    [{ startMs: 0, stepMs: 1000, count: 11_001 }, 11_000_000],
    [{ startMs: 1000, stepMs: 300, count: 4 }, 2000],
    [{ startMs: 5000, stepMs: 3_600_000, count: 1 }, 5000],
  ]);
});

/** What becomes of what the engine throws. */
const failures: [name: string, error: Error, status: number, type: string, message: string][] = [
  ['bad data', new ApiError('bad_data', 'm'), 400, 'bad_data', 'invalid parameter "query": m'],
  [
    'a parse error',
    new ParseError('m', 'up{', { start: 2, end: 3 }),
    400,
    'bad_data',
    'invalid parameter "query": 1:3: parse error: m',
  ],
  ['execution', new ApiError('execution', 'm'), 422, 'execution', 'm'],
  ['timeout', new ApiError('timeout', 'query timed out'), 503, 'timeout', 'query timed out'],
  ['canceled', new ApiError('canceled', 'm'), 499, 'canceled', 'm'],
  ['unavailable', new ApiError('unavailable', 'm'), 503, 'unavailable', 'm'],
  ['a fault of ours', new TypeError('x is undefined'), 500, 'internal', 'x is undefined'],
  ['an error with a foreign type', Object.assign(new Error('m'), { type: 'constructor' }), 500, 'internal', 'm'],
];

for (const [name, error, status, type, message] of failures) {
  test(`query: ${name} becomes ${status}`, async () => {
    await withApp({ query: { instant: () => Promise.reject(error) } }, async (app) => {
      const reply = await app.fetch('/api/v1/query?query=x');
      assert.equal(reply.status, status);
      assert.deepEqual(await reply.json(), { status: 'error', errorType: type, error: message });
    });
  });
}

test('a large matrix is streamed, and can be compressed', async () => {
  const steps = 5000;
  const rows = 40;
  const given: Columns = {
    labels: Array.from({ length: rows }, (_, row) => ['__name__', 'm', 'row', String(row)]),
    steps,
    values: Float64Array.from({ length: rows * steps }, (_, i) => i / 8),
    present: new Uint8Array(rows * steps).fill(1),
  };
  const range = async (_text: string, wanted: Steps) => answer({ kind: 'range', steps: wanted, columns: given });
  await withApp({ query: { range } }, async (app) => {
    const path = `/api/v1/query_range?query=x&start=0&end=${steps - 1}&step=1`;
    const plain = await app.fetch(path, { headers: { 'Accept-Encoding': 'identity' } });
    assert.equal(plain.headers.get('content-length'), null);
    const body = (await plain.json()) as {
      data: { result: { metric: { row: string }; values: [number, string][] }[] };
    };
    assert.equal(body.data.result.length, rows);
    const last = body.data.result[rows - 1]!;
    assert.equal(last.metric.row, String(rows - 1));
    assert.deepEqual(last.values[steps - 1], [steps - 1, String((rows * steps - 1) / 8)]);

    for (const coding of ['gzip', 'deflate']) {
      const compressed = await app.fetch(path, { headers: { 'Accept-Encoding': coding } });
      assert.equal(compressed.headers.get('content-encoding'), coding);
      assert.deepEqual(await compressed.json(), body);
    }
  });
});

test('small answers are not compressed, larger ones are', async () => {
  const values = Array.from({ length: 1000 }, (_, i) => `value-${i}`);
  await withApp(
    { storage: { labelNames: async (query) => ({ values: query.limit === 3 ? ['a'] : values, warnings: [] }) } },
    async (app) => {
      const ask = (path: string, coding: string) => app.fetch(path, { headers: { 'Accept-Encoding': coding } });
      assert.equal((await ask('/api/v1/labels?limit=2', 'gzip')).headers.get('content-encoding'), null);
      assert.equal((await ask('/api/v1/labels', 'br')).headers.get('content-encoding'), null);
      assert.equal((await ask('/api/v1/labels', 'gzip;q=0')).headers.get('content-encoding'), null);
      const reply = await ask('/api/v1/labels', 'br, gzip');
      assert.equal(reply.headers.get('content-encoding'), 'gzip');
      assert.ok(reply.headers.get('content-length'));
      assert.deepEqual(((await reply.json()) as { data: string[] }).data, values);
    },
  );
});

test('the codings are what they say', async () => {
  // fetch decodes by itself; here the bytes are looked at.
  const values = Array.from({ length: 500 }, (_, i) => `v${i}`);
  await withApp({ storage: { labelNames: async () => ({ values, warnings: [] }) } }, async (app) => {
    const { get } = await import('node:http');
    const raw = (coding: string) =>
      new Promise<Buffer>((resolve) => {
        get(`${app.url}/api/v1/labels`, { headers: { 'Accept-Encoding': coding } }, (reply) => {
          const pieces: Buffer[] = [];
          reply.on('data', (piece) => pieces.push(piece)).on('end', () => resolve(Buffer.concat(pieces)));
        });
      });
    assert.equal(JSON.parse(String(gunzipSync(await raw('gzip')))).data.length, 500);
    assert.equal(JSON.parse(String(inflateSync(await raw('deflate')))).data.length, 500);
  });
});

test('labels, values and series ask the storage and cut at the limit', async () => {
  const { asked: queries, storage } = askedQueries();
  await withApp({ storage }, async (app) => {
    const body = async (path: string) => (await app.fetch(path)).json();
    assert.deepEqual(await body('/api/v1/labels?match[]=up&match[]={job="a"}&start=1&end=2&limit=2'), {
      status: 'success',
      data: ['a', 'b'],
      warnings: ['results truncated due to limit'],
    });
    const { signal: _, ...query } = queries[0]!;
    assert.deepEqual(query, {
      selectors: [[{ name: '__name__', op: '=', value: 'up' }], [{ name: 'job', op: '=', value: 'a' }]],
      startMs: 1000,
      endMs: 2000,
      limit: 3,
    });
    assert.deepEqual(await body('/api/v1/label/U__a_2e_b/values'), {
      status: 'success',
      data: ['a.b', 'a', 'b', 'c'],
      warnings: ['w'],
    });
    assert.deepEqual(await body('/api/v1/label/a%20b/values?limit=4'), {
      status: 'success',
      data: ['a b', 'a', 'b', 'c'],
      warnings: ['w'],
    });
    assert.deepEqual(await body('/api/v1/series?match[]=up'), {
      status: 'success',
      data: [
        { __name__: 'up', job: 'a' },
        { __name__: 'up', job: 'b' },
      ],
    });
    assert.deepEqual(await body('/api/v1/series?match[]=up&limit=1'), {
      status: 'success',
      data: [{ __name__: 'up', job: 'a' }],
      warnings: ['results truncated due to limit'],
    });
  });
});

test('a stream that breaks off in the middle ends the connection', async () => {
  const storage = {
    series: async () => ({
      rows: {
        rowCount: 3,
        *pieces() {
          yield Buffer.from(`{"__name__":"${'x'.repeat(100_000)}"}`);
          // With the second the first leaves.
          yield Buffer.from(`,{"__name__":"${'y'.repeat(100_000)}"}`);
          throw new Error('the shard is gone');
        },
      },
      warnings: [],
    }),
  };
  await withApp({ storage }, async (app) => {
    const reply = await app.fetch('/api/v1/series?match[]=up');
    assert.equal(reply.status, 200);
    await assert.rejects(reply.text());
  });
  const early = {
    series: async () => {
      throw new ApiError('unavailable', 'the shard is gone');
    },
  };
  await withApp({ storage: early }, async (app) => {
    const reply = await app.fetch('/api/v1/series?match[]=up');
    assert.equal(reply.status, 503);
    assert.equal(reply.headers.get('retry-after'), '1');
  });
});

test('hostile names and values come out as plain JSON', async () => {
  const names = ['__proto__', 'constructor', '</script>', '\u2028', '\ud83d\ude00', '"\\'];
  const labels = names.flatMap((name) => [name, name]);
  const data = { kind: 'vector', timeMs: 0, columns: columns([labels], [[1]]) } as const;
  await withApp({ query: { instant: async () => answer(data) } }, async (app) => {
    const text = await (await app.fetch('/api/v1/query?query=x')).text();
    const parsed = JSON.parse(text);
    assert.deepEqual(
      Object.entries(parsed.data.result[0].metric),
      names.map((name) => [name, name]),
    );
  });
});

test('metadata is grouped, made distinct and cut', async () => {
  const entry = (metric: string, help: string) => ({ metric, type: 'counter', help, unit: '' });
  const metadata = async () => [
    entry('a', '1'),
    entry('a', '1'),
    entry('a', '2'),
    entry('__proto__', '3'),
    entry('b', '4'),
  ];
  await withApp({ targets: { metadata } }, async (app) => {
    const body = async (path: string) =>
      ((await (await app.fetch(path)).json()) as { data: Record<string, unknown[]> }).data;
    const all = await body('/api/v1/metadata');
    assert.deepEqual(Object.keys(all), ['a', '__proto__', 'b']);
    assert.equal(all.a!.length, 2);
    assert.deepEqual(await body('/api/v1/metadata?metric=b'), { b: [{ type: 'counter', help: '4', unit: '' }] });
    assert.deepEqual(Object.keys(await body('/api/v1/metadata?limit=1')), ['a']);
    assert.equal((await body('/api/v1/metadata?limit_per_metric=1')).a!.length, 1);
    assert.deepEqual(await body('/api/v1/metadata?limit=0'), {});
  });
});

test('targets are listed by state and pool', async () => {
  const target = {
    discovered: ['__address__', 'a:1'],
    labels: ['instance', 'a:1', 'job', 'p'],
    pool: 'p',
    url: 'http://a:1/metrics',
    globalUrl: 'http://a:1/metrics',
    lastError: '',
    lastScrapeMs: 1_500_000_000_120,
    lastScrapeSeconds: 0.25,
    health: 'up',
    intervalMs: 15_000,
    timeoutMs: 10_000,
  } as const;
  const targets = {
    active: () => [target, { ...target, pool: 'q', lastScrapeMs: undefined, health: 'unknown' as const }],
    dropped: () => [{ discovered: ['__address__', 'b:1'], pool: 'p' }],
    droppedCounts: () => new Map([['p', 1]]),
    pools: () => ['q', 'p'],
  };
  await withApp({ targets }, async (app) => {
    const body = async (path: string) => ((await (await app.fetch(path)).json()) as { data: never }).data;
    const shown = {
      discoveredLabels: { __address__: 'a:1' },
      labels: { instance: 'a:1', job: 'p' },
      scrapePool: 'p',
      scrapeUrl: 'http://a:1/metrics',
      globalUrl: 'http://a:1/metrics',
      lastError: '',
      lastScrape: '2017-07-14T02:40:00.12Z',
      lastScrapeDuration: 0.25,
      health: 'up',
      scrapeInterval: '15s',
      scrapeTimeout: '10s',
    };
    const never = { ...shown, scrapePool: 'q', lastScrape: '0001-01-01T00:00:00Z', health: 'unknown' };
    const dropped = { discoveredLabels: { __address__: 'b:1' }, scrapePool: 'p' };
    assert.deepEqual(await body('/api/v1/targets'), {
      activeTargets: [shown, never],
      droppedTargets: [dropped],
      droppedTargetCounts: { p: 1 },
    });
    assert.deepEqual(await body('/api/v1/targets?state=active&scrapePool=p'), {
      activeTargets: [shown],
      droppedTargets: [],
      droppedTargetCounts: null,
    });
    assert.deepEqual(await body('/api/v1/targets?state=dropped&scrapePool=q'), {
      activeTargets: [],
      droppedTargets: [],
      droppedTargetCounts: { p: 1 },
    });
    assert.deepEqual(await body('/api/v1/scrape_pools'), { scrapePools: ['p', 'q'] });
  });
});

test('relabel steps show what each rule made of labels', async () => {
  const rules = [
    relabelRule({ sourceLabels: ['__address__'], regex: '(.*):.*', targetLabel: 'host' }),
    relabelRule({ sourceLabels: ['a', 'b'], separator: '/', modulus: 8n, targetLabel: 'shard', action: 'hashmod' }),
    relabelRule({ sourceLabels: ['host'], regex: 'x', action: 'drop' }),
    relabelRule({ regex: 'a', action: 'labeldrop' }),
  ];
  const config = { yaml: 'job_name: p\n', relabelRules: rules, nameScheme: 'utf8' as const };
  const targets = { configOf: (pool: string) => (pool === 'p' ? config : undefined) };
  await withApp({ targets }, async (app) => {
    const steps = async (labels: object) => {
      const query = new URLSearchParams({ scrapePool: 'p', labels: JSON.stringify(labels) });
      const reply = await app.fetch(`/api/v1/targets/relabel_steps?${query}`);
      return ((await reply.json()) as { data: { steps: { rule: object; output: object; keep: boolean }[] } }).data
        .steps;
    };
    const kept = await steps({ __address__: 'h:1', a: '1' });
    assert.deepEqual(
      kept.map(({ rule }) => rule),
      [
        {
          source_labels: ['__address__'],
          separator: ';',
          regex: '(.*):.*',
          target_label: 'host',
          replacement: '$1',
          action: 'replace',
        },
        {
          source_labels: ['a', 'b'],
          separator: '/',
          regex: '(.*)',
          modulus: 8,
          target_label: 'shard',
          replacement: '$1',
          action: 'hashmod',
        },
        { source_labels: ['host'], separator: ';', regex: 'x', replacement: '$1', action: 'drop' },
        { separator: ';', regex: 'a', replacement: '$1', action: 'labeldrop' },
      ],
    );
    assert.ok(kept.every(({ keep }) => keep));
    assert.deepEqual(kept[3]!.output, { __address__: 'h:1', host: 'h', shard: '6' });
    const dropped = await steps({ __address__: 'x:1' });
    assert.deepEqual(
      dropped.map(({ keep, output }) => [keep, Object.keys(output).length]),
      [
        [true, 2],
        [true, 3],
        [false, 0],
        [false, 0],
      ],
    );
    const refusals: [query: string, error: string][] = [
      ['', 'no scrapePool parameter provided'],
      ['scrapePool=p', 'no labels parameter provided'],
      ['scrapePool=p&labels=[]', 'error parsing labels: want an object'],
      ['scrapePool=p&labels={"a":1}', 'error parsing labels: the value of "a" is no text'],
      ['scrapePool=q&labels={}', 'error retrieving scrape config: scrape pool "q" not found'],
    ];
    for (const [query, error] of refusals) {
      const reply = await app.fetch(`/api/v1/targets/relabel_steps?${query}`);
      assert.deepEqual(await reply.json(), { status: 'error', errorType: 'bad_data', error });
    }
    const shown = await app.fetch('/api/v1/scrape_pools/config?scrapePool=p');
    assert.deepEqual(await shown.json(), { status: 'success', data: { yaml: 'job_name: p\n' } });
  });
});

test('of many remarks ten of each kind are told', async () => {
  const many = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${kind} ${i}`);
  const given = { ...EMPTY_VECTOR, warnings: many('w', 12), infos: many('i', 10) };
  await withApp({ query: { instant: async () => given } }, async (app) => {
    const reply = (await (await app.fetch('/api/v1/query?query=x')).json()) as { warnings: string[]; infos: string[] };
    assert.deepEqual(reply.warnings, [...many('w', 10), '2 more warning annotations omitted']);
    assert.deepEqual(reply.infos, many('i', 10));
  });
});

test('a text that once asked for statistics is warned of', async () => {
  await withApp({}, async (app) => {
    const warnings = async (stats: string) =>
      ((await (await app.fetch(`/api/v1/query?query=x&stats=${stats}`)).json()) as { warnings?: string[] }).warnings;
    assert.deepEqual(await warnings('1'), [
      'value "1" for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"',
    ]);
    assert.equal(await warnings('true'), undefined);
    assert.equal(await warnings('all'), undefined);
  });
});

test('parse_query and format_query allow what the server allows', async () => {
  const ask = async (language?: typeof ALL_PARSE_OPTIONS) => {
    let answers: unknown[] = [];
    await withApp(language === undefined ? {} : { language }, async (app) => {
      const paths = ['parse_query', 'format_query'];
      const body = () => new URLSearchParams({ query: 'limitk(1,a)' });
      const replies = paths.map((path) => app.fetch(`/api/v1/${path}`, { method: 'POST', body: body() }));
      answers = await Promise.all(replies.map(async (reply) => (await reply).json()));
    });
    return answers as { status: string; data: unknown; error?: string }[];
  };
  for (const { status, error } of await ask()) {
    assert.equal(status, 'error');
    assert.match(error!, /^invalid parameter "query": 1:1: parse error: limitk\(\) is experimental/);
  }
  const [tree, text] = await ask(ALL_PARSE_OPTIONS);
  assert.equal((tree!.data as { op: string }).op, 'limitk');
  assert.equal(text!.data, 'limitk(1, a)');
});

test('active queries are listed, and ended by a POST that no other site may send', async () => {
  const canceled: number[] = [];
  const active: ActiveQuery = {
    id: 7,
    text: 'm{a="b"}',
    priority: 'ad-hoc',
    phase: 'expression evaluation',
    startedMs: NOW_MS - 1500,
    client: '192.0.2.1',
    memoryBytes: 1024,
  };
  const query = { active: () => [active], cancel: (id: number) => id === 7 && canceled.push(id) > 0 };
  await withApp({ query }, async (app) => {
    const listed = await (await app.fetch('/api/v1/status/active_queries')).json();
    assert.deepEqual(listed, {
      status: 'success',
      data: [
        {
          id: 7,
          query: 'm{a="b"}',
          state: 'expression evaluation',
          priority: 'ad-hoc',
          client: '192.0.2.1',
          started: '2015-07-01T20:10:50.281Z',
          seconds: 1.5,
          memoryBytes: 1024,
        },
      ],
    });
    const cancel = (id: string, init: RequestInit = { method: 'POST' }) =>
      app.fetch(`/api/v1/status/active_queries/${id}/cancel`, init);
    assert.equal((await cancel('7', { method: 'GET' })).status, 405);
    assert.equal((await cancel('7', { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } })).status, 403);
    assert.deepEqual(canceled, []);
    assert.equal((await cancel('7')).status, 200);
    assert.deepEqual(canceled, [7]);
    for (const id of ['8', '-7', '7.0', 'x', '1e1', '9'.repeat(400)]) {
      const refused = await cancel(id);
      assert.equal(refused.status, 404, id);
      assert.equal(((await refused.json()) as { errorType: string }).errorType, 'not_found');
    }
  });
});

test('explain_query: instant without a range, ranged with one, run where it is asked for', async () => {
  const asked: unknown[] = [];
  const explanation = { plan: 'plan\n  fragment m', readings: [{ text: 'fragment m', steps: 1, estimate: undefined }] };
  const explain = async (text: string, steps: Steps, ranged: boolean, { analyze }: { analyze: boolean }) => {
    if (text === 'm +') throw new ParseError('unexpected end of input', text, { start: 3, end: 3 });
    asked.push([text, steps, ranged, analyze]);
    return explanation;
  };
  await withApp({ query: { explain } }, async (app) => {
    const ask = async (params: string) => (await app.fetch(`/api/v1/status/explain_query?${params}`)).json();
    const text = `${explanation.plan}\n\nreads\n  fragment m\n    1 steps`;
    const want = {
      status: 'success',
      data: { plan: explanation.plan, readings: [{ text: 'fragment m', steps: 1 }], text },
    };
    assert.deepEqual(await ask('query=m&time=5'), want);
    assert.deepEqual(await ask('query=m&start=0&end=60&step=30&analyze=true'), want);
    assert.deepEqual(asked, [
      ['m', { startMs: 5000, stepMs: 1, count: 1 }, false, false],
      ['m', { startMs: 0, stepMs: 30_000, count: 3 }, true, true],
    ]);
    for (const params of ['query=m&start=0&end=60', 'query=m&end=60'])
      assert.equal(((await ask(params)) as { errorType: string }).errorType, 'bad_data', params);
    assert.deepEqual(await ask('query=m%20%2B'), {
      status: 'error',
      errorType: 'bad_data',
      error: 'invalid parameter "query": 1:4: parse error: unexpected end of input',
    });
  });
});

test('statistics by step, where they were counted and stats=all asked for them', async () => {
  const byStep = {
    steps: { startMs: 1500, stepMs: 500, count: 2 },
    total: Float64Array.of(12, 0),
    read: Float64Array.of(12, 3),
  };
  const stats = {
    ...{ evalTotalSeconds: 0, resultSortSeconds: 0, preparationSeconds: 0, innerEvalSeconds: 0, queueSeconds: 0 },
    ...{ execTotalSeconds: 0, samplesTotal: 1, samplesPeak: 5, counts: { total: 12, read: 15, byStep } },
  };
  const counted: unknown[] = [];
  const instant = async (_text: string, _timeMs: number, options: QueryOptions) => {
    counted.push(options.counted);
    return { ...EMPTY_VECTOR, stats };
  };
  await withApp({ query: { instant } }, async (app) => {
    const samples = async (params: string) => {
      const { data } = (await (await app.fetch(`/api/v1/query?query=x${params}`)).json()) as {
        data: { stats?: { samples: object } };
      };
      return data.stats?.samples;
    };
    const totals = { totalQueryableSamples: 12, samplesRead: 15, peakSamples: 5 };
    const perStep = {
      totalQueryableSamplesPerStep: [
        [1.5, 12],
        [2, 0],
      ],
      samplesReadPerStep: [
        [1.5, 12],
        [2, 3],
      ],
    };
    assert.deepEqual(await samples('&stats=all'), { ...totals, ...perStep });
    assert.deepEqual(await samples('&stats=true'), totals);
    assert.equal(await samples(''), undefined);
    assert.deepEqual(counted, [true, true, false]);
  });
});
