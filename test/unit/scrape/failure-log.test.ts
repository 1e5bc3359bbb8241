// scrape_failure_log_file: which failures are written, and when files are opened.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { realDisk } from '../../../src/base/disk.js';
import { HttpError } from '../../../src/base/http.js';
import type { ScrapeRefusal } from '../../../src/scrape/appender.js';
import { FailureLogs } from '../../../src/scrape/failure-log.js';
import { ScrapeLoop } from '../../../src/scrape/loop.js';
import { createLogger, noLog } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/clock.js';
import { emptyFolder } from '../../support/folders.js';
import { type FakeAnswer, pass, settle, testJob, testScrape, testTarget } from '../../support/scrape.js';

const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>);

const fault = (error: string) => ({ job: 'j', target: 'http://a/metrics', error });

test('failures are lines of JSON', async () => {
  const path = join(emptyFolder(), 'failures');
  const logs = new FailureLogs(realDisk, new FakeClock(Date.UTC(2026, 10, 21, 8)), noLog);
  logs.open(new Set([path]));
  logs.note(path, fault('Get "http://a/metrics": EOF'));
  logs.note(path, fault('line 1\nline 2'));
  logs.note('/elsewhere', fault('nobody asked for it'));
  await settle();
  const head = { time: '2026-11-21T08:00:00.000Z', level: 'ERROR', source: 'failure-log' };
  const tail = { job_name: 'j', target: 'http://a/metrics' };
  assert.deepEqual(linesOf(path), [
    { ...head, msg: 'Get "http://a/metrics": EOF', ...tail },
    { ...head, msg: 'line 1\nline 2', ...tail },
  ]);
  logs.close();
});

test('a file goes on at its end, wherever that is, and is opened anew when it was moved away', async () => {
  const folder = emptyFolder();
  const path = join(folder, 'failures');
  writeFileSync(path, '{"msg":"old"}\n');
  const logs = new FailureLogs(realDisk, new FakeClock(0), noLog);
  logs.open(new Set([path]));
  logs.note(path, fault('1'));
  await settle();
  assert.deepEqual(
    linesOf(path).map(({ msg }) => msg),
    ['old', '1'],
  );
  truncateSync(path);
  logs.note(path, fault('2'));
  await settle();
  assert.deepEqual(
    linesOf(path).map(({ msg }) => msg),
    ['2'],
  );
  renameSync(path, `${path}.1`);
  // What waits goes to the old file.
  logs.note(path, fault('3'));
  logs.open(new Set([path]));
  logs.note(path, fault('4'));
  await settle();
  assert.deepEqual(
    linesOf(`${path}.1`).map(({ msg }) => msg),
    ['2', '3'],
  );
  assert.deepEqual(
    linesOf(path).map(({ msg }) => msg),
    ['4'],
  );
  // A reload that names it no more.
  logs.open(new Set());
  logs.note(path, fault('5'));
  await settle();
  assert.equal(linesOf(path).length, 1);
});

test('a file that cannot be opened is told of, and costs nothing more', () => {
  const said: string[] = [];
  const logs = new FailureLogs(realDisk, new FakeClock(0), createLogger({ write: (line) => void said.push(line) }));
  const path = join(emptyFolder(), 'missing', 'failures');
  logs.open(new Set([path]));
  logs.note(path, fault('1'));
  logs.close();
  assert.ok(!existsSync(path));
  assert.equal(said.length, 1);
  assert.match(said[0]!, /Opening the scrape failure log failed/);
});

const refusal = (reason: ScrapeRefusal['reason']) => ({ error: { reason, message: `bad ${reason}` } });

// As Prometheus has it: failures to get a page, not those of what it says.
const outcomes: [name: string, answer: FakeAnswer, refused: ReturnType<typeof refusal> | object, written: string[]][] =
  [
    ['a good page', {}, {}, []],
    ['no answer', { error: new HttpError('broken', 'Get "x": EOF') }, {}, ['Get "x": EOF']],
    ['another status', { statusText: '503 No' }, {}, ['server returned HTTP status 503 No']],
    ['no type', { headers: [] }, {}, []],
    ['bad gzip', {}, refusal('gzip'), ['bad gzip']],
    ['too long when inflated', {}, refusal('body-limit'), ['bad body-limit']],
    ['a bad line', {}, refusal('parse'), []],
    ['too many samples', {}, refusal('sample-limit'), []],
  ];
for (const [name, answer, outcome, written] of outcomes) {
  test(`written or not: ${name}`, async () => {
    const clock = new FakeClock(Date.UTC(2026, 10, 21));
    const path = join(emptyFolder(), 'failures');
    const failures = new FailureLogs(realDisk, clock, noLog);
    failures.open(new Set([path]));
    const scrape = testScrape(clock);
    const loop = new ScrapeLoop(testTarget(), testJob({ scrapeFailureLogFile: path }), {}, { ...scrape, failures });
    scrape.senders[0]!.answer = answer;
    scrape.appender.outcome = outcome;
    loop.start();
    await pass(clock, 10_000, 1000);
    await loop.stop('shutdown');
    await settle();
    assert.deepEqual(
      linesOf(path).map(({ msg, job_name, target }) => [msg, job_name, target]),
      written.map((msg) => [msg, 'node', 'http://a:9100/metrics']),
    );
    failures.close();
  });
}
