// What targets of the side-by-side say: the n-th page that a client asks for, n from 1.
//
// A page is a function of the target's kind, its number and n, and of nothing else. `page` has n itself as its value:
// by that, samples of two servers that scrape at other times are brought together. No value is NaN: in a dump, that is
// a stale marker.

import { gzipSync } from 'node:zlib';
import { openMetricsPage, type PageFamily } from '../exposition-page.js';
import { protobufPage } from '../protobuf-page.js';

export type Kind =
  | 'text'
  | 'gzip'
  | 'openmetrics'
  | 'protobuf'
  | 'flaky'
  | 'shaky'
  | 'growing'
  | 'owner'
  | 'missing'
  | 'html'
  | 'circle'
  | 'silent';

export interface Said {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Instead of an answer: nothing until the client goes, or the end of the connection at once, or inside the body. */
  readonly fault?: 'silence' | 'end' | 'cut';
  /** The answer is good, what is in it is not: a line, or how much there is. */
  readonly isRefused?: boolean;
}

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

/** Of samples and exemplars with times of their own: the same for both clients, and not too old in ten minutes. */
const OWN_START_MS = Math.floor(Date.now() / 1000) * 1000 - 60_000;
const OWN_STEP_MS = 250;

const ownTime = (n: number) => OWN_START_MS + n * OWN_STEP_MS;

/** What the value of such a sample is, by page. A scrape may come at one of those times, too: then this is another. */
const OWN_VALUES: ReadonlyMap<string, (n: number) => number> = new Map([
  ['explicit', (n) => n * 1.5],
  ['timed', (n) => n],
]);

/** Which page said a sample with a time of its own; undefined where none did. */
export function pageOfOwnTime(name: string, timeMs: number, value: number | string): number | undefined {
  const n = (timeMs - OWN_START_MS) / OWN_STEP_MS;
  return Number.isInteger(n) && n > 0 && OWN_VALUES.get(name)?.(n) === value ? n : undefined;
}

/** The limit of the job that has the growing target. */
export const SAMPLES_MAX = 9;

export function pageOf(kind: Kind, tid: number, n: number): Said {
  switch (kind) {
    case 'text':
      return text(tid, n);
    case 'gzip': {
      const { headers, body } = text(tid, n);
      return { status: 200, headers: { ...headers, 'Content-Encoding': 'gzip' }, body: gzipSync(body) };
    }
    case 'openmetrics':
      return good(OPENMETRICS, openMetricsPage(families(tid, n, true)));
    case 'protobuf':
      return good(PROTOBUF, protobufPage([...families(tid, n, true), ...natives(tid, n)]));
    case 'shaky':
      // Native histograms that end and begin again.
      return (n + tid) % 6 === 5 ? { status: 500, headers: {}, body: 'oops' } : pageOf('protobuf', tid, n);
    case 'flaky':
      return flaky(tid, n);
    case 'growing':
      // More than a limit from time to time.
      return {
        ...good(TEXT, `page ${n}\n${Array.from({ length: n % 12 }, (_, i) => `grown{i="${i}"} ${n}\n`).join('')}`),
        isRefused: (n % 12) + 1 > SAMPLES_MAX,
      };
    case 'owner':
      return good(
        TEXT,
        `page ${n}\nowned{job="its own",instance="its own",exported_job="older"} ${n}\n` +
          `timed ${n} ${ownTime(n)}\n${n % 5 < 3 ? `timed{which="some"} ${n} ${ownTime(n)}\n` : ''}`,
      );
    case 'missing':
      return { status: 404, headers: {}, body: 'not here' };
    case 'html':
      return good('text/html', '<html></html>');
    case 'circle':
      return { status: 302, headers: { Location: '?again' }, body: '' };
    case 'silent':
      return { ...good(TEXT, ''), fault: 'silence' };
  }
}

function good(type: string, body: string | Uint8Array): Said {
  return { status: 200, headers: { 'Content-Type': type }, body };
}

function text(tid: number, n: number): Said {
  const plain = plainLines(openMetricsPage(families(tid, n, false)));
  const lines = [
    `page ${n}`,
    ...plain.filter((line) => !line.startsWith('#')),
    `special{kind="inf"} ${n % 2 === 0 ? '+Inf' : 'Inf'}`,
    'special{kind="minus zero"} -0',
    'special{kind="smallest"} 5e-324',
    `special{kind="thirds"} ${n / 3}`,
    `escaped{path="C:\\\\dir\\\\\\"quoted\\"\\nnext",utf8="žluťoučký 🐎",empty=""} ${n}`,
    `{"utf8.metric","label.name"="a b",plain="c"} ${n}`,
    `twice{which="first"} ${n}`,
    `twice{which="first"} ${n + 1000}`,
    `explicit{clock="own"} ${n * 1.5} ${ownTime(n)}`,
  ];
  // Samples are where they were, or all of them elsewhere; what is said of metrics comes first.
  if ((n + tid) % 5 === 0) lines.reverse();
  return good(TEXT, `${[...plain.filter((line) => line.startsWith('#')), ...lines].join('\n')}\n`);
}

