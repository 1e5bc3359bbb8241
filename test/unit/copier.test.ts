import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { Copier } from '../../src/wasm/copier.js';
import { Core } from '../../src/wasm/core.js';

test('copier: every pair of alignments, from either kind of memory, writes these bytes and no others', () => {
  const core = new Core();
  const copier = new Copier(core);
  const prng = new Prng(1);
  const at = core.exports.heap_alloc(300_000) >>> 0;
  for (const length of [0, 1, 7, 255, 256, 257, 4000, 65_536, 65_537, 200_001]) {
    for (let source = 0; source < 8; source++) {
      for (const target of [0, 3, source]) {
        const buffer = source % 2 === 0 ? new ArrayBuffer(length + 8) : new SharedArrayBuffer(length + 8);
        const bytes = new Uint8Array(buffer, source, length);
        for (let i = 0; i < length; i += 13) bytes[i] = prng.int(256);
        const to = at + 16 + target;
        core.bytes.fill(0xaa, at, to + length + 16);
        copier.copy(bytes, to);
        assert.ok(
          Buffer.from(core.u8(to, length)).equals(Buffer.from(bytes)),
          `${length} bytes, ${source} to ${target}`,
        );
        assert.equal(core.bytes[to - 1], 0xaa);
        assert.equal(core.bytes[to + length], 0xaa);
      }
    }
  }
});
