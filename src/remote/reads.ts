// Remote reads of this server: another one asks for the series of selectors, with their samples.
//
//   request ─► gate ─► each query: all shards at one watermark, a page of messages at a time ─► sorted by labels ─► answer
//
// The messages are made in the shards (shard/read-messages.ts). Series have to leave in order, and shards give them in
// none: a query's answer is held, compressed as chunks are, until all shards are through, and counted while it is. Of
// samples the whole answer is one block of Snappy.

import { crc32c } from '../base/crc32c.js';
import type { Ending } from '../base/ending.js';
import { MessageWriter } from '../base/message-writer.js';
import { snappyEncode } from '../base/snappy-encode.js';
import { compareLabels, type Labels } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import { decodeLabels } from '../shard/columns.js';
import type { Reply } from '../shard/protocol.js';
import type { ReadStyle } from '../shard/read-messages.js';
import type { ShardHandle, Shards } from '../shard/shards.js';
import type { Gauge } from '../telemetry/metrics.js';
import { Gate } from './gate.js';
import { BadRead, decodeReadRequest, type ReadQuery } from './read-request.js';

export interface ReadLimits {
  /** Samples of one query, where they are answered as such; 0 is no limit. */
  readonly samplesMax: number;
  /** At a time; 0 is no limit. */
  readonly readsMax: number;
  readonly frameBytes: number;
}

/** What a read holds of the memory that queries may have together. */
export interface ReadMemory {
  /** Throws where there is none. */
  reserve(bytes: number): void;
  release(): void;
}

/** As in web/deps.ts. */
export type ReadAnswer =
  /** A block of Snappy. */
  | { readonly form: 'samples'; readonly body: Uint8Array }
  /** Frames, one or more of them in each piece. */
  | { readonly form: 'chunks'; readonly frames: AsyncIterable<Uint8Array> };

/** A series with its messages: a stretch of a page. */
interface HeldSeries {
  readonly labels: Labels;
  readonly page: Uint8Array;
  /** Where its first message begins, and where each ends. */
  readonly start: number;
  readonly ends: Uint32Array;
}

export interface ReadsOptions {
  readonly shards: Shards;
  readonly limits: ReadLimits;
  readonly externalLabels: () => Labels;
  readonly memory: () => ReadMemory;
  /** Reads that wait or run. */
  readonly queries: Gauge;
  /** Told of what could not be read. */
  readonly warn: (message: string) => void;
}

/** Frames are gathered up to so many bytes. */
const PIECE_BYTES = 256 * 1024;

export class RemoteReads {
  readonly #options: ReadsOptions;
  readonly #gate: Gate;

  constructor(options: ReadsOptions) {
    this.#options = options;
    this.#gate = new Gate(options.limits.readsMax);
  }