/** Of OpenMetrics what is text 0.0.4, too. */
function plainLines(page: string): string[] {
  return page
    .split('\n')
    .filter(
      (line) => line !== '' && !line.startsWith('# EOF') && !line.startsWith('# UNIT') && !line.startsWith('page '),
    )
    .filter((line) => !/^# TYPE .* (info|unknown|gaugehistogram)$/.test(line));
}

/** Fails in all ways, in turns that are the target's own. */
function flaky(tid: number, n: number): Said {
  const turn = n + 3 * tid;
  if (turn % 7 === 3) return { status: 500, headers: {}, body: 'oops' };
  if (turn % 11 === 5) return { ...good(TEXT, `page ${n}\nbad{ 1\n`), isRefused: true };
  if (turn % 13 === 7) return { ...good(TEXT, ''), fault: 'silence' };
  if (turn % 17 === 9) return { ...good(TEXT, `page ${n}\nrest_of_it 1\n`), fault: 'cut' };
  if (turn % 19 === 11) return { ...good(TEXT, ''), fault: 'end' };
  if (turn % 23 === 13) return good('text/html', '<html></html>');
  if (turn % 29 === 17) return { ...good(OPENMETRICS, `page ${n}\n`), isRefused: true };
  return text(tid, n);
}

function families(tid: number, n: number, exemplars: boolean): PageFamily[] {
  const note = (trace: string, value: number, timeMs?: number) =>
    exemplars ? { labels: { trace_id: trace }, value, ...(timeMs !== undefined && { timeMs }) } : undefined;
  const withNote = (exemplar: ReturnType<typeof note>) => (exemplar === undefined ? {} : { exemplar });
  return [
    { name: 'page', type: 'gauge', metrics: [{ value: n }] },
    {
      name: 'requests',
      type: 'counter',
      help: `Requests of ${tid},\nwith a \\ and "quotes".`,
      metrics: [
        // It begins anew now and then.
        { labels: { code: '200' }, value: 10 * (n % 50), ...withNote(note(`${n}`, n / 2)) },
        {
          labels: { code: '500' },
          value: Math.floor(n / 3),
          ...withNote(note(`e${n >> 1}`, n >> 1, ownTime(2 * (n >> 1)))),
        },
        ...((n + tid) % 4 < 2 ? [{ labels: { code: '404' }, value: n }] : []),
      ],
    },
    {
      name: 'latency_seconds',
      type: 'histogram',
      unit: 'seconds',
      metrics: [
        {
          labels: { path: '/a{b}#c' },
          buckets: [
            [0.1, n, note(`fast ${n}`, 0.05)],
            [1, 2 * n],
            [10, 3 * n],
            [Infinity, 4 * n, note('same', 12)],
          ],
          sum: 0.7 * n,
          count: 4 * n,
        },
      ],
    },
    {
      name: 'rpc',
      type: 'summary',
      metrics: [
        {
          quantiles: [
            [0.5, n],
            [1, 2 * n],
          ],
          sum: n,
          count: n,
        },
      ],
    },
    // Other labels every few pages, others on each, others for one page in nine.
    { name: 'build', type: 'gauge', metrics: [{ labels: { version: `${n >> 2}` }, value: 1 }] },
    { name: 'churn', type: 'gauge', metrics: [{ labels: { n: `${n}` }, value: n }] },
    ...(n % 9 === 0 ? [{ name: 'rare', type: 'gauge' as const, metrics: [{ value: n }] }] : []),
    { name: 'to_drop', type: 'gauge', metrics: [{ labels: { n: `${n % 3}`, case: 'Mixed Case' }, value: n }] },
    {
      name: `to_rename_${n % 2}`,
      type: 'gauge',
      metrics: [{ labels: { same: 'x', other: n % 2 === 0 ? 'x' : 'y' }, value: n }],
    },
  ];
}

/** Native histograms: with both sides, of floats, and one that comes and goes. */
function natives(tid: number, n: number): PageFamily[] {
  return [
    {
      name: 'native_seconds',
      type: 'histogram',
      metrics: [
        {
          labels: { path: '/both' },
          count: 6 * n + 1,
          sum: 0.25 * n,
          buckets: [
            [1, 2 * n],
            [Infinity, 6 * n + 1],
          ],
          native: {
            schema: (n >> 4) % 2 === 0 ? 3 : 2,
            zeroThreshold: 1e-128,
            zeroCount: 1,
            positiveSpans: [
              [-2, 2],
              [3, 1],
            ],
            positive: [n, n, n],
            negativeSpans: [[0, 2]],
            negative: [2 * n, n],
          },
        },
        ...((n + tid) % 6 < 4
          ? [
              {
                labels: { path: '/comes and goes' },
                count: n,
                sum: n,
                native: { schema: 0, positiveSpans: [[0, 1]], positive: [n] } as const,
              },
            ]
          : []),
      ],
    },
    {
      name: 'native_gauge',
      type: 'gaugehistogram',
      metrics: [
        {
          count: 2.5 * n,
          sum: -n,
          native: { schema: -1, positiveSpans: [[0, 2]], positive: [n, 1.5 * n], isFloat: true },
        },
      ],
    },
  ];
}
