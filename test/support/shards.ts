// Shards in this thread, without a log: what tests of storage and queries run on.

import type { Labels } from '../../src/model/labels.js';
import type { QueryContext } from '../../src/promql/exec/source.js';
import type { ScrapeCommit, ScrapeOutcome, TargetHandle, TargetOptions } from '../../src/scrape/appender.js';
import type { ShardAppender } from '../../src/scrape/shard-appender.js';
import { Ingest } from '../../src/shard/ingest.js';
import { noLog } from '../../src/shard/log-port.js';
import type { WriteReply } from '../../src/shard/protocol.js';
import { Shards, type ShardsOptions } from '../../src/shard/shards.js';
import { encodeWrite, type Series, snappyLiterals } from './remote-write.js';

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

/** A remote write through one of the shards, as the server takes it. */
export function writeThrough(
  storage: { shards: Shards; ingest: Ingest },
  shard: number,
  series: readonly Series[],
  nowMs: number,
): Promise<WriteReply> {
  return writeBody(storage, shard, snappyLiterals(encodeWrite(series)), nowMs);
}

/** The same of a body that is compressed already. */
export async function writeBody(
  { shards, ingest }: { shards: Shards; ingest: Ingest },
  shard: number,
  body: Uint8Array,
  nowMs: number,
): Promise<WriteReply> {
  const { slots } = shards.shard(shard);
  const slot = slots.take(body.length);
  if (slot === undefined) throw new Error('no room for the body');
  slots.view(slot).set(body);
  try {
    return await ingest.write(shard, slot, nowMs);
  } finally {
    slots.give(slot);
  }
}

/** A target without labels, limits or rules. */
export const ANY_TARGET: TargetOptions = {
  hash: 1,
  job: 'j',
  labels: [],
  honorLabels: false,
  honorTimestamps: true,
  scrapeNativeHistograms: false,
  alwaysScrapeClassicHistograms: false,
  convertClassicHistogramsToNhcb: false,
  nativeHistogramBucketLimit: 0,
  nativeHistogramMinBucketFactor: 0,
  trackTimestampsStaleness: false,
  metricRelabelConfigs: [],
  metricNameValidationScheme: 'utf8',
  sampleLimit: 0,
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
};

/** A target that tests scrape by hand. */
export function openTarget(appender: ShardAppender, hash: number, labels: Labels): TargetHandle {
  return appender.open({ ...ANY_TARGET, hash, labels });
}

/** Commits a body as a scrape loop does. */
export function scrapeText(
  appender: ShardAppender,
  target: TargetHandle,
  text: string,
  timeMs: number,
): Promise<ScrapeOutcome> {
  const body = Buffer.from(text);
  appender.bodySink(target).reserve(body.length, 0)?.set(body);
  return appender.commit(target, {
    timeMs,
    durationSeconds: 0.1,
    format: 'text',
    encoding: 'identity',
    bodyBytes: body.length,
    decodedBytesMax: Number.POSITIVE_INFINITY,
  } as ScrapeCommit);
}

/** Appends to whichever shard: tests do not care who owns a series as long as it is always the same. */
export function anyOwner(count: number): (labels: Labels) => number {
  return (labels) => [...labels.join('\0')].reduce((hash, c) => (hash * 31 + c.charCodeAt(0)) >>> 0, 7) % count;
}

export function freeContext(): QueryContext {
  return { signal: new AbortController().signal, charge() {}, check() {}, reserve() {} };
}
