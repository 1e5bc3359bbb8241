// The cache of chunks that queries read, against a model: what it gives is what it was given, what somebody reads stays,
// and it is never larger than it may be.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { ChunkCache, REFERENCE_BYTES } from '../../../src/wasm/chunk-cache.js';
import { Core } from '../../../src/wasm/core.js';
import { LoadedChunks } from '../../../src/wasm/history.js';

const PAGE_BYTES = 65_536;
const CHUNKS = 3_000;

/** What stands in a chunk: something of its own. */
function bytesOf(chunk: number): Uint8Array {
  return Uint8Array.from({ length: 16 + (chunk % 300) }, (_, i) => (chunk * 31 + i * 7) % 256);
}

class Rig {
  readonly core = new Core();
  readonly cache: ChunkCache;

  constructor(pages: number) {
    this.cache = new ChunkCache(this.core, pages * PAGE_BYTES);
    this.cache.prepare();
  }

  /** Reads a chunk as a window does: from the cache, or else it is given to it. Says which. */
  read(chunk: number, window: LoadedChunks): 'hit' | 'kept' | 'refused' {
    const { cache } = this;
    const file = 1 + (chunk % 5);
    const at = window.lend(REFERENCE_BYTES);
    if (this.find(chunk, window, at) !== 0) return 'hit';
    const whole = new LoadedChunks(this.core, 0, 1);
    const bytes = bytesOf(chunk);
    whole.add(bytes, [{ place: 0, minTimeMs: chunk, maxTimeMs: chunk + 9, start: 0, length: bytes.length }]);
    const kept = cache.keep(file, chunk, whole.newest(0), window.pins);
    whole.release();
    if (kept === 0) return 'refused';
    cache.refer(kept, at);
    this.check(chunk, at);
    return 'kept';
  }

  /** Looks for it among others that are not there; gives where it is, 0 for nowhere. */
  find(chunk: number, window: LoadedChunks, at = window.lend(REFERENCE_BYTES)): number {
    const others = chunk % 40;
    const room = window.lend((others + 1) * REFERENCE_BYTES);
    const files = Uint32Array.from({ length: others + 1 }, () => 1 + (chunk % 5));
    const offsets = Uint32Array.from({ length: others + 1 }, (_, i) => (i === others ? chunk : 2 ** 31 + i));
    const found = this.cache.find(files, offsets, room, window.pins);
    assert.ok(found.subarray(0, others).every((one) => one === 0));
    if (found[others] === 0) return 0;
    this.core.u32(at, REFERENCE_BYTES / 4).set(this.core.u32(found[others]!, REFERENCE_BYTES / 4));
    this.check(chunk, at);
    return at;
  }

  check(chunk: number, at: number): void {
    const window = new LoadedChunks(this.core, 0, 0);
    assert.deepEqual(window.chunkAt(at), { data: bytesOf(chunk), minTimeMs: chunk });
    window.release();
  }
}

for (const pages of [0, 1, 3, 10, 100]) {
  test(`chunk cache: ${pages} pages give what they were given`, () => {
    const rig = new Rig(pages);
    const random = new Prng(pages);
    const windows: { readonly loaded: LoadedChunks; readonly seen: Map<number, number> }[] = [];
    for (let step = 0; step < 20_000; step++) {
      rig.cache.prepare();
      if (windows.length < 3) windows.push({ loaded: new LoadedChunks(rig.core, 0, 1), seen: new Map() });
      const { loaded, seen } = random.pick(windows);
      const chunk = random.int(random.int(3) === 0 ? CHUNKS : 200);
      rig.read(chunk, loaded);
      const at = rig.find(chunk, loaded);
      if (at !== 0) seen.set(chunk, at);
      // What a window has found stays where it is as long as the window.
      if (seen.size > 0) rig.check(...random.pick([...seen]));
      if (random.int(400) === 0) windows.splice(random.int(windows.length), 1)[0]!.loaded.release();
      if (random.int(5_000) === 0) rig.core.exports.chunks_drop();
      assert.ok(rig.cache.bytes <= pages * PAGE_BYTES);
    }
    for (const { loaded } of windows) loaded.release();
    rig.core.exports.chunks_drop();
    assert.equal(rig.cache.bytes, 0);
  });
}

/** Reads chunks in windows of a hundred; gives how many were there. */
function pass(rig: Rig, from: number, to: number): number {
  let hits = 0;
  for (let at = from; at < to; at += 100) {
    rig.cache.prepare();
    const window = new LoadedChunks(rig.core, 0, 1);
    for (let chunk = at; chunk < Math.min(to, at + 100); chunk++) if (rig.read(chunk, window) === 'hit') hits++;
    window.release();
  }
  return hits;
}

test('chunk cache: of a question that is larger most is there the next time', () => {
  const rig = new Rig(10);
  const fits = 3_000;
  pass(rig, 0, 4_000);
  const hits = [1, 2, 3, 4, 5].map(() => pass(rig, 0, 4_000));
  assert.ok(
    hits.every((count) => count > fits / 2 && count === hits[0]),
    `${hits}`,
  );
});

test('chunk cache: what nobody asks for any more goes', () => {
  const rig = new Rig(10);
  pass(rig, 0, 2_000);
  for (let i = 0; i < 8; i++) pass(rig, 10_000, 12_000);
  assert.ok(pass(rig, 10_000, 12_000) > 1_500);
});

test('chunk cache: where memory is short nothing is kept', () => {
  const core = new Core({ pagesMax: 200 });
  const cache = new ChunkCache(core, 2 ** 26, 200 * PAGE_BYTES);
  cache.prepare();
  assert.ok(cache.bytes > 0 && cache.bytes <= 25 * PAGE_BYTES);
  const held = core.exports.heap_alloc(140 * PAGE_BYTES);
  cache.prepare();
  assert.equal(cache.bytes, 0);
  core.exports.heap_free(held, 140 * PAGE_BYTES);
});
