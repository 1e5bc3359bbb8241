// Shards in this thread, without a log: what tests of storage and queries run on.

import type { Labels } from '../../src/model/labels.js';
import type { QueryContext } from '../../src/promql/exec/source.js';
import { Ingest } from '../../src/shard/ingest.js';
import { noLog } from '../../src/shard/log-port.js';
import { Shards, type ShardsOptions } from '../../src/shard/shards.js';

export const ANY_TIME = { minTimeMs: -(2 ** 52), maxTimeMs: 2 ** 52 };

export async function testShards(
  count: number,
  memoryBytes = 512 * 2 ** 20,
  options: Partial<ShardsOptions> = {},
): Promise<{ shards: Shards; ingest: Ingest }> {
  const shards = await Shards.start(
    { count, seed: 42n, memoryBytes, inputBytes: 8 * 2 ** 20, threads: false, ...options },
    noLog,
  );
  return { shards, ingest: new Ingest(shards, () => ANY_TIME) };
}

/** Samples as appends take them: f64 ms and value bits. */
export function packSamples(samples: readonly (readonly [timeMs: number, value: number | bigint])[]): ArrayBuffer {
  const packed = new DataView(new ArrayBuffer(samples.length * 16));
  samples.forEach(([timeMs, value], i) => {
    packed.setFloat64(i * 16, timeMs, true);
    if (typeof value === 'bigint') packed.setBigUint64(i * 16 + 8, value, true);
    else packed.setFloat64(i * 16 + 8, value, true);
  });
  return packed.buffer;
}

/** Appends to whichever shard: tests do not care who owns a series as long as it is always the same. */
export function anyOwner(count: number): (labels: Labels) => number {
  return (labels) => [...labels.join('\0')].reduce((hash, c) => (hash * 31 + c.charCodeAt(0)) >>> 0, 7) % count;
}

export function freeContext(): QueryContext {
  return { signal: new AbortController().signal, charge() {}, reserve() {} };
}
