// The way in, on both engines: rate, headers, logins; and the file read again when it changes.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { realDisk } from '../../../../src/base/disk.js';
import type { Secret } from '../../../../src/config/values.js';
import { createLogger, noLog } from '../../../../src/telemetry/log.js';
import { controlAccess } from '../../../../src/web/access/access.js';
import { Logins } from '../../../../src/web/access/logins.js';
import type { Passwords } from '../../../../src/web/access/passwords.js';
import { RateLimiter } from '../../../../src/web/access/rate.js';
import { type WebSettings, WebSettingsFile } from '../../../../src/web/access/settings.js';
import { type DoorHandler, heapSink } from '../../../../src/web/door.js';
import { FakeClock } from '../../../support/clock.js';
import { ENGINES, openTestDoor } from '../../../support/doors.js';
import { emptyFolder } from '../../../support/folders.js';
import { testdata } from '../../../support/testdata.js';

/** The password of everybody is `right`. */
const passwords: Passwords = {
  matches: async (password) => password === 'right',
  close: async () => {},
};

const HASH = '$2y$10$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby';
const OTHER_HASH = HASH.replace('1DpfPeqF9HzHJt', 'pD1fPeqF9HzHJt');

function fileOf(text: string, clock: FakeClock, log = noLog) {
  const path = join(emptyFolder(), 'web.yml');
  writeFileSync(path, text);
  return { path, file: new WebSettingsFile(realDisk, clock, log, path) };
}

const app: DoorHandler = async (request, response) => {
  const body = await request.readBody(heapSink, 1000);
  response.head(200, [
    ['Content-Type', 'text/plain'],
    ['X-Frame-Options', 'deny'],
  ]);
  response.end(body.kind === 'whole' ? body.bytes : body.kind);
};

async function withAccess(
  engine: (typeof ENGINES)[number],
  settings: () => WebSettings,
  use: (ask: (init?: RequestInit) => Promise<Response>, outcomes: string[]) => Promise<void>,
  clock = new FakeClock(),
): Promise<void> {
  const outcomes: string[] = [];
  const logins = new Logins(passwords, clock);
  const onLogin = (outcome: string) => outcomes.push(outcome);
  const door = await openTestDoor(engine, controlAccess(app, { settings, logins, clock, onLogin }));
  try {
    await use((init) => fetch(`http://127.0.0.1:${door.port}/x`, init), outcomes);
    assert.deepEqual(door.errors, []);
  } finally {
    await door.close(0);
  }
}

