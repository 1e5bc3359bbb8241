// What the tool does beside promtool's own: lines, completion, places, servers that answer oddly.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { realDisk } from '../../../src/base/disk.js';
import { Prng } from '../../../src/base/prng.js';
import { snappyDecode, snappyHeader } from '../../../src/base/snappy.js';
import { snappyEncode } from '../../../src/base/snappy-encode.js';
import { tarGz } from '../../../src/base/tar.js';
import { linesOf, pointAt } from '../../../src/cli/tool/caret.js';
import { completionsOf } from '../../../src/cli/tool/completion.js';
import { goDurationOf } from '../../../src/cli/tool/flags.js';
import { barOf, painted } from '../../../src/cli/tool/paint.js';
import { isTool } from '../../../src/cli/tool/run.js';
import { COMMANDS } from '../../../src/cli/tool/table.js';
import { emptyFolder } from '../../support/folders.js';
import { runLine } from '../../support/tool.js';

for (const [line, isOurs] of [
  ['check config x', true],
  ['check --nothing', true],
  ['--experimental promql format up', true],
  ['help', true],
  ['help check', true],
  ['--completion-bash', true],
  ['', false],
  ['--config.file=check', false],
  ['--enable-feature=exemplar-storage', false],
  ['--version', false],
  ['nothing', false],
] as const) {
  test(`\`narthex ${line}\` is ${isOurs ? 'the tool' : 'the server'}`, () => {
    assert.equal(isTool(line.split(' ').filter((word) => word !== '')), isOurs);
  });
}

for (const [line, found] of [
  ['', ['check', 'debug', 'promql', 'push', 'query', 'test', 'tsdb']],
  ['ch', ['check']],
  ['query ', ['analyze', 'instant', 'labels', 'range', 'series']],
  ['query -o json in', ['instant']],
  ['query --', ['--enable-feature', '--experimental', '--format', '--help', '--http.config.file']],
  ['query instant --ti', ['--time']],
  ['query nothing x', []],
  ['query instant ', []],
] as const) {
  test(`completion of \`${line}\``, () => {
    assert.deepEqual(completionsOf(['--completion-bash', ...line.split(' ')], COMMANDS), found);
  });
}

test('help is of all commands, of some, of one', async () => {
  for (const { path } of COMMANDS) {
    const { code, out } = await runLine([...path, '--help']);
    assert.equal(code, 0);
    assert.ok(out.startsWith(`usage: narthex ${path.join(' ')} `), out);
  }
  const all = (await runLine(['help'])).out;
  assert.deepEqual(
    COMMANDS.filter(({ path }) => !all.includes(`\n${path.join(' ')} `)),
    [],
  );
  assert.match((await runLine(['help', 'query'])).out, /^usage: narthex query <command>/);
  assert.match((await runLine(['check', '--version'])).out, /^narthex, version /);
});

test('places are pointed at', () => {
  assert.deepEqual(pointAt('a\n\tsum(é', { line: 2, column: 8 }), ['2 |  sum(é', '  |       ^']);
  assert.deepEqual(pointAt('a', { line: 3, column: 1 }), []);
  assert.deepEqual(linesOf('a\nb\n\tc', 'yaml:\n  line 3: x\n  line 9: y\n  line 3: z'), ['3 |  c']);
  assert.equal(barOf(0.5), `\r[${'='.repeat(20)}${' '.repeat(20)}] 50%`);
  assert.equal(barOf(1), '\r\x1b[K');
  const long = pointAt(`${'x'.repeat(200)}y${'z'.repeat(200)}`, { line: 1, column: 201 });
  assert.equal(long[0]![long[1]!.length - 1], 'y');
  assert.equal(painted('a FAILED: b\n1 | x\n  |  ^'), 'a \x1b[31mFAILED\x1b[0m: b\n1 | x\n  |  \x1b[33m^\x1b[0m');
});

for (const [text, ms] of [
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['-2ms', -2],
  ['0', 0],
  ['1d', 86_400_000],
] as const) {
  test(`duration ${text}`, () => assert.equal(goDurationOf(text), ms));
}

