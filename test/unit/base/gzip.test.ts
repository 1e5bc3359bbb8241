import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { copyInto, GzipError, gunzipInto } from '../../../src/base/gzip.js';
import { Prng } from '../../../src/base/prng.js';
import { TestSink } from '../../support/scripted-server.js';

const good = gzipSync('up 1\ndown 0\n');
const flipped = (at: number) => {
  const bytes = Buffer.from(good);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  return bytes;
};

const cases: [name: string, bytes: Uint8Array, want: string][] = [
  ['good', good, 'up 1\ndown 0\n'],
  ['two members', Buffer.concat([good, good]), 'up 1\ndown 0\nup 1\ndown 0\n'],
  ['nothing', Buffer.alloc(0), 'corrupt: EOF'],
  ['no gzip', Buffer.from('up 1\n# HELP up'), 'corrupt: gzip: invalid header'],
  ['junk behind', Buffer.concat([good, Buffer.from('junk')]), 'corrupt: gzip: invalid header'],
  ['zeroes behind', Buffer.concat([good, Buffer.alloc(4)]), 'corrupt: gzip: invalid header'],
  ['a wrong checksum', flipped(-6), 'corrupt: gzip: invalid checksum'],
  ['a lie about the length', flipped(-2), 'corrupt: gzip: invalid checksum'],
  ['a second member that is cut', Buffer.concat([good, good.subarray(0, 12)]), 'corrupt: unexpected EOF'],
  ['exactly the limit', gzipSync('x'.repeat(100)), 'x'.repeat(100)],
  ['one over the limit', gzipSync('x'.repeat(101)), 'limit: body size limit exceeded'],
  ['a bomb of 300 MB', gzipSync(Buffer.alloc(300_000_000), { level: 1 }), 'limit: body size limit exceeded'],
];

/** A sink that gives exactly what it is asked for, from `firstBytes` on. */
class StingySink {
  view = new Uint8Array(0);
  constructor(
    readonly firstBytes: number,
    readonly bytesMax = Number.POSITIVE_INFINITY,
  ) {}

  reserve(bytes: number, kept: number): Uint8Array | undefined {
    if (bytes > this.bytesMax) return undefined;
    const larger = new Uint8Array(this.view.length === 0 ? this.firstBytes : bytes);
    larger.set(this.view.subarray(0, kept));
    this.view = larger;
    return larger;
  }
}

const ways = [
  ['engine', gunzipInto],
  ['fallback', copyInto],
] as const;

function outcome(inflate: typeof gunzipInto, bytes: Uint8Array, decodedBytesMax: number, firstBytes = 4096): string {
  const sink = inflate === copyInto ? new TestSink() : new StingySink(firstBytes);
  try {
    const length = inflate(bytes, sink, decodedBytesMax);
    return Buffer.from(sink.view.subarray(0, length)).toString();
  } catch (error) {
    assert.ok(error instanceof GzipError, String(error));
    return `${error.reason}: ${error.message}`;
  }
}

for (const [name, bytes, want] of cases) {
  for (const firstBytes of [1, 11, 12, 99, 100, 101, 1_000_000]) {
    test(`gunzip: ${name}, into ${firstBytes} bytes first`, () => {
      assert.equal(outcome(gunzipInto, bytes, 100, firstBytes), want);
      // A fault leaves nothing behind in the engine.
      assert.equal(outcome(gunzipInto, good, 100), 'up 1\ndown 0\n');
    });
  }
}

for (const [way, inflate] of ways) {
  for (const [name, bytes, want] of cases.filter(([name]) => name !== 'nothing')) {
    test(`gunzip by ${way}: ${name}`, () => assert.equal(outcome(inflate, bytes, 100), want));
  }

  test(`gunzip by ${way}: a body cut anywhere is an unexpected end`, () => {
    for (let end = 1; end < good.length; end++) {
      assert.equal(outcome(inflate, good.subarray(0, end), 100), 'corrupt: unexpected EOF', `cut at ${end}`);
    }
  });

  test(`gunzip by ${way}: a bit flipped anywhere in data or checksum is found out`, () => {
    for (let at = 10; at < good.length; at++)
      assert.match(outcome(inflate, flipped(at), 100), /^corrupt: /, `at ${at}`);
  });

  test(`gunzip by ${way}: without a limit, and from shared memory`, () => {
    const shared = new Uint8Array(new SharedArrayBuffer(good.length));
    shared.set(good);
    assert.equal(outcome(inflate, shared, Number.POSITIVE_INFINITY), 'up 1\ndown 0\n');
  });

  test(`gunzip by ${way}: no room`, () => {
    const sink = new StingySink(10, 50_000);
    assert.throws(() => inflate(gzipSync(Buffer.alloc(200_000)), sink, Number.POSITIVE_INFINITY), {
      reason: 'no-room',
    });
  });
}

test('gunzip: random texts come back, whatever the room', () => {
  const prng = new Prng(20261121);
  for (let round = 0; round < 200; round++) {
    const text = Array.from({ length: prng.int(3000) }, () =>
      prng.pick(['up', ' ', '1', '\n', 'metric_total', '{a="b"}']),
    ).join('');
    assert.equal(outcome(gunzipInto, gzipSync(text), 100_000, 1 + prng.int(20_000)), text, `round ${round}`);
  }
});

/** Of several members, which shrink a hundredfold and more. */
const long = Buffer.concat(
  ['a', 'b', 'c'].map((letter) => gzipSync(Buffer.alloc(3 * 2 ** 20, `${letter.repeat(99)}\n`))),
);
const LONG_BYTES = 9 * 2 ** 20;

test('gunzip: a long body is measured, and gets exactly its room', () => {
  for (const limit of [LONG_BYTES, Number.POSITIVE_INFINITY]) {
    const sink = new TestSink();
    assert.equal(gunzipInto(long, sink, limit), LONG_BYTES);
    assert.equal(sink.asked.at(-1), LONG_BYTES + 1);
    for (const [i, letter] of [...'abc'].entries()) assert.equal(sink.view[i * 3 * 2 ** 20], letter.charCodeAt(0));
  }
});

test('gunzip: a long body that is too long, or damaged behind its middle, gets no more room', () => {
  const damaged = Buffer.from(long);
  damaged[damaged.length - 6]! ^= 1;
  const faults = [
    [long, LONG_BYTES - 1, 'limit'],
    [damaged, LONG_BYTES, 'corrupt'],
    [long.subarray(0, -9), LONG_BYTES, 'corrupt'],
    [Buffer.concat([long, Buffer.from('junk')]), LONG_BYTES, 'corrupt'],
  ] as const;
  for (const [bytes, limit, reason] of faults) {
    const sink = new TestSink();
    assert.throws(() => gunzipInto(bytes, sink, limit), { reason });
    if (reason === 'limit') assert.ok(Math.max(...sink.asked) < LONG_BYTES, `${sink.asked}`);
  }
});
