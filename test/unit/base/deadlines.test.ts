import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlines } from '../../../src/base/deadlines.js';
import { EndSignal } from '../../../src/base/ending.js';
import { Prng } from '../../../src/base/prng.js';
import { FakeClock } from '../../support/clock.js';

test('deadlines: each runs when it is due, unless it was cancelled', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Prng(seed);
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const ran: number[] = [];
    const want: number[] = [];
    const open: { id: number; dueMs: number; cancel: () => void }[] = [];
    for (let id = 0; id < 200; id++) {
      const dueMs = clock.monotonicMs() + random.int(50) * 10;
      const timer = deadlines.after(dueMs - clock.monotonicMs(), () => ran.push(id));
      open.push({ id, dueMs, cancel: () => timer.cancel() });
      if (random.float() < 0.5) open.splice(random.int(open.length), 1)[0]!.cancel();
      if (random.float() < 0.6) continue;
      clock.advance(random.int(20) * 10 + 5);
      for (const due of open.filter((one) => one.dueMs <= clock.monotonicMs())) {
        want.push(due.id);
        open.splice(open.indexOf(due), 1);
      }
      assert.deepEqual(
        ran.toSorted((a, b) => a - b),
        want.toSorted((a, b) => a - b),
        `seed ${seed}`,
      );
    }
    assert.ok(want.length > 20);
  }
});

test('deadlines: what one sets while it runs counts too', () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const ran: number[] = [];
  const again = () => {
    ran.push(clock.monotonicMs());
    if (ran.length < 3) deadlines.after(10, again);
  };
  deadlines.after(10, again);
  clock.advance(100);
  assert.deepEqual(ran, [10, 20, 30]);
});

test('end signal: tells once, and not those who left', () => {
  const signal = new EndSignal();
  const told: string[] = [];
  const leaving = () => told.push('left');
  signal.addEventListener('abort', () => told.push('a'));
  signal.addEventListener('abort', leaving);
  signal.removeEventListener('abort', leaving);
  assert.equal(signal.aborted, false);
  signal.abort();
  signal.abort();
  assert.equal(signal.aborted, true);
  assert.deepEqual(told, ['a']);
});