test('what does not compress is unpacked the same', () => {
  const prng = new Prng(3);
  for (const length of [0, 1, 127, 128, 65_535, 65_536, 65_537, 200_000]) {
    const bytes = Uint8Array.from({ length }, () => prng.int(256));
    const block = snappyEncode(bytes);
    const unpacked = new Uint8Array(snappyHeader(block).length);
    assert.equal(snappyDecode(block, unpacked), length);
    assert.deepEqual(unpacked, bytes);
  }
});

test('tar(1) reads our archives', () => {
  const folder = emptyFolder();
  const files = [
    { name: 'a.txt', bytes: Buffer.from('hello') },
    { name: 'empty', bytes: new Uint8Array(0) },
    { name: 'b', bytes: Buffer.alloc(1024, 'b') },
  ];
  realDisk.writeFileAtomic(join(folder, 'a.tar.gz'), tarGz(files, 1_700_000_000_000));
  execFileSync('tar', ['xzf', 'a.tar.gz'], { cwd: folder });
  for (const { name, bytes } of files) {
    assert.deepEqual(Buffer.from(realDisk.readFile(join(folder, name))), Buffer.from(bytes));
  }
});

/** Runs an action beside a server that answers each path so. */
async function beside(
  answers: Readonly<Record<string, readonly [status: number, body: string]>>,
  action: (url: string, asked: string[]) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['x-one'] ?? ''}`.trim());
    const [status, body] = answers[request.url!.split('?')[0]!] ?? [404, 'nobody is here'];
    request.resume().on('end', () => response.writeHead(status).end(body));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    await action(`127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const QUERY = '/api/v1/query';
const TEXT = '{"status":"success","data":{"resultType":"string","result":[1.5,"<x>"]}}';

for (const [answer, format, want] of [
  [[200, TEXT], 'promql', [0, '<x>\n', '']],
  [[200, TEXT], 'json', [0, '[1.5,"\\u003cx\\u003e"]\n', '']],
  [[400, '{"status":"error","errorType":"bad_data","error":"no"}'], 'json', [1, '', 'query error: bad_data: no\n']],
  [[503, ' gone \n'], 'json', [1, '', 'query error: server_error: server error: 503 (detail: gone)\n']],
  [[302, ''], 'json', [1, '', 'query error: bad_response: bad response code 302\n']],
  [[400, '{"status":"success"}'], 'json', [1, '', 'query error: bad_response: inconsistent body for response code\n']],
  [[200, '<html>'], 'json', [1, '', 'query error: bad_response: no answer of the API: <html>\n']],
] as const) {
  test(`query instant of a server that answers ${answer.join(' ')}`, async () => {
    await beside({ [QUERY]: answer }, async (url, asked) => {
      const run = await runLine(['query', '-o', format, 'instant', '--header=X-One: y', url, 'up']);
      assert.deepEqual([run.code, run.out, run.err], want);
      assert.deepEqual(asked, [`POST ${QUERY} y`]);
    });
  });
}

test('a server that takes no POST is asked by GET', async () => {
  await beside({ [QUERY]: [405, ''] }, async (url, asked) => {
    await runLine(['query', 'instant', '--time=7', `http://${url}`, 'up']);
    assert.deepEqual(asked, [`POST ${QUERY}`, `GET ${QUERY}?query=up&time=7`]);
  });
});

test('debug collects metrics, and status pages where there are no profiles', async () => {
  const folder = emptyFolder();
  const before = process.cwd();
  process.chdir(folder);
  try {
    await beside({ '/metrics': [200, 'up 1\n'] }, async (url) => {
      const metrics = await runLine(['debug', 'metrics', url]);
      assert.deepEqual(metrics, {
        code: 0,
        out: `collecting: http://${url}/metrics\nCompiling debug information complete, all files written in "debug.tar.gz".\n`,
        err: '',
      });
      assert.equal(execFileSync('tar', ['xzOf', 'debug.tar.gz', 'metrics.txt']).toString(), 'up 1\n');
      assert.equal((await runLine(['debug', 'pprof', url])).code, 1);
      assert.equal((await runLine(['debug', 'all', url])).code, 0);
      const names = execFileSync('tar', ['tzf', 'debug.tar.gz']).toString().trim().split('\n');
      assert.deepEqual(names, [
        ...['buildinfo', 'config', 'flags', 'recovery', 'runtimeinfo', 'tsdb'].map((name) => `${name}.json`),
        'metrics.txt',
      ]);
    });
  } finally {
    process.chdir(before);
  }
});