const as = (name: string, password: string) => ({
  headers: { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` },
});

for (const engine of ENGINES) {
  test(`${engine}: users`, async () => {
    const clock = new FakeClock();
    const { file } = fileOf(`basic_auth_users: {ann: ${HASH}}\n`, clock);
    await withAccess(
      engine,
      () => file.current,
      async (ask, outcomes) => {
        const refused = await ask();
        assert.equal(refused.status, 401);
        assert.equal(refused.headers.get('www-authenticate'), 'Basic');
        assert.equal(refused.headers.get('content-type'), 'text/plain; charset=utf-8');
        assert.equal(await refused.text(), 'Unauthorized\n');
        assert.equal((await ask({ method: 'OPTIONS' })).status, 401);
        assert.equal((await ask(as('ann', 'wrong'))).status, 401);
        assert.equal((await ask(as('bob', 'right'))).status, 401);
        assert.equal((await ask({ method: 'POST', body: 'x'.repeat(900), ...as('ann', 'wrong') })).status, 401);
        for (let i = 0; i < 2; i++) {
          const answer = await ask({ method: 'POST', body: 'y'.repeat(900), ...as('ann', 'right') });
          assert.equal(answer.status, 200);
          assert.equal(await answer.text(), 'y'.repeat(900), 'the body that came while the password was compared');
        }
        assert.deepEqual(outcomes, ['out', 'out', 'out', 'out', 'out', 'in', 'in']);
      },
    );
  });

  test(`${engine}: headers are on every answer, but do not replace those of a page`, async () => {
    const clock = new FakeClock();
    const text = `basic_auth_users: {ann: ${HASH}}
http_server_config: {headers: {X-Frame-Options: sameorigin, Content-Security-Policy: "default-src 'self'"}}\n`;
    const { file } = fileOf(text, clock);
    await withAccess(
      engine,
      () => file.current,
      async (ask) => {
        const refused = await ask();
        assert.equal(refused.headers.get('x-frame-options'), 'sameorigin');
        assert.equal(refused.headers.get('content-security-policy'), "default-src 'self'");
        const answer = await ask(as('ann', 'right'));
        assert.equal(answer.headers.get('x-frame-options'), 'deny');
        assert.equal(answer.headers.get('content-security-policy'), "default-src 'self'");
      },
    );
  });

  test(`${engine}: a rate is held before anybody is asked who he is`, async () => {
    const clock = new FakeClock();
    const { file } = fileOf(`basic_auth_users: {ann: ${HASH}}\nrate_limit: {interval: 1s, burst: 2}\n`, clock);
    const statuses: number[] = [];
    await withAccess(
      engine,
      () => file.current,
      async (ask) => {
        for (let i = 0; i < 3; i++) statuses.push((await ask(as('ann', 'right'))).status);
        clock.advance(1000);
        for (let i = 0; i < 2; i++) statuses.push((await ask(as('ann', 'right'))).status);
      },
      clock,
    );
    assert.deepEqual(statuses, [200, 200, 429, 200, 429]);
  });
}

const rates: [burst: number, intervalMs: number, atMs: number[], want: string][] = [
  [1, 1000, [0, 1, 999, 1000, 1500, 2000], '100101'],
  [3, 1000, [0, 0, 0, 0, 500, 1000, 9000, 9000, 9000, 9000], '1110011110'],
  [0, 1000, [0, 5000], '00'],
];
for (const [burst, intervalMs, atMs, want] of rates) {
  test(`burst ${burst} of ${intervalMs} ms, at ${atMs}`, () => {
    const limiter = new RateLimiter({ burst, intervalMs }, 0);
    assert.equal(atMs.map((ms) => (limiter.admits(ms) ? '1' : '0')).join(''), want);
  });
}

test('the file is read again when it changes, at most once a second', () => {
  const clock = new FakeClock();
  const { path, file } = fileOf(`basic_auth_users: {ann: ${HASH}}\n`, clock);
  const before = file.current;
  writeFileSync(path, `basic_auth_users: {ann: ${HASH}, bob: ${OTHER_HASH}}\n`);
  assert.equal(file.current, before);
  clock.advance(1000);
  assert.deepEqual([...file.current.users.keys()], ['ann', 'bob']);
  assert.equal(file.current, file.current);
});

test('a file that became bad is said so once, without its secrets, and what it said before stays', () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const { path, file } = fileOf(`basic_auth_users: {ann: ${HASH}}\n`, clock, logTo(lines));
  const look = (text: string) => {
    writeFileSync(path, text);
    clock.advance(1000);
    return [...file.current.users.keys()];
  };
  const bad = [
    'basic_auth_users: {ann: plain-canary-password}\n',
    'basic_auth_users: {ann: [plain-canary-password]}\n',
    'basic_auth_users: plain-canary-password\n',
    'tls_server_config: {cert: plain-canary-password, key: plain-canary-password}\n',
    `basic_auth_users: {ann: ${HASH}, bob: plain-canary-password}\n`,
    `basic_auth_users: {ann: ${HASH}\nplain-canary-password: [\n`,
  ];
  for (const [i, text] of bad.entries()) {
    assert.deepEqual(look(text), ['ann']);
    assert.equal(file.isGood, false);
    assert.equal(lines.length, i + 1, lines.join(''));
    clock.advance(5000);
    assert.deepEqual([...file.current.users.keys()], ['ann']);
    assert.equal(lines.length, i + 1);
  }
  assert.ok(!lines.join('').includes('canary'), lines.join(''));
  assert.deepEqual(look(`basic_auth_users: {bob: ${HASH}}\n`), ['bob']);
  assert.equal(file.isGood, true);
  assert.equal((file.current.users.get('bob') as Secret).reveal(), HASH);
});

test('a file that went away, and TLS that is asked for too late, change nothing', () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const { path, file } = fileOf(`basic_auth_users: {ann: ${HASH}}\n`, clock, logTo(lines));
  const [cert, key] = ['server.crt', 'server.key'].map((name) => readFileSync(testdata(`tls/${name}`), 'utf8'));
  writeFileSync(path, JSON.stringify({ tls_server_config: { cert, key } }));
  clock.advance(1000);
  assert.deepEqual([...file.current.users.keys()], ['ann']);
  assert.match(lines.at(-1)!, /TLS is turned on and off by a restart only/);
  realDisk.remove(path);
  clock.advance(1000);
  assert.deepEqual([...file.current.users.keys()], ['ann']);
  assert.match(lines.at(-1)!, /no such file or directory/);
});

test('users whose logins take long are named in the log', () => {
  const lines: string[] = [];
  fileOf(`basic_auth_users: {ann: ${HASH}, bob: ${HASH.replace('$10$', '$18$')}}\n`, new FakeClock(), logTo(lines));
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /user=bob bcrypt_cost=18/);
});

function logTo(lines: string[]) {
  return createLogger({ level: 'info', format: 'logfmt', write: (line) => void lines.push(line) });
}
