// Scrape loops under a clock that the test turns: when they ask, with which timestamps, and what they leave behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpError } from '../../../src/base/http.js';
import { targetHash } from '../../../src/scrape/hash.js';
import type { ScrapeJob } from '../../../src/scrape/job.js';
import { ScrapeLoop } from '../../../src/scrape/loop.js';
import { Schedule } from '../../../src/scrape/schedule.js';
import type { ScrapeTarget } from '../../../src/scrape/target-labels.js';
import {
  type FakeAnswer,
  OddClock,
  pass,
  settle,
  type TestScrape,
  testJob,
  testScrape,
  testTarget,
} from '../../support/scrape.js';

const INTERVAL = 10_000;
const MIDNIGHT = Date.UTC(2026, 10, 21);

interface Given {
  readonly job?: Partial<ScrapeJob>;
  readonly target?: Partial<ScrapeTarget>;
  /** Before the first due time. */
  readonly startsBeforeMs?: number;
  /** Every timer comes that late. */
  readonly lateMs?: number;
}

interface Setup extends TestScrape {
  readonly clock: OddClock;
  readonly loop: ScrapeLoop;
  answer(answer: FakeAnswer): void;
}

/** A started loop. Times in the log count from the first due time. */
function setup(given: Given = {}): Setup {
  const target = testTarget('a:9100', given.target);
  const schedule = new Schedule(target.intervalMs, targetHash(target.internal, target.url, 7));
  const firstDueMs = schedule.after(MIDNIGHT);
  const clock = new OddClock(firstDueMs - (given.startsBeforeMs ?? 100));
  clock.lateMs = given.lateMs ?? 0;
  const scrape = testScrape(clock);
  const context = { ...scrape, clock };
  const loop = new ScrapeLoop(target, testJob(given.job), {}, context);
  Object.defineProperty(context.appender, 'epochMs', { value: firstDueMs });
  loop.start();
  return { ...context, loop, answer: (answer) => Object.assign(context.senders[0]!, { answer }) };
}

test('a target is scraped at its phase, every interval, with the due times as timestamps', async () => {
  const { clock, appender } = setup();
  await pass(clock, 99);
  assert.deepEqual(appender.take(), ['open 1']);
  await pass(clock, 1);
  assert.deepEqual(appender.take(), ['commit 1 @0 up 1']);
  await pass(clock, 3 * INTERVAL, 100);
  assert.deepEqual(appender.take(), ['commit 1 @10000 up 1', 'commit 1 @20000 up 1', 'commit 1 @30000 up 1']);
});

test('the phase is the same whenever a loop starts', async () => {
  for (const startsBeforeMs of [1, 100, 9_999, 10_000]) {
    const { clock, appender } = setup({ startsBeforeMs });
    await pass(clock, startsBeforeMs);
    assert.deepEqual(appender.take().slice(1), ['commit 1 @0 up 1'], `started ${startsBeforeMs} ms before`);
  }
});

// ---- Timestamps

const alignments: [intervalMs: number, lateMs: number, wantMs: number][] = [
  [10_000, 0, 0],
  [10_000, 1, 0],
  [10_000, 2, 0],
  [10_000, 3, 3],
  [10_000, 500, 500],
  // At most one percent of the interval.
  [100, 1, 0],
  [100, 2, 2],
];

for (const [intervalMs, lateMs, wantMs] of alignments) {
  test(`every ${intervalMs} ms, ${lateMs} ms late: timestamp +${wantMs}`, async () => {
    const { clock, appender } = setup({ target: { intervalMs, timeoutMs: intervalMs }, startsBeforeMs: 50, lateMs });
    await pass(clock, 50 + lateMs);
    await pass(clock, intervalMs);
    assert.deepEqual(appender.take(), ['open 1', `commit 1 @${wantMs} up 1`, `commit 1 @${intervalMs + wantMs} up 1`]);
  });
}

test('a timer that comes early waits for the rest', async () => {
  const { clock, appender } = setup();
  // The wall clock is 3 ms behind when the timer fires.
  clock.wallOffsetMs = -3;
  await pass(clock, 100);
  assert.deepEqual(appender.take(), ['open 1']);
  await pass(clock, 3);
  assert.deepEqual(appender.take(), ['commit 1 @0 up 1']);
});

