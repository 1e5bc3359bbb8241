import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate, type Priority } from '../../../src/query/gate.js';

const never = new AbortController().signal;

/** Enters in the background and notes in `order` when it is admitted. */
function enter(gate: Gate, name: string, priority: Priority, order: string[]): Promise<() => void> {
  return gate.enter(priority, never).then((leave) => {
    order.push(name);
    return leave;
  });
}

test('gate: rules are admitted before ad-hoc queries that came earlier', async () => {
  const gate = new Gate(1);
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
  const gate = new Gate(2);
  const leave = await gate.enter('ad-hoc', never);
  await gate.enter('ad-hoc', never);
  leave();
  leave();
  assert.equal(gate.running, 1);
});

test('gate: who gives up while waiting is never admitted', async () => {
  const gate = new Gate(1);
  const leave = await gate.enter('ad-hoc', never);
  const abort = new AbortController();
  const waiting = gate.enter('ad-hoc', abort.signal);
  abort.abort(new Error('gone'));
  await assert.rejects(waiting, /gone/);
  leave();
  assert.equal(gate.running, 0);
  assert.equal(gate.waiting, 0);
});
