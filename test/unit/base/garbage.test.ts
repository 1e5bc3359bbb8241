// Garbage is collected where a thread is at rest and has grown, and not again and again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GarbageAtRest, ownHeap } from '../../../src/base/garbage.js';
import { FakeClock } from '../../support/clock.js';

const MIB = 2 ** 20;

/** Collects at once what is above 20 MiB; `busy` is what the next looks find. */
function rig() {
  const heap = {
    bytes: 20 * MIB,
    busy: 0,
    collections: 0,
    takeBusyShare: () => heap.busy,
    collect: () => {
      heap.collections++;
      heap.bytes = 20 * MIB;
    },
  };
  const clock = new FakeClock();
  let others = 0;
  const garbage = new GarbageAtRest(clock, heap, () => {
    others++;
  });
  garbage.start();
  const pass = (seconds: number) => {
    for (let i = 0; i < seconds; i++) clock.advance(1000);
    assert.equal(others, heap.collections);
    return heap.collections;
  };
  return { heap, garbage, pass };
}

test('a heap that grew is collected once its thread is at rest', () => {
  const { heap, pass } = rig();
  assert.equal(pass(10), 1, 'what the start has left');
  assert.equal(pass(120), 1, 'nothing grew');
  heap.bytes = 70 * MIB;
  heap.busy = 0.5;
  assert.equal(pass(60), 1, 'busy');
  heap.busy = 0.01;
  assert.equal(pass(5), 2);
  assert.equal(heap.bytes, 20 * MIB);
});

test('a heap that grows again at once waits a while, and one that grew a little for more', () => {
  const { heap, pass } = rig();
  pass(10);
  heap.bytes = 70 * MIB;
  assert.equal(pass(10), 1);
  assert.equal(pass(15), 2);
  heap.bytes = 25 * MIB;
  assert.equal(pass(300), 2);
});

test('once closed it looks no more', () => {
  const { heap, garbage, pass } = rig();
  pass(10);
  garbage.close();
  heap.bytes = 70 * MIB;
  assert.equal(pass(120), 1);
});

test('the heap of this thread gives its garbage back', () => {
  const heap = ownHeap();
  let kept: object[] = [];
  for (let i = 0; i < 300_000; i++) kept.push({ i });
  const before = heap.bytes;
  kept = [];
  heap.collect();
  assert.equal(kept.length, 0);
  assert.ok(heap.bytes < before - 4 * MIB, `${heap.bytes} of ${before} bytes are left`);
  assert.ok(heap.takeBusyShare() >= 0);
});
