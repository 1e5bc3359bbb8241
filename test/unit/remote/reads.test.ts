// Remote reads over shards in this thread: limits, frames, external labels.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndSignal } from '../../../src/base/ending.js';
import { snappyDecode, snappyHeader } from '../../../src/base/snappy.js';
import { labelsOf } from '../../../src/model/labels.js';
import { type ReadLimits, RemoteReads } from '../../../src/remote/reads.js';
import { Fields } from '../../../src/shard/wire.js';
import { Registry } from '../../../src/telemetry/metrics.js';
import { CHUNKS, encodeRead, framesOf, SAMPLES } from '../../support/remote-read.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';

const LIMITS: ReadLimits = { samplesMax: 0, readsMax: 1, frameBytes: 1 << 20 };
const ALL = { startMs: 0, endMs: 1e9, matchers: [{ name: '__name__', op: '=~', value: '.+' } as const] };

interface Rig {
  readonly reads: RemoteReads;
  /** Bytes of memory that are counted now, and at the most. */
  readonly memory: { held: number; peak: number };
  close(): Promise<void>;
}

async function openReads(limits: Partial<ReadLimits> = {}): Promise<Rig> {
  const { shards, ingest } = await testShards(2);
  const series = Array.from({ length: 20 }, (_, i) => ({
    labels: labelsOf([
      ['__name__', 'm'],
      ['i', String(i).padStart(2, '0')],
      ...(i === 3 ? [['region', 'own'] as [string, string]] : []),
    ]),
    samples: packSamples(Array.from({ length: 500 }, (_, at) => [1000 + at * 1000, (at * i) % 17])),
  }));
  await ingest.append(series, 500_000, anyOwner(2));
  const memory = { held: 0, peak: 0 };
  const reads = new RemoteReads({
    ...{ shards, limits: { ...LIMITS, ...limits }, externalLabels: () => ['region', 'eu'], warn: () => {} },
    memory: () => {
      let own = 0;
      return {
        reserve: (bytes) => {
          own += bytes;
          memory.held += bytes;
          memory.peak = Math.max(memory.peak, memory.held);
        },
        release: () => {
          memory.held -= own;
        },
      };
    },
    queries: new Registry().gauge('queries', 'Queries.'),
  });
  return { reads, memory, close: () => shards.close() };
}

async function samplesOf(reads: RemoteReads, queries = [ALL]): Promise<Uint8Array> {
  let message = new Uint8Array(0);
  await reads.read(encodeRead(queries, [SAMPLES]), new EndSignal(), async (answer) => {
    assert.equal(answer.form, 'samples');
    if (answer.form !== 'samples') return;
    message = new Uint8Array(snappyHeader(answer.body).length);
    snappyDecode(answer.body, message);
  });
  return message;
}

async function framesIn(reads: RemoteReads): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  await reads.read(encodeRead([ALL], [CHUNKS]), new EndSignal(), async (answer) => {
    if (answer.form === 'chunks') for await (const piece of answer.frames) pieces.push(Uint8Array.from(piece));
  });
  return [...framesOf(Buffer.concat(pieces))];
}

/** The label sets of messages, in their order. */
function labelSets(series: Iterable<Uint8Array>): string[] {
  return [...series].map((bytes) =>
    [...each(bytes, 1)].map((label) => [...each(label, 1), ...each(label, 2)].map(String).join('=')).join(),
  );
}

function* each(bytes: Uint8Array, number: number): Generator<Buffer> {
  for (const field of new Fields(bytes)) if (field.number === number) yield Buffer.from(field.bytes);
}

test('series are sorted over all shards, and have the external labels that they lack', async () => {
  const { reads, memory, close } = await openReads();
  const [result] = [...each(await samplesOf(reads), 1)];
  const sets = labelSets(each(result!, 1));
  const want = Array.from({ length: 20 }, (_, i) => {
    return `__name__=m,i=${String(i).padStart(2, '0')},region=${i === 3 ? 'own' : 'eu'}`;
  });
  assert.deepEqual(sets, want);
  assert.ok(memory.peak > 1000);
  assert.equal(memory.held, 0);
  await close();
});

test('a query for more samples than the limit is refused, of as many answered', async () => {
  for (const [samplesMax, isGood] of [
    [10_000, true],
    [9_999, false],
  ] as const) {
    const { reads, memory, close } = await openReads({ samplesMax });
    if (isGood) assert.ok((await samplesOf(reads)).length > 0);
    else await assert.rejects(samplesOf(reads), /exceeded sample limit \(9999\)/);
    // Chunks are not counted.
    assert.ok((await framesIn(reads)).length > 0);
    assert.equal(memory.held, 0);
    await close();
  }
});

test('a frame has chunks of one series, no more than a limit allows, but always one', async () => {
  const { reads, close } = await openReads();
  const whole = await framesIn(reads);
  assert.equal(whole.length, 20);
  await close();
  const small = await openReads({ frameBytes: 1 });
  const frames = await framesIn(small.reads);
  const chunksIn = (frame: Uint8Array) => [...each([...each(frame, 1)][0]!, 2)].length;
  assert.ok(frames.every((frame) => chunksIn(frame) === 1));
  assert.equal(
    frames.length,
    whole.reduce((sum, frame) => sum + chunksIn(frame), 0),
  );
  const order = labelSets(frames.flatMap((frame) => [...each(frame, 1)]));
  assert.deepEqual(order, [...order].sort());
  await small.close();
});

test('reads beyond the limit wait for the others, and go on after a failure', async () => {
  const { reads, close } = await openReads({ readsMax: 1, samplesMax: 10_000 });
  let inside = 0;
  const one = () =>
    reads.read(encodeRead([ALL], [SAMPLES]), new EndSignal(), async () => {
      inside++;
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(inside, 1);
      inside--;
    });
  const bad = reads.read(Buffer.from('bad'), new EndSignal(), async () => {});
  await assert.rejects(bad, /snappy/);
  await Promise.all([one(), one(), one()]);
  await close();
});