test('a wall clock set back by more than an interval is believed', async () => {
  const { clock, appender } = setup();
  await pass(clock, 100);
  clock.wallOffsetMs = -1_000_005;
  await pass(clock, INTERVAL);
  // The first scrape afterwards is off its phase and says so; then the phase holds on the new time.
  assert.deepEqual(appender.take().slice(1), ['commit 1 @0 up 1', 'commit 1 @-990005 up 1']);
  await pass(clock, 5);
  assert.deepEqual(appender.take(), ['commit 1 @-990000 up 1']);
});

test('a wall clock set forward is believed', async () => {
  const { clock, appender } = setup();
  await pass(clock, 100);
  clock.wallOffsetMs = 1_000_005;
  await pass(clock, INTERVAL);
  assert.deepEqual(appender.take().slice(1), ['commit 1 @0 up 1', 'commit 1 @1010005 up 1']);
  await pass(clock, INTERVAL - 5);
  assert.deepEqual(appender.take(), ['commit 1 @1020000 up 1']);
});

test('a scrape that outlasts its interval is followed at once by the one it delayed, and by no others', async () => {
  const { clock, appender, answer } = setup({ target: { timeoutMs: 60_000 } });
  answer({ delayMs: 35_000 });
  await pass(clock, 100);
  answer({});
  await pass(clock, 35_000, 1000);
  assert.deepEqual(appender.take().slice(1), ['commit 1 @0 up 1']);
  await pass(clock, 10_000, 1000);
  assert.deepEqual(appender.take(), ['commit 1 @35000 up 1', 'commit 1 @40000 up 1']);
});

test('an interval of many days is waited for in pieces', async () => {
  const intervalMs = 60 * 24 * 3600 * 1000;
  const { clock, appender } = setup({ target: { intervalMs }, startsBeforeMs: 40 * 24 * 3600 * 1000 });
  await pass(clock, 40 * 24 * 3600 * 1000, 3600 * 1000);
  assert.deepEqual(appender.take(), ['open 1', 'commit 1 @0 up 1']);
});

// ---- What a scrape asks and how it fares

test('a request says what a target needs to know', async () => {
  const { clock, senders } = setup({ target: { timeoutMs: 2_500 } });
  await pass(clock, 100);
  const { request, options } = senders[0]!.requests[0]!;
  assert.equal(request.url, 'http://a:9100/metrics');
  assert.deepEqual(request.headers, [
    [
      'Accept',
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    ],
    ['Accept-Encoding', 'gzip'],
    ['User-Agent', 'Narthex/test'],
    ['X-Prometheus-Scrape-Timeout-Seconds', '2.5'],
  ]);
  assert.equal(options.timeoutMs, 2_500);
  assert.equal(options.bodyBytesMax, Number.POSITIVE_INFINITY);
});

test('the request object stays the same, and a body is expected to be about as long as the last one', async () => {
  const { clock, senders, answer } = setup({ job: { bodySizeLimitBytes: 1000, enableCompression: false } });
  answer({ body: 'x'.repeat(80) });
  await pass(clock, 100 + INTERVAL, 100);
  const [first, second] = senders[0]!.requests;
  assert.equal(first!.request, second!.request);
  assert.deepEqual(first!.request.headers![1], ['Accept-Encoding', 'identity']);
  assert.equal(first!.options.bodyBytesHint, 0);
  assert.equal(second!.options.bodyBytesHint, 90);
  assert.equal(second!.options.bodyBytesMax, 999);
});

test('a unix socket may be named by a label', async () => {
  const target = testTarget();
  const { clock, senders } = setup({ target: { internal: ['__unix_socket__', '/run/x.sock', ...target.internal] } });
  await pass(clock, 2 * INTERVAL, 100);
  assert.equal(senders[0]!.requests[0]!.request.unixSocket, '/run/x.sock');
});

