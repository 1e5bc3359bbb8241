import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compress } from 'snappyjs';
import { Prng } from '../../../src/base/prng.js';
import { SnappyError, snappyDecode, snappyHeader } from '../../../src/base/snappy.js';
import { hex, unhex } from '../../support/wal.js';

const text = (value: string) => Buffer.from(value).toString('hex');

// By hand, from the format description.
const GOLDEN: [name: string, block: string, want: string][] = [
  ['nothing', '00', ''],
  ['a literal', `05 10 ${text('hello')}`, text('hello')],
  ['a literal with its length in a byte', `3d f0 3c ${'61'.repeat(61)}`, '61'.repeat(61)],
  ['a literal with its length in two bytes', `3d f4 3c00 ${'61'.repeat(61)}`, '61'.repeat(61)],
  ['a near copy', `08 0c ${text('abcd')} 01 04`, text('abcdabcd')],
  ['a copy of what it writes itself', `0a 00 ${text('a')} 15 01`, text('aaaaaaaaaa')],
  ['a copy with two bytes of offset', `08 0c ${text('abcd')} 0e 0400`, text('abcdabcd')],
  ['a copy with four bytes of offset', `08 0c ${text('abcd')} 0f 04000000`, text('abcdabcd')],
];

for (const [name, block, want] of GOLDEN) {
  test(`snappy: ${name}`, () => {
    const input = unhex(block);
    const into = new Uint8Array(snappyHeader(input).length);
    assert.equal(snappyDecode(input, into), into.length);
    assert.equal(hex(into), want);
  });
}

const BAD: [name: string, block: string, reason: RegExp][] = [
  ['no header', '', /length is malformed/],
  ['a header without end', 'ffffffffff', /length is malformed/],
  ['a length beyond 32 bits', 'ffffffff7f', /length is malformed/],
  ['fewer bytes than promised', `06 10 ${text('hello')}`, /5 bytes where the header says 6/],
  ['more bytes than promised', `04 10 ${text('hello')}`, /more bytes than the header/],
  ['a literal cut off', '05 10 68', /literal is cut off/],
  ['a literal whose length is cut off', '40 f4 3c', /literal is cut off/],
  ['a copy cut off', `08 0c ${text('abcd')} 01`, /copy is cut off/],
  ['a copy from before the start', `08 0c ${text('abcd')} 01 05`, /reaches back 5 of 4/],
  ['a copy from nowhere', `08 0c ${text('abcd')} 01 00`, /reaches back 0 of 4/],
  ['a copy beyond the promised length', `06 0c ${text('abcd')} 01 04`, /more bytes than the header/],
];

for (const [name, block, reason] of BAD) {
  test(`snappy: refuses ${name}`, () => {
    assert.throws(
      () => snappyDecode(unhex(block), new Uint8Array(1000)),
      (error) => error instanceof SnappyError && reason.test(error.message),
    );
  });
}

test('snappy: decodes what another implementation encodes; damage never writes beyond', () => {
  const prng = new Prng(11);
  for (let round = 0; round < 200; round++) {
    const bytes = Uint8Array.from({ length: prng.int(5000) }, () => prng.int(prng.pick([2, 4, 256])));
    const block = new Uint8Array(compress(bytes));
    const into = new Uint8Array(bytes.length);
    snappyDecode(block, into);
    assert.deepEqual(into, bytes, `round ${round}`);
    const broken = block.slice();
    broken[prng.int(broken.length)]! ^= 1 << prng.int(8);
    try {
      const decoded = snappyDecode(broken, new Uint8Array(bytes.length));
      assert.ok(decoded <= bytes.length);
    } catch (error) {
      assert.ok(error instanceof SnappyError, `round ${round}: ${error}`);
    }
  }
});
