import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, type LogFields, type LogFormat } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/clock.js';

function line(format: LogFormat, message: string, fields: LogFields): string {
  let written = '';
  const log = createLogger({ format, clock: new FakeClock(), write: (text) => (written += text) });
  log.info(message, fields);
  return written.replace(/log\.test\.js:\d+/, 'HERE');
}

const lines: [name: string, message: string, fields: LogFields, logfmt: string, json: string][] = [
  ['plain', 'TSDB started', {}, 'msg="TSDB started"', '"msg":"TSDB started"'],
  ['one word', 'ready', { a: 1, b: true, c: 'x' }, 'msg=ready a=1 b=true c=x', '"msg":"ready","a":1,"b":true,"c":"x"'],
  ['spaces, equals', 'm', { a: 'x y', b: 'x=y' }, 'msg=m a="x y" b="x=y"', '"msg":"m","a":"x y","b":"x=y"'],
  ['empty', 'm', { a: '' }, 'msg=m a=""', '"msg":"m","a":""'],
  ['quotes', 'm', { a: 'say "hi"' }, 'msg=m a="say \\"hi\\""', '"msg":"m","a":"say \\"hi\\""'],
  ['a backslash alone needs no quotes', 'm', { a: 'C:\\x' }, 'msg=m a=C:\\x', '"msg":"m","a":"C:\\\\x"'],
  ['a forged line', 'm', { a: 'x\ntime=1' }, 'msg=m a="x\\ntime=1"', '"msg":"m","a":"x\\ntime=1"'],
  ['a terminal escape', 'm', { a: '\x1b[31m' }, 'msg=m a="\\x1b[31m"', '"msg":"m","a":"\\u001b[31m"'],
  ['unicode', 'm', { a: 'größe→😀' }, 'msg=m a=größe→😀', '"msg":"m","a":"größe→😀"'],
  ['separators', 'm', { a: 'x\u2028y' }, 'msg=m a="x\\u2028y"', '"msg":"m","a":"x\\u2028y"'],
  ['an error', 'm', { err: new Error('no such file') }, 'msg=m err="no such file"', '"msg":"m","err":"no such file"'],
  ['undefined is left out', 'm', { a: undefined, b: null }, 'msg=m b=<nil>', '"msg":"m","b":null'],
  ['NaN', 'm', { a: Number.NaN }, 'msg=m a=NaN', '"msg":"m","a":"NaN"'],
  [
    'an object prints itself',
    'm',
    { a: { toString: () => '<secret>' } },
    'msg=m a=<secret>',
    '"msg":"m","a":"<secret>"',
  ],
];
for (const [name, message, fields, logfmt, json] of lines) {
  test(`log: ${name}`, () => {
    const [time, level, source] = ['2026-11-21T08:00:00.000Z', 'INFO', 'HERE'];
    assert.equal(line('logfmt', message, fields), `time=${time} level=${level} source=${source} ${logfmt}\n`);
    const text = line('json', message, fields);
    assert.equal(text, `{"time":"${time}","level":"${level}","source":"${source}",${json}}\n`);
    JSON.parse(text);
  });
}

test('log: levels below the least are silent; fields of a child come before its own', () => {
  const written: string[] = [];
  const log = createLogger({ level: 'warn', write: (text) => void written.push(text) }).with({ component: 'tsdb' });
  log.debug('d');
  log.info('i');
  log.warn('w', { a: 1 });
  log.error('e');
  assert.deepEqual(
    written.map((text) => /level.*$/m.exec(text)![0].replace(/source=\S+ /, '')),
    ['level=WARN msg=w component=tsdb a=1', 'level=ERROR msg=e component=tsdb'],
  );
});

test('log: a value is cut at 4 KiB of UTF-8, at a whole character', () => {
  const text = line('logfmt', 'm', { a: 'ü'.repeat(5000) });
  const value = /a=(.*)$/m.exec(text)![1]!;
  assert.ok(Buffer.byteLength(value) <= 4096);
  assert.match(value, /^ü{2046}…$/);
});

test('log: a flood of one message passes in part, and what was left out is counted', () => {
  const clock = new FakeClock();
  const written: string[] = [];
  const log = createLogger({ clock, write: (text) => void written.push(text) });
  for (let i = 0; i < 500; i++) log.warn('bad request', { i });
  assert.equal(written.length, 50);
  log.warn('something else');
  assert.equal(written.length, 51);
  clock.advance(1000);
  for (let i = 0; i < 500; i++) log.warn('bad request', { i });
  assert.equal(written.length, 61);
  assert.match(written[51]!, /msg="bad request" i=0 suppressed=450\n$/);
  assert.doesNotMatch(written[52]!, /suppressed/);
  clock.advance(3_600_000);
  for (let i = 0; i < 500; i++) log.warn('bad request', { i });
  assert.equal(written.length, 111);
});