const timeout = new HttpError('timeout', 'context deadline exceeded');
const type = (contentType: string): FakeAnswer => ({ headers: [['content-type', contentType]] });
const failures: [name: string, answer: FakeAnswer, lastError: string, job?: Partial<ScrapeJob>][] = [
  ['no answer in time', { error: timeout }, 'context deadline exceeded'],
  ['another status', { statusText: '503 Service Unavailable' }, 'server returned HTTP status 503 Service Unavailable'],
  ['no content', { statusText: '204 No Content' }, 'server returned HTTP status 204 No Content'],
  [
    'no type',
    { headers: [] },
    'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target',
  ],
  [
    'a page',
    type('text/html'),
    'received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified for target',
  ],
];

for (const [name, given, lastError, job] of failures) {
  test(`a failed scrape leaves stale markers and up 0: ${name}`, async () => {
    const { clock, appender, answer, loop } = setup({ job });
    answer(given);
    await pass(clock, 100);
    assert.deepEqual(appender.take(), ['open 1', 'fail 1 @0']);
    const { health, lastError: got, lastScrapeMs } = loop.status;
    assert.deepEqual(
      { health, lastError: got, lastScrapeMs },
      { health: 'down', lastError, lastScrapeMs: appender.epochMs },
    );
    answer({});
    await pass(clock, INTERVAL, 100);
    assert.deepEqual(appender.take(), ['commit 1 @10000 up 1']);
    assert.deepEqual([loop.status.health, loop.status.lastError], ['up', '']);
  });
}

test('a refused body is the storage’s to end; the loop shows its reason', async () => {
  const { clock, appender, loop, metrics } = setup();
  appender.outcome = {
    error: { reason: 'sample-limit', message: 'sample limit exceeded' },
    duplicates: 2,
    outOfOrder: 3,
    outOfBounds: 4,
  };
  await pass(clock, 100);
  assert.deepEqual(appender.take(), ['open 1', 'commit 1 @0 up 1']);
  assert.deepEqual([loop.status.health, loop.status.lastError], ['down', 'sample limit exceeded']);
  const { exceededSampleLimit, duplicateTimestamp, outOfOrder, outOfBounds } = metrics;
  assert.deepEqual(
    [exceededSampleLimit, duplicateTimestamp, outOfOrder, outOfBounds].map(({ value }) => value),
    [1, 2, 3, 4],
  );
});

test('a storage that does not answer is shown, and the loop goes on', async () => {
  const { clock, appender, loop } = setup();
  appender.broken = new Error('shard 1 is being rebuilt');
  await pass(clock, 100);
  assert.deepEqual([loop.status.health, loop.status.lastError], ['down', 'shard 1 is being rebuilt']);
  appender.broken = undefined;
  await pass(clock, INTERVAL, 100);
  assert.deepEqual(appender.take(), ['open 1', 'commit 1 @10000 up 1']);
  assert.equal(loop.status.health, 'up');
});

test('the status before the first scrape', () => {
  const { loop } = setup();
  const {
    discoveredLabels,
    labels,
    scrapePool,
    scrapeUrl,
    health,
    lastError,
    lastScrapeMs,
    scrapeInterval,
    scrapeTimeout,
  } = loop.status;
  assert.deepEqual(
    { discoveredLabels, labels, scrapePool, scrapeUrl, health, lastError, lastScrapeMs, scrapeInterval, scrapeTimeout },
    {
      discoveredLabels: ['__address__', 'a:9100'],
      labels: ['instance', 'a:9100', 'job', 'node'],
      scrapePool: 'node',
      scrapeUrl: 'http://a:9100/metrics',
      health: 'unknown',
      lastError: '',
      lastScrapeMs: undefined,
      scrapeInterval: '10s',
      scrapeTimeout: '5s',
    },
  );
});

test('durations count from the request to the end of the body', async () => {
  const { clock, appender, answer, loop } = setup();
  answer({ delayMs: 250 });
  await pass(clock, 100);
  await pass(clock, 250);
  assert.equal(appender.commits[0]!.durationSeconds, 0.25);
  assert.equal(loop.status.lastScrapeDurationSeconds, 0.25);
});

test('real intervals are observed under the interval they should have', async () => {
  const { clock, metrics } = setup();
  await pass(clock, 100 + 3 * INTERVAL, 100);
  const summary = metrics.intervalLength.with('10s');
  assert.deepEqual([summary.count, summary.sum], [3, 30]);
});

