// Logins: what is compared, what is remembered, who waits.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Secret } from '../../../../src/config/values.js';
import { Logins, parseBasic, type Users } from '../../../../src/web/access/logins.js';
import { type Passwords, ThreadPasswords } from '../../../../src/web/access/passwords.js';
import { FakeClock } from '../../../support/clock.js';

/** `dave123`, at a cost of 4. */
const DAVE = '$2b$04$FqGG3yvK141.sPGKZ1v62.xRfMqSE0/tTGhQ8tFOyCazI7PxO26ki';

const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
const usersOf = (hashes: Record<string, string>): Users =>
  new Map(Object.entries(hashes).map(([name, hash]) => [name, new Secret(hash)]));

/** A hash is good for the password that it says; answers when told to. */
class FakePasswords implements Passwords {
  readonly compared: [password: string, hash: string][] = [];
  #waiting: (() => void)[] = [];
  isHeld = false;

  async matches(password: string, hash: string): Promise<boolean> {
    this.compared.push([password, hash]);
    if (this.isHeld) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return hash === `hash of ${password}`;
  }

  release(): void {
    this.isHeld = false;
    for (const resume of this.#waiting) resume();
    this.#waiting = [];
  }

  async close(): Promise<void> {}
}

function rig(hashes: Record<string, string> = { ann: 'hash of a', bob: 'hash of b' }) {
  const passwords = new FakePasswords();
  const clock = new FakeClock();
  const logins = new Logins(passwords, clock);
  const users = usersOf(hashes);
  const login = (name: string, password: string, client = '::1') => logins.check(users, basic(name, password), client);
  return { passwords, clock, logins, users, login };
}

test('what was right is remembered for ten minutes, what was wrong is not', async () => {
  const { passwords, clock, login } = rig();
  assert.equal(await login('ann', 'a'), 'in');
  assert.equal(await login('ann', 'wrong'), 'out');
  assert.equal(login('ann', 'a'), 'in', 'at once');
  assert.equal(await login('ann', 'wrong'), 'out');
  assert.equal(passwords.compared.length, 3);
  clock.advance(10 * 60_000);
  assert.equal(await login('ann', 'a'), 'in');
  assert.equal(passwords.compared.length, 4);
});

test('a changed hash ends what was remembered', async () => {
  const { logins, users } = rig();
  assert.equal(await logins.check(users, basic('ann', 'a'), ''), 'in');
  assert.equal(await logins.check(usersOf({ ann: 'hash of new' }), basic('ann', 'a'), ''), 'out');
});

test('a name nobody has is compared with the same hash each time, and is out whatever comes of it', async () => {
  const { passwords, login } = rig();
  for (let i = 0; i < 3; i++) {
    assert.equal(await login('eve', 'a'), 'out');
    assert.equal(await login('eve', 'b'), 'out');
  }
  assert.equal(new Set(passwords.compared.map(([, hash]) => hash)).size, 1);
  const stood = new Set<string>();
  for (let i = 0; i < 50; i++) {
    await login(`nobody ${i}`, 'x');
    stood.add(passwords.compared.at(-1)![1]);
  }
  assert.deepEqual([...stood].sort(), ['hash of a', 'hash of b']);
});

test('parts of a login that read the same in a row are different logins', async () => {
  const { passwords, login } = rig({ ab: 'hash of c', a: 'hash of bc' });
  assert.equal(await login('ab', 'c'), 'in');
  assert.equal(await login('a', 'c'), 'out');
  assert.equal(await login('a', 'bc'), 'in');
  assert.equal(passwords.compared.length, 3);
});

test('the same login, while it is compared, waits for that', async () => {
  const { passwords, login } = rig();
  passwords.isHeld = true;
  const both = [login('ann', 'a'), login('ann', 'a', 'other client')];
  passwords.release();
  assert.deepEqual(await Promise.all(both), ['in', 'in']);
  assert.equal(passwords.compared.length, 1);
});

test('few comparisons wait, of one client fewer, and there is room again behind them', async () => {
  const { passwords, login } = rig();
  passwords.isHeld = true;
  const guesses = Array.from({ length: 8 }, (_, i) => login('ann', `guess ${i}`, 'one'));
  assert.equal(login('ann', 'guess 9', 'one'), 'busy');
  for (let i = 8; i < 64; i++) guesses.push(login('ann', `guess ${i}`, `client ${i >> 3}`));
  assert.equal(login('ann', 'a', 'late'), 'busy');
  passwords.release();
  assert.deepEqual(new Set(await Promise.all(guesses)), new Set(['out']));
  assert.equal(await login('ann', 'a', 'one'), 'in');
});

test('a thread that fails leaves its place in the queue', async () => {
  const failing: Passwords = { matches: () => Promise.reject(new Error('gone')), close: async () => {} };
  const logins = new Logins(failing, new FakeClock());
  for (let i = 0; i < 20; i++) {
    await assert.rejects(async () => logins.check(usersOf({ ann: 'x' }), basic('ann', `${i}`), 'one'), /gone/);
  }
});

const headers: [header: string, want: ReturnType<typeof parseBasic>][] = [
  ['', undefined],
  ['Bearer abc', undefined],
  [basic('a', 'b'), { name: 'a', password: 'b' }],
  [basic('a', 'b:c'), { name: 'a', password: 'b:c' }],
  [basic('', ''), { name: '', password: '' }],
  [basic('ž', 'ůň'), { name: 'ž', password: 'ůň' }],
  ['bAsIc YTpi', { name: 'a', password: 'b' }],
  ['Basic YTp', undefined],
  ['Basic YTpi,Basic YTpi', undefined],
  ['Basic YWI=', undefined],
  ['Basic  YTpi', undefined],
];
for (const [header, want] of headers) {
  test(`Authorization: ${header}`, () => assert.deepEqual(parseBasic(header), want));
}

const passwords = new ThreadPasswords();
after(() => passwords.close());

test('bcrypt, in a thread', async () => {
  assert.equal(await passwords.matches('dave123', DAVE), true);
  assert.equal(await passwords.matches('dave123', DAVE.replace('$2b', '$2y')), true);
  assert.equal(await passwords.matches('dave124', DAVE), false);
  assert.equal(await passwords.matches('', DAVE), false);
  assert.equal(await passwords.matches('dave123', 'no hash at all'), false);
});
