import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ActiveAlert, type AlertTiming, advance } from '../../../src/rules/alert-state.js';
import { takeDue } from '../../../src/rules/sending.js';

const MINUTE = 60_000;
const labels = ['alertname', 'A'];

/** What an alert is after each of several evaluations, a minute apart, in which it was found (`x`) or not (`.`). */
function story(found: string, timing: AlertTiming): string {
  const active = new Map<string, ActiveAlert>();
  return [...found]
    .map((mark, minute) => {
      const now = mark === 'x' ? new Map([['a', { labels, annotations: [], value: minute }]]) : new Map();
      advance(active, now, timing, minute * MINUTE);
      const alert = active.get('a');
      return alert === undefined ? '-' : alert.state[0]!;
    })
    .join('');
}

const STORIES: readonly [name: string, holdMinutes: number, keepMinutes: number, found: string, states: string][] = [
  ['fires at once without for', 0, 0, 'xx', 'ff'],
  ['waits for all of for', 2, 0, 'xxxx', 'ppff'],
  ['a gap begins anew', 2, 0, 'xx.xxx', 'pp-ppf'],
  ['is resolved when it is gone', 1, 0, 'xx..x', 'pfiip'],
  ['resolved ones stay 15 minutes', 0, 0, `x${'.'.repeat(18)}`, `f${'i'.repeat(16)}--`],
  ['keeps firing for a while', 0, 2, 'x....', 'fffii'],
  ['what comes back keeps its state', 0, 3, 'x..x...x', 'ffffffff'],
  ['a pending one is not kept', 2, 5, 'xx..', 'pp--'],
  ['kept, then resolved, then found', 0, 1, 'x...x', 'ffiif'],
];

for (const [name, hold, keep, found, states] of STORIES) {
  test(`alerts: ${name}`, () => {
    assert.equal(story(found, { holdMs: hold * MINUTE, keepFiringMs: keep * MINUTE }), states);
  });
}

test('alerts: a longer for makes a firing alert wait', () => {
  const active = new Map<string, ActiveAlert>();
  const found = new Map([['a', { labels, annotations: [], value: 1 }]]);
  advance(active, found, { holdMs: 0, keepFiringMs: 0 }, 0);
  assert.equal(active.get('a')!.state, 'firing');
  advance(active, found, { holdMs: 5 * MINUTE, keepFiringMs: 0 }, MINUTE);
  const { state, firedAtMs } = active.get('a')!;
  assert.deepEqual({ state, firedAtMs }, { state: 'pending', firedAtMs: undefined });
  advance(active, found, { holdMs: 5 * MINUTE, keepFiringMs: 0 }, 5 * MINUTE);
  assert.equal(active.get('a')!.firedAtMs, 5 * MINUTE);
});

test('alerts: values and annotations are those of the last evaluation that found it', () => {
  const active = new Map<string, ActiveAlert>();
  const timing = { holdMs: 0, keepFiringMs: 10 * MINUTE };
  advance(active, new Map([['a', { labels, annotations: ['text', 'one'], value: 1 }]]), timing, 0);
  advance(active, new Map([['a', { labels, annotations: ['text', 'two'], value: 2 }]]), timing, MINUTE);
  advance(active, new Map(), timing, 2 * MINUTE);
  const { annotations, value, activeAtMs, keepFiringSinceMs } = active.get('a')!;
  const want = { annotations: ['text', 'two'], value: 2, activeAtMs: 0, keepFiringSinceMs: 2 * MINUTE };
  assert.deepEqual({ annotations, value, activeAtMs, keepFiringSinceMs }, want);
});

/** Minutes at which Alertmanagers hear of the alert; `!` where it is resolved. */
function sendings(found: string, timing: AlertTiming, resendMs: number): string[] {
  const active = new Map<string, ActiveAlert>();
  return [...found].flatMap((mark, minute) => {
    const timeMs = minute * MINUTE;
    advance(active, mark === 'x' ? new Map([['a', { labels, annotations: [], value: 1 }]]) : new Map(), timing, timeMs);
    const due = takeDue(active.values(), { timeMs, intervalMs: MINUTE, resendMs }, 'http://here/');
    return due.map(({ endsAtMs }) => `${minute}${endsAtMs <= timeMs ? '!' : `+${(endsAtMs - timeMs) / MINUTE}`}`);
  });
}

test('alerts: pending ones are not sent; firing ones again after the resend delay; resolved ones at once', () => {
  const timing = { holdMs: MINUTE, keepFiringMs: 0 };
  assert.deepEqual(sendings('xxxxxx..', timing, 2 * MINUTE), ['1+8', '4+8', '6!']);
  assert.deepEqual(sendings('xxx....', timing, 30_000), ['1+4', '2+4', '3!', '4!', '5!', '6!']);
});