test('a forced error fails every scrape without asking', async () => {
  const { clock, appender, loop, senders } = setup();
  loop.setForcedError('target_limit exceeded (number of targets: 3, limit: 2)');
  await pass(clock, 100);
  assert.deepEqual(appender.take(), ['open 1', 'fail 1 @0']);
  assert.equal(senders[0]!.requests.length, 0);
  loop.setForcedError(undefined);
  await pass(clock, INTERVAL, 100);
  assert.deepEqual(appender.take(), ['commit 1 @10000 up 1']);
});

// ---- The end

test('a removed target ends at its next tick, said after one more and a tenth', async () => {
  const { clock, appender, loop } = setup();
  await pass(clock, 100 + 3000, 100);
  appender.take();
  let stopped = false;
  void loop.stop('removed').then(() => (stopped = true));
  await pass(clock, 7000 + INTERVAL + 999, 1);
  assert.deepEqual(appender.take(), []);
  await pass(clock, 1);
  assert.deepEqual(appender.take(), ['close 1 @10000']);
  assert.ok(stopped);
  await pass(clock, 5 * INTERVAL, 1000);
  assert.deepEqual(appender.take(), []);
});

test('a target that was never scraped has nothing to end', async () => {
  const { clock, appender, loop } = setup();
  await loop.stop('removed');
  assert.deepEqual(appender.take(), ['open 1', 'close 1']);
  await pass(clock, 3 * INTERVAL, 1000);
  assert.deepEqual(appender.take(), []);
});

test('a scrape under way when its target goes is still appended', async () => {
  const { clock, appender, answer, loop } = setup();
  answer({ delayMs: 1000 });
  await pass(clock, 100);
  const stopped = loop.stop('removed');
  await pass(clock, 1000);
  assert.deepEqual(appender.take(), ['open 1', 'commit 1 @0 up 1']);
  await pass(clock, 3 * INTERVAL, 1000);
  await stopped;
  assert.deepEqual(appender.take(), ['close 1 @10000']);
});

test('a shutdown leaves no markers', async () => {
  const { clock, appender, loop } = setup();
  await pass(clock, 100);
  await loop.stop('shutdown');
  assert.deepEqual(appender.take(), ['open 1', 'commit 1 @0 up 1', 'close 1']);
  await pass(clock, 3 * INTERVAL, 1000);
  assert.deepEqual(appender.take(), []);
});

test('a shutdown ends a scrape under way, of which nothing is appended', async () => {
  const { clock, appender, answer, loop } = setup();
  answer({ delayMs: 4000 });
  await pass(clock, 200);
  await loop.stop('shutdown');
  assert.deepEqual(appender.take(), ['open 1', 'close 1']);
  assert.equal(loop.status.health, 'unknown');
});

test('a shutdown hurries an end that has begun', async () => {
  const { clock, appender, loop } = setup();
  await pass(clock, 100);
  const removed = loop.stop('removed');
  await settle();
  await loop.stop('shutdown');
  await removed;
  assert.deepEqual(appender.take(), ['open 1', 'commit 1 @0 up 1', 'close 1']);
});

test('a target may say other of its histograms than its job', () => {
  const { appender } = setup({
    job: { scrapeNativeHistograms: true, alwaysScrapeClassicHistograms: true },
    target: { scrapeNativeHistograms: false, convertClassicHistogramsToNhcb: true },
  });
  const [{ scrapeNativeHistograms, alwaysScrapeClassicHistograms, convertClassicHistogramsToNhcb }] =
    appender.opened as [(typeof appender.opened)[number]];
  assert.deepEqual(
    [scrapeNativeHistograms, alwaysScrapeClassicHistograms, convertClassicHistogramsToNhcb],
    [false, true, true],
  );
});

test('an empty page is a good one, of whichever type', async () => {
  for (const headers of [
    [],
    [['content-type', 'application/json']],
    [['content-type', 'application/openmetrics-text']],
  ] as const) {
    const { clock, appender, answer } = setup();
    answer({ headers, body: '' });
    await pass(clock, 100);
    assert.deepEqual(appender.take().slice(1), ['commit 1 @0 ']);
    assert.equal(appender.commits[0]!.format, 'text');
  }
});
