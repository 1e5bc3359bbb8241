import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate, type Priority } from '../../../src/query/gate.js';
import { FakeClock } from '../../support/clock.js';

const never = new AbortController().signal;
const clock = new FakeClock();

/** Enters in the background and notes in `order` when it is admitted. */
function enter(gate: Gate, name: string, priority: Priority, order: string[]): Promise<() => void> {
  return gate.enter(priority, never).then(({ leave }) => {
    order.push(name);
    return leave;
  });
}

test('gate: rules are admitted before ad-hoc queries that came earlier', async () => {
  const gate = new Gate(1, clock);
  const order: string[] = [];
  const first = await enter(gate, 'first', 'ad-hoc', order);
  const waiting = [
    enter(gate, 'ad-hoc 1', 'ad-hoc', order),
    enter(gate, 'ad-hoc 2', 'ad-hoc', order),
    enter(gate, 'rule', 'rules', order),
    enter(gate, 'ingest', 'ingest', order),
  ];
  assert.equal(gate.waiting, 4);
  first();
  for (const index of [3, 2, 0, 1]) (await waiting[index]!)();
  assert.deepEqual(order, ['first', 'ingest', 'rule', 'ad-hoc 1', 'ad-hoc 2']);
  assert.equal(gate.running, 0);
});

test('gate: leaving twice frees one place', async () => {
  const gate = new Gate(2, clock);
  const { leave } = await gate.enter('ad-hoc', never);
  await gate.enter('ad-hoc', never);
  leave();
  leave();
  assert.equal(gate.running, 1);
});

test('gate: who gives up while waiting is never admitted', async () => {
  const gate = new Gate(1, clock);
  const { leave } = await gate.enter('ad-hoc', never);
  const abort = new AbortController();
  const waiting = gate.enter('ad-hoc', abort.signal);
  abort.abort(new Error('gone'));
  await assert.rejects(waiting, /gone/);
  leave();
  assert.equal(gate.running, 0);
  assert.equal(gate.waiting, 0);
});

test('gate: large queries leave places to small ones, and wait without one', async () => {
  const gate = new Gate(4, clock);
  const order: string[] = [];
  const grown = async (name: string) => {
    const place = await gate.enter('ad-hoc', never);
    const growing = place.grow().then(() => order.push(name));
    return { place, growing };
  };
  const large = [await grown('1'), await grown('2'), await grown('3'), await grown('4'), await grown('5')];
  await settled();
  assert.deepEqual(order, ['1', '2', '3']);
  assert.deepEqual([gate.running, gate.waiting], [3, 2]);
  const small = await gate.enter('ad-hoc', never);
  const waiting = enter(gate, 'small', 'ad-hoc', order);
  small.leave();
  await waiting;
  large[1]!.place.leave();
  await large[3]!.growing;
  assert.deepEqual(order, ['1', '2', '3', 'small', '4']);
  assert.deepEqual([gate.running, gate.waiting], [4, 1]);
});

test('gate: a large query that gives up while it waits leaves no place', async () => {
  const gate = new Gate(8, clock, 1);
  const first = await gate.enter('ad-hoc', never);
  await first.grow();
  const abort = new AbortController();
  const second = await gate.enter('ad-hoc', abort.signal);
  const growing = second.grow();
  assert.equal(gate.running, 1);
  abort.abort(new Error('gone'));
  await assert.rejects(growing, /gone/);
  second.leave();
  first.leave();
  assert.deepEqual([gate.running, gate.waiting], [0, 0]);
});

test('gate: a part of a query that grows when the query has left takes no place', async () => {
  const gate = new Gate(8, clock, 1);
  const first = await gate.enter('ad-hoc', never);
  await first.grow();
  const waits = await gate.enter('ad-hoc', never);
  const growing = waits.grow();
  waits.leave();
  const late = await gate.enter('ad-hoc', never);
  late.leave();
  await assert.rejects(late.grow(), /has left/);
  first.leave();
  await assert.rejects(growing, /has left/);
  assert.deepEqual([gate.running, gate.waiting], [0, 0]);
  const next = await gate.enter('ad-hoc', never);
  await next.grow();
  next.leave();
});

test('gate: large rules wait for nobody', async () => {
  const gate = new Gate(8, clock, 1);
  await (await gate.enter('ad-hoc', never)).grow();
  await (await gate.enter('rules', never)).grow();
  assert.equal(gate.running, 2);
});

test('gate: who has had a small place for long gives it to who waits, and has to grow', async () => {
  const gate = new Gate(2, clock);
  const slow = [await gate.enter('ad-hoc', never), await gate.enter('ad-hoc', never)];
  const order: string[] = [];
  const waiting = enter(gate, 'small', 'ad-hoc', order);
  clock.advance(99);
  await settled();
  assert.deepEqual([order, slow.map(({ isLost }) => isLost)], [[], [false, false]]);
  clock.advance(1);
  const leave = await waiting;
  assert.deepEqual(
    slow.map(({ isLost }) => isLost),
    [true, false],
  );
  leave();
  await slow[0]!.grow();
  assert.equal(gate.running, 2);
  for (const place of slow) place.leave();
  assert.deepEqual([gate.running, gate.waiting], [0, 0]);
});

const settled = () => new Promise((resolve) => setImmediate(resolve));