  /** Calls `answer` with what a request is answered; the read ends with it. Throws BadRead, QueryError, ShardError. */
  async read(body: Uint8Array, signal: Ending, answer: (answer: ReadAnswer) => Promise<void>): Promise<void> {
    const { queries } = this.#options;
    await this.#gate.enter();
    queries.value++;
    try {
      const request = decodeReadRequest(body);
      if (request.form === 'samples') {
        await answer({ form: 'samples', body: await this.#samples(request.queries, signal) });
      } else {
        await answer({ form: 'chunks', frames: this.#frames(request.queries, signal) });
      }
    } finally {
      queries.value--;
      this.#gate.leave();
    }
  }

  /** prometheus.ReadResponse: 1 QueryResult (1 TimeSeries …) …, compressed. */
  async #samples(queries: readonly ReadQuery[], signal: Ending): Promise<Uint8Array> {
    const memory = this.#options.memory();
    try {
      const to = new MessageWriter();
      for (const [i, query] of queries.entries()) {
        const result = to.open(1);
        for (const { page, start, ends } of await this.#series(query, 'samples', i, memory, signal)) {
          to.bytes(1, page.subarray(start, ends[0]!));
        }
        to.closeExact(result);
      }
      return snappyEncode(to.finish());
    } finally {
      memory.release();
    }
  }

  async *#frames(queries: readonly ReadQuery[], signal: Ending): AsyncGenerator<Uint8Array> {
    const memory = this.#options.memory();
    try {
      for (const [i, query] of queries.entries()) {
        const to = new MessageWriter(Number.MAX_SAFE_INTEGER, PIECE_BYTES);
        for (const { page, start, ends } of await this.#series(query, 'chunks', i, memory, signal)) {
          let from = start;
          for (const end of ends) {
            writeFrame(to, page.subarray(from, end));
            from = end;
          }
          if (to.length < PIECE_BYTES) continue;
          yield to.finish().slice();
          to.truncate(0);
        }
        if (to.length > 0) yield to.finish();
      }
    } finally {
      memory.release();
    }
  }

  /** A query's series, sorted by their own labels. */
  async #series(
    { matchers, startMs, endMs }: ReadQuery,
    form: ReadStyle['form'],
    queryIndex: number,
    memory: ReadMemory,
    signal: Ending,
  ): Promise<HeldSeries[]> {
    const externalLabels = this.#options.externalLabels();
    if (startMs > endMs) return [];
    const { shards, limits } = this.#options;
    const hold = shards.appends.hold();
    const style: ReadStyle = { form, externalLabels, frameBytes: limits.frameBytes, queryIndex };
    const request = {
      ...{ matchers: withoutExternal(matchers, externalLabels), watermark: hold.watermark, ...style },
      ...{ startMs: Math.max(startMs, -TIME_MAX), endMs: Math.min(endMs, TIME_MAX) },
    };
    let reads: Read[];
    try {
      reads = await Promise.all(shards.handles.map((handle) => Read.open(handle, request)));
    } finally {
      hold.release();
    }
    const left = { samples: form === 'samples' && limits.samplesMax > 0 ? limits.samplesMax : Infinity };
    const held: HeldSeries[] = [];
    const take = (page: Reply<'nextRead'>) => {
      left.samples -= page.samples;
      if (left.samples < 0) throw new BadRead(`exceeded sample limit (${limits.samplesMax})`);
      memory.reserve(page.messages.byteLength + page.labels.strings.byteLength + page.labels.rows.byteLength * 4);
      for (const fault of page.faults) this.#options.warn(fault);
      for (const one of seriesOf(page)) held.push(one);
    };
    try {
      await Promise.all(reads.map((read) => read.run(signal, take)));
    } finally {
      for (const read of reads) read.close();
    }
    return held.sort((a, b) => compareLabels(a.labels, b.labels));
  }
}

/** Milliseconds that the core's 64-bit times and a double both hold. */
const TIME_MAX = 2 ** 52;

/** Series of storage lack external labels: a matcher that asks for one as it is here asks for its absence there. */
function withoutExternal(matchers: readonly Matcher[], external: Labels): Matcher[] {
  const has = (name: string, value: string) =>
    external.some((one, i) => i % 2 === 0 && one === name && external[i + 1] === value);
  return matchers.map((one) => (one.op === '=' && has(one.name, one.value) ? { ...one, value: '' } : one));
}

/** One shard's part of a read. */
class Read {
  readonly #handle: ShardHandle;
  readonly #read: number;
  #isOpen = true;

  private constructor(handle: ShardHandle, read: number) {
    this.#handle = handle;
    this.#read = read;
  }

  static async open(handle: ShardHandle, request: Parameters<typeof handle.client.call<'openRead'>>[1]): Promise<Read> {
    const { read } = await handle.client.call('openRead', request, 'adhoc');
    return new Read(handle, read);
  }

  /** Asks for page after page. */
  async run(signal: Ending, take: (page: Reply<'nextRead'>) => void): Promise<void> {
    for (let done = false; !done && this.#isOpen; ) {
      if (signal.aborted) return;
      const page = await this.#handle.client.call('nextRead', { read: this.#read }, 'adhoc');
      done = page.done;
      take(page);
    }
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#handle.client.call('closeRead', { read: this.#read }, 'adhoc').catch(() => {});
  }
}

function* seriesOf(page: Reply<'nextRead'>): Generator<HeldSeries> {
  const counts = new Uint32Array(page.counts);
  const ends = new Uint32Array(page.ends);
  const bytes = new Uint8Array(page.messages);
  const labels = decodeLabels(page.labels.strings, page.labels.rows, counts.length);
  let at = 0;
  for (let i = 0; i < counts.length; i++) {
    const start = at === 0 ? 0 : ends[at - 1]!;
    yield { labels: labels[i]!, page: bytes, start, ends: ends.subarray(at, at + counts[i]!) };
    at += counts[i]!;
  }
}

/** A frame: length as a varint, CRC-32C of the message with its highest byte first, the message. */
function writeFrame(to: MessageWriter, message: Uint8Array): void {
  to.varint(message.length);
  const crc = crc32c(message);
  for (const shift of [24, 16, 8, 0]) to.byte((crc >>> shift) & 0xff);
  to.raw(message);
}
