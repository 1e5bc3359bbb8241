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

test('heap: pages whose blocks are all free serve other sizes', () => {
  const { exports } = new Core({ pagesMax: 40 });
  const fill = (bytes: number): number[] => {
    const blocks: number[] = [];
    for (let at = exports.heap_alloc(bytes) >>> 0; at !== 0; at = exports.heap_alloc(bytes) >>> 0) blocks.push(at);
    return blocks;
  };
  for (const bytes of [32, 320, 5000, 32_768, 200_000, 48]) {
    const blocks = fill(bytes);
    assert.equal(blocks.length, bytes > 65_536 ? 10 : 40 * Math.floor(65_536 / roundUp(bytes)), `${bytes} bytes`);
    // Neither in the order in which they were given out, nor in the opposite one.
    for (let i = 0; i < blocks.length; i++) {
      const j = (i * 7919) % blocks.length;
      [blocks[i], blocks[j]] = [blocks[j]!, blocks[i]!];
    }
    for (const at of blocks) exports.heap_free(at, bytes);
    assert.equal(exports.memory_used_pages(), 0);
    assert.equal(exports.heap_spare_bytes(), 0);
  }
});

/** The size of the class, as heap.ts draws it. */
function roundUp(bytes: number): number {
  if (bytes <= 64) return Math.ceil(bytes / 16) * 16;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}

test('heap: blocks come first from pages that are nearly full, so that the others become empty', () => {
  const { exports } = new Core();
  const blocks = Array.from({ length: 8 * 1024 }, () => exports.heap_alloc(64) >>> 0);
  assert.equal(exports.memory_used_pages(), 8);
  // Of each page but the last another share is free: 7/8 of the first, 1/8 of the seventh.
  for (let page = 0; page < 7; page++)
    for (let i = 0; i < 1024; i++) if (i % 8 > page) exports.heap_free(blocks[page * 1024 + i]!, 64);
  for (let i = 0; i < 1024; i++) assert.notEqual(exports.heap_alloc(64), 0);
  // The fullest three had room for 128 + 256 + 384, the fourth for the rest.
  for (let page = 0; page < 3; page++)
    for (let i = 0; i < 1024; i++) if (i % 8 <= page) exports.heap_free(blocks[page * 1024 + i]!, 64);
  assert.equal(exports.memory_used_pages(), 5);
});

test('pages: spans of many are found between others, and the end of memory is taken back', () => {
  const { exports } = new Core();
  const page = 65_536;
  const spans = Array.from({ length: 200 }, () => exports.heap_alloc(page) >>> 0);
  const first = spans[0]!;
  assert.deepEqual(
    spans,
    Array.from({ length: 200 }, (_, i) => first + i * page),
  );
  for (const i of [10, 60, 61, 62, 63, 64, 65, 66, 130, 131]) exports.heap_free(spans[i]!, page);
  assert.equal(exports.heap_alloc(2 * page) >>> 0, spans[60]);
  assert.equal(exports.heap_alloc(5 * page) >>> 0, spans[62]);
  assert.equal(exports.heap_alloc(2 * page) >>> 0, spans[130]);
  assert.equal(exports.heap_alloc(2 * page) >>> 0, first + 200 * page);
  assert.equal(exports.heap_alloc(page) >>> 0, spans[10]);
  for (const i of [199, 197, 198]) exports.heap_free(spans[i]!, page);
  exports.heap_free(first + 200 * page, 2 * page);
  assert.equal(exports.heap_alloc(40 * page) >>> 0, spans[197]);
});
