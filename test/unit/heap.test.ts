import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Core } from '../../src/wasm/core.js';

test('heap: blocks never overlap and come back for reuse', () => {
  const { exports } = new Core();
  const blocks = new Map<number, number>();
  let seed = 42;
  const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  for (let round = 0; round < 5000; round++) {
    if (random() < 0.4 && blocks.size > 0) {
      const [at, bytes] = [...blocks][Math.floor(random() * blocks.size)]!;
      exports.heap_free(at, bytes);
      blocks.delete(at);
    } else {
      const bytes = 1 + Math.floor(random() ** 4 * 200000);
      const at = exports.heap_alloc(bytes) >>> 0;
      assert.notEqual(at, 0);
      blocks.set(at, bytes);
    }
  }
  const sorted = [...blocks].sort((a, b) => a[0] - b[0]);
  for (let i = 1; i < sorted.length; i++) {
    assert.ok(
      sorted[i - 1]![0] + sorted[i - 1]![1] <= sorted[i]![0],
      `blocks ${sorted[i - 1]} and ${sorted[i]} overlap`,
    );
  }
});

test('pages: the limit refuses, and freed spans merge', () => {
  const { exports } = new Core({ pagesMax: 100 });
  const spans = Array.from({ length: 10 }, () => exports.heap_alloc(10 * 65536));
  assert.equal(exports.heap_alloc(65536), 0);
  for (const i of [1, 3, 2, 0, 9, 7, 8, 5, 6, 4]) exports.heap_free(spans[i]!, 10 * 65536);
  assert.equal(exports.memory_used_pages(), 0);
  assert.notEqual(exports.heap_alloc(100 * 65536), 0);
});

test('heap: what is held is what was given out, and pages carved once do not count twice', () => {
  const core = new Core();
  const { exports } = core;
  const comeAndGo = (sizes: readonly number[]): [most: number, left: number] => {
    const blocks = sizes.map((bytes) => ({ at: exports.heap_alloc(bytes), bytes }));
    const most = core.heldBytes;
    for (const { at, bytes } of blocks) exports.heap_free(at, bytes);
    return [most, core.heldBytes];
  };
  // Pages are full of these.
  const even = Array.from({ length: 3000 }, (_, i) => 2 ** (4 + (i % 14)));
  const sum = even.reduce((total, bytes) => total + bytes, 0);
  assert.deepEqual(comeAndGo(even), [sum, 0]);
  // And of these something is left over, the first time.
  const odd = Array.from({ length: 3000 }, (_, i) => 1 + ((i * 7919) % 40_000));
  const first = comeAndGo(odd);
  assert.deepEqual(comeAndGo(odd), first);
  assert.deepEqual(comeAndGo(odd), first);
});
