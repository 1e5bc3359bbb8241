// Appends, from main: numbered, run on the shards, written to the log, answered.
//
//   begin ──► parsing shard ─┬─► owners of strangers ──► parsing shard again ─┬─► rows to owners ──► log ──► visible
//                            └────────────── no strangers ────────────────────┘         │
//                                                  ▲                                    │ series that are gone
//                                                  └────────── forgotten, once ─────────┘
//
// With one shard, and for what the parsing shard owns itself, there are neither strangers nor rows to send.
// All samples of one append are one record in the log, whichever shards own them, so that
// a crash leaves all of it or nothing.

import type { MetricMetadata } from '../model/family.js';
import type { Labels } from '../model/labels.js';
import { RecordType } from '../tsdb/wal/record.js';
import { ShardError } from './client.js';
import type { ExemplarBook } from './exemplar-book.js';
import { LogOrder } from './log-order.js';
import type { LogPort, RecordPart } from './log-port.js';
import type {
  AdoptedStrangers,
  AppendedSeries,
  AppendHeader,
  FailureReport,
  Gone,
  Outcome,
  Outgoing,
  Reply,
  ResultOutcome,
  ScrapedBody,
  ScrapeReply,
  SeriesElsewhere,
  Span,
  Strangers,
  TargetConfig,
  WalParts,
  WriteForm,
  WriteReply,
} from './protocol.js';
import { type Recording, record } from './recording.js';
import type { Shards } from './shards.js';

/** Times that are acceptable. */
export interface TimeBounds {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** With a window for late samples: where it begins. */
  readonly lateTimeMs?: number;
}

/** The log cannot be written: nothing new is taken until it can. */
export class IngestRefused extends Error {
  override readonly name = 'IngestRefused';
  /** Of the API's error types. */
  readonly type = 'unavailable';
}

/** A record's type is a byte. */
const TYPES = 256;
/** A type byte, base ref and base time, in front of the samples of all shards. */
const RECORD_HEAD_BYTES = 17;

const NO_BODY: ScrapedBody = { body: { address: 0, bytes: 0 }, format: 'text', gzip: false, bodyLimit: 0 };

/** What stands for a job where there is none: remote writes, and what the server itself appends. */
export const REMOTE_WRITE = '{remote write}';
const OWN = '{rules}';

export interface ScrapeRequest extends ScrapedBody {
  readonly job: string;
  readonly target: number;
  readonly shard: number;
  readonly timeMs: number;
  readonly durationS: number;
}

/** When a sender hears of its append: scrapes once the log has it, rules once queries see it, remote writes once the disk has it. */
type AppendEnd = 'written' | 'visible' | 'durable';

/** Samples refused for their times. */
export interface SampleRefusals {
  /** Where only samples in order are taken. */
  readonly outOfOrder: number;
  /** The same, before the head's window; and too far in the future. */
  readonly outOfBounds: number;
  /** Before the window for late samples. */
  readonly tooOld: number;
}

export class Ingest {
  readonly #shards: Shards;
  readonly #bounds: () => TimeBounds;
  /** A ref near those of a target, or of remote writes: the base of its next record. */
  readonly #nearRefs = new Map<string, number>();
  readonly #refused = { outOfOrder: 0, outOfBounds: 0, tooOld: 0 };
  readonly #order = new LogOrder();
  #newestMs = Number.NEGATIVE_INFINITY;
  /** Appends wait for it. */
  #pause: Promise<void> | undefined;

  constructor(shards: Shards, bounds: () => TimeBounds) {
    this.#shards = shards;
    this.#bounds = bounds;
  }

  /** Time of the newest sample that was ever accepted; -Infinity before the first. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** Samples that were refused so far, floats and histograms together. */
  get refused(): SampleRefusals {
    return this.#refused;
  }

  /** The replay of the log found samples up to here. */
  noteNewest(timeMs: number): void {
    if (timeMs > this.#newestMs) this.#newestMs = timeMs;
  }

  /** Runs an action while no append is under way: what comes meanwhile waits. Rejects with IngestRefused while the log is stuck. */
  async alone<T>(action: () => Promise<T>): Promise<T> {
    while (this.#pause !== undefined) await this.#pause;
    let resume = () => {};
    this.#pause = new Promise((resolve) => {
      resume = resolve;
    });
    try {
      await unlessStuck(this.#shards.appends.settled(), this.#shards.log);
      return await action();
    } finally {
      this.#pause = undefined;
      resume();
    }
  }

  async openTarget(shard: number, config: TargetConfig): Promise<void> {
    await this.#client(shard).call('openTarget', config, 'ingest');
  }

  async scrape(request: ScrapeRequest): Promise<ScrapeReply> {
    const { job, target, shard, body, format, gzip, bodyLimit, timeMs, durationS } = request;
    const scraped = { target, body, format, gzip, bodyLimit };
    return this.#append({ stream: `target ${target}`, job }, timeMs, 'written', async (header, work) => {
      const report = { timeMs, durationS };
      const reply = await work.watch(
        shard,
        this.#client(shard).callSoon('scrape', { ...header, ...scraped, report }, 'ingest'),
      );
      work.take(shard, reply);
      const rest = { ...header, ...scraped, timeMs, isBodyKept: reply.error === undefined };
      await this.#settle(header, work, reply.strangers, shard, target, (strangers) =>
        this.#client(shard).call('completeScrape', { ...rest, strangers }, 'ingest'),
      );
      this.#nearRefs.set(`target ${target}`, reply.nearRef);
      await this.#sendElsewhere(header, work, reply.elsewhere);
      await this.#learn(header, work, reply.metadata ?? []);
      return { ...reply, outcome: work.outcome };
    });
  }

  failScrape(job: string, shard: number, target: number, report: FailureReport): Promise<ScrapeReply> {
    return this.#stale(job, shard, target, report.timeMs, (header) =>
      this.#client(shard).call('failScrape', { ...header, target, report }, 'ingest'),
    );
  }

  async closeTarget(job: string, shard: number, target: number, timeMs: number | undefined): Promise<void> {
    await this.#stale(job, shard, target, timeMs ?? 0, (header) =>
      this.#client(shard).call('closeTarget', { ...header, target, timeMs }, 'ingest'),
    );
    this.#nearRefs.delete(`target ${target}`);
  }

  /** A remote write body in a slot of a shard. Resolves once it is on the disk and visible. */
  write(shard: number, body: Span, nowMs: number, version: WriteForm = 1, startTimes = false): Promise<WriteReply> {
    const written = { body, version, startTimes };
    return this.#append({ stream: `writes ${shard}`, job: REMOTE_WRITE }, nowMs, 'durable', async (header, work) => {
      const reply = await work.watch(shard, this.#client(shard).call('write', { ...header, ...written }, 'ingest'));
      work.take(shard, reply);
      await this.#settle(header, work, reply.strangers, shard, undefined, (strangers) =>
        this.#client(shard).call('completeWrite', { ...header, ...written, strangers }, 'ingest'),
      );
      await this.#sendElsewhere(header, work, reply.elsewhere);
      if (reply.nearRef > 0) this.#nearRefs.set(`writes ${shard}`, reply.nearRef);
      await this.#learn(header, work, reply.metadata ?? []);
      return { ...reply, outcome: work.outcome };
    });
  }

  /** Series with their samples: tests. */
  async append(
    series: readonly AppendedSeries[],
    timeMs: number,
    ownerOf: (labels: Labels) => number,
  ): Promise<Outcome> {
    return this.#append({ stream: 'append', job: OWN }, timeMs, 'durable', async (header, work) => {
      const byOwner = new Map<number, AppendedSeries[]>();
      for (const one of series) {
        const owner = ownerOf(one.labels);
        const list = byOwner.get(owner);
        if (list === undefined) byOwner.set(owner, [one]);
        else list.push(one);
      }
      await allSettled(
        [...byOwner].map(async ([owner, list]) => {
          const reply = this.#client(owner).call('append', { ...header, series: list }, 'ingest');
          work.take(owner, await work.watch(owner, reply));
        }),
      );
      return work.outcome;
    });
  }

  /**
   * What rules give at one time and the series that end then, in one append. Resolves once it is visible; the disk has it a little
   * later.
   */
  record(recording: Recording): Promise<ResultOutcome[]> {
    return this.#append({ stream: 'rules', job: OWN }, recording.timeMs, 'visible', (header, work) =>
      record(recording, header.append % this.#shards.count, async (shard, parts) => {
        const reply = await work.watch(shard, this.#client(shard).call('record', { ...header, parts }, 'ingest'));
        work.take(shard, { ...reply, outgoing: [] });
        return reply;
      }),
    );
  }

  async #stale(
    job: string,
    shard: number,
    target: number,
    timeMs: number,
    run: (header: AppendHeader) => Promise<ScrapeReply>,
  ): Promise<ScrapeReply> {
    return this.#append({ stream: `target ${target}`, job }, timeMs, 'written', async (header, work) => {
      const reply = await work.watch(shard, run(header));
      work.take(shard, reply);
      const rest = { ...header, ...NO_BODY, target, timeMs, isBodyKept: false };
      await this.#settle(header, work, reply.strangers, shard, target, (strangers) =>
        this.#client(shard).call('completeScrape', { ...rest, strangers }, 'ingest'),
      );
      await this.#sendElsewhere(header, work, reply.elsewhere);
      return { ...reply, outcome: work.outcome };
    });
  }

  /** Numbers an append, runs it, writes its records and waits until it is visible. */
  async #append<T>(
    { stream, job }: { stream: string; job: string },
    baseTimeMs: number,
    ends: AppendEnd,
    run: (header: AppendHeader, work: AppendWork) => Promise<T>,
  ): Promise<T> {
    const { appends, log } = this.#shards;
    while (this.#pause !== undefined) await this.#pause;
    if (log.stuck !== undefined) throw new IngestRefused(log.stuck);
    const append = appends.begin();
    const work = new AppendWork(this.#shards.exemplars, (shard, part) => this.#order.touch(append, shard, part));
    const baseRef = this.#nearRefs.get(stream) ?? 0;
    const header = { append, job, baseRef, baseTimeMs, ...acceptance(ends, this.#bounds()) };
    const durable = ends === 'durable';
    // What shards did apply goes to the log in any case: it is in their heads, and later samples rely on its series.
    const commit = () => {
      if (work.hasNewSeries) this.#shards.noteSeriesChange();
      return this.#inOrder(append, () => log.commit(work.records(header), durable, work.lateRecords(header))).finally(
        () => this.#end(append, work),
      );
    };
    let result: T;
    try {
      result = await run(header, work);
    } catch (error) {
      commit().catch(() => {});
      throw error;
    }
    this.#count(work.outcome, header.lateTimeMs !== undefined);
    await unlessStuck(commit(), log);
    if (ends !== 'written') await appends.visible(append);
    if (work.outcome.newestMs !== undefined && work.outcome.newestMs > this.#newestMs)
      this.#newestMs = work.outcome.newestMs;
    return result;
  }

  /** Writes when all is written that shards applied before. */
  #inOrder(append: number, write: () => Promise<void>): Promise<void> {
    return new Promise((resolve) => this.#order.commit(append, () => resolve(write())));
  }

  #count({ outOfOrder, tooOld, tooFar }: Outcome, hasWindow: boolean): void {
    this.#refused.outOfOrder += outOfOrder;
    this.#refused.outOfBounds += tooFar + (hasWindow ? 0 : tooOld);
    this.#refused.tooOld += hasWindow ? tooOld : 0;
  }

  #end(append: number, work: AppendWork): void {
    for (const [shard, part] of work.releases) this.#client(shard).release(part);
    this.#shards.appends.done(append);
  }

  /**
   * Has the owners make the strangers, completes the body, and sends the owners their rows. Series that an owner has
   * dropped since the parsing shard met them become strangers once more.
   */
  async #settle(
    header: AppendHeader,
    work: AppendWork,
    strangers: readonly Strangers[],
    shard: number,
    target: number | undefined,
    complete: (strangers: AdoptedStrangers[]) => Promise<Reply<'completeScrape' | 'completeWrite'>>,
  ): Promise<void> {
    const settle = async (some: readonly Strangers[]): Promise<Gone[]> => {
      if (some.length > 0) {
        const adopted = await this.#adopt(header, work, some);
        work.take(shard, await work.watch(shard, complete(adopted)));
      }
      return this.#sendRows(header, work);
    };
    const gone = await settle(strangers);
    if (gone.length === 0) return;
    await this.#client(shard).call('forget', { target, gone }, 'ingest');
    const again = await work.watch(shard, complete([]));
    work.take(shard, again);
    const stillGone = await settle(again.strangers);
    if (stillGone.length > 0) throw new IngestRefused('series were dropped while they were written: try again');
  }

  async #adopt(header: AppendHeader, work: AppendWork, strangers: readonly Strangers[]): Promise<AdoptedStrangers[]> {
    return allSettled(
      strangers.map(async ({ owner, labels }) => {
        const reply = await work.watch(owner, this.#client(owner).call('adopt', { ...header, labels }, 'ingest'));
        work.take(owner, { ...reply, outgoing: [] });
        return { owner, labels, adopted: reply.adopted };
      }),
    );
  }

  /** Answers what the owners do not know any more. */
  async #sendRows(header: AppendHeader, work: AppendWork): Promise<Gone[]> {
    const outgoing = work.outgoing.splice(0);
    const gone: Gone[] = [];
    await allSettled(
      outgoing.map(async ({ owner, rows }) => {
        const reply = await work.watch(
          owner,
          this.#client(owner).call('rows', { ...header, rows }, 'ingest', { transfer: [rows] }),
        );
        work.take(owner, { ...reply, outgoing: [] });
        if (reply.unknown.length > 0) gone.push({ owner, series: reply.unknown });
      }),
    );
    return gone;
  }

  /** Hands series with more than floats to their owners. */
  async #sendElsewhere(
    header: AppendHeader,
    work: AppendWork,
    elsewhere: readonly SeriesElsewhere[] = [],
  ): Promise<void> {
    if (elsewhere.length === 0) return;
    await allSettled(
      elsewhere.map(async ({ owner, series }) => {
        const done = this.#client(owner).call('append', { ...header, series }, 'ingest');
        work.take(owner, await work.watch(owner, done));
      }),
    );
  }

  /** Tells all shards what is new of metrics. */
  async #learn(header: AppendHeader, work: AppendWork, metadata: readonly MetricMetadata[]): Promise<void> {
    if (metadata.length === 0) return;
    await allSettled(
      this.#shards.handles.map(async ({ client }, shard) => {
        for (let isDone = false, news = metadata; !isDone; news = []) {
          const reply = await work.watch(shard, client.call('learn', { ...header, metadata: news }, 'ingest'));
          work.take(shard, { ...reply, outgoing: [] });
          isDone = reply.isDone;
        }
      }),
    );
  }

  #client(shard: number) {
    return this.#shards.shard(shard).client;
  }
}

/** What an append accepts: the server's own stale markers are in order, or dropped; so are all samples of its rules. */
function acceptance(ends: AppendEnd, bounds: TimeBounds): TimeBounds & Pick<AppendHeader, 'discardsLateMarkers'> {
  const { lateTimeMs, ...inOrder } = bounds;
  if (ends === 'durable') return bounds;
  return { ...(ends === 'visible' ? inOrder : bounds), discardsLateMarkers: true };
}

/** A log that cannot write keeps the records and writes them later; their sender is told to come again. */
export function unlessStuck(ended: Promise<void>, log: LogPort): Promise<void> {
  return new Promise((resolve, reject) => {
    const forget = log.whenStuck((reason) => reject(new IngestRefused(reason)));
    ended.then(resolve, reject).finally(forget);
  });
}

/** All results, or the first error, but not before all are settled: what each of them did is known then. */
async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

/** What one append has done so far, on all shards. */
class AppendWork {
  readonly #series: RecordPart[] = [];
  /** By round and type: see records(). */
  readonly #samples = new Map<number, RecordPart[]>();
  readonly #late = new Map<RecordType, RecordPart[]>();
  readonly #exemplars: ExemplarBook;
  readonly #onPart: (shard: number, part: number) => void;
  readonly releases: [shard: number, part: number][] = [];
  readonly outgoing: Outgoing[] = [];
  outcome: Outcome = NOTHING;

  /** `onPart` is told of what a shard has applied, by the number of the part for the log. */
  constructor(exemplars: ExemplarBook, onPart: (shard: number, part: number) => void) {
    this.#exemplars = exemplars;
    this.#onPart = onPart;
  }

  /** Takes what a job had done before it failed. */
  async watch<T>(shard: number, reply: Promise<T>): Promise<T> {
    try {
      return await reply;
    } catch (error) {
      const wal = error instanceof ShardError ? error.wal : undefined;
      if (wal !== undefined) this.#takeWal(shard, wal);
      throw error;
    }
  }

  take(shard: number, reply: { wal: WalParts; outgoing: readonly Outgoing[]; outcome: Outcome }): void {
    this.#takeWal(shard, reply.wal);
    this.#exemplars.note(shard, reply.outcome.exemplars);
    this.outgoing.push(...reply.outgoing);
    this.outcome = addOutcomes(this.outcome, reply.outcome);
  }

  #takeWal(shard: number, { series, samples, others, late, release }: WalParts): void {
    if (series !== undefined) this.#series.push({ shard, span: series });
    if (samples !== undefined) addPart(this.#samples, RecordType.Samples, { shard, span: samples });
    for (const { round, type, span } of others) addPart(this.#samples, round * TYPES + type, { shard, span });
    for (const { type, span } of late) addPart(this.#late, type, { shard, span });
    if (release === 0) return;
    this.releases.push([shard, release]);
    this.#onPart(shard, release);
  }

  get hasNewSeries(): boolean {
    return this.#series.length > 0;
  }

  /**
   * Series records first: no sample may precede its series in the log, and none an older one of its series: floats, then
   * rounds. Exemplars last, as Prometheus has them.
   */
  records(header: AppendHeader): RecordPart[][] {
    return [...this.#series.map((part) => [part]), ...recordsOf(this.#samples, header)];
  }

  /** For the write-behind log. */
  lateRecords(header: AppendHeader): RecordPart[][] {
    return recordsOf(this.#late, header);
  }
}

function addPart(parts: Map<number, RecordPart[]>, key: number, part: RecordPart): void {
  const known = parts.get(key);
  if (known === undefined) parts.set(key, [part]);
  else known.push(part);
}

/** By round and type of record, in this order; exemplars behind all. */
function recordsOf(all: ReadonlyMap<number, RecordPart[]>, header: AppendHeader): RecordPart[][] {
  const isLast = (key: number) => key % TYPES === RecordType.Exemplars;
  const inOrder = [...all].sort(([a], [b]) => Number(isLast(a)) - Number(isLast(b)) || a - b);
  return inOrder.map(([key, parts]) => [recordHead(key % TYPES, header), ...parts]);
}

function recordHead(type: RecordType, { baseRef, baseTimeMs }: AppendHeader): Uint8Array {
  // Entries of metadata lean on nothing.
  if (type === RecordType.Metadata) return Uint8Array.of(type);
  const head = new DataView(new ArrayBuffer(RECORD_HEAD_BYTES));
  head.setUint8(0, type);
  head.setBigUint64(1, BigInt(baseRef));
  head.setBigInt64(9, BigInt(baseTimeMs));
  return new Uint8Array(head.buffer);
}

const NOTHING: Outcome = {
  accepted: 0,
  repeated: 0,
  outOfOrder: 0,
  duplicate: 0,
  tooOld: 0,
  tooFar: 0,
  noMemory: 0,
  unknown: 0,
  histograms: 0,
  exemplars: 0,
  exemplarsRepeated: 0,
  exemplarsLate: 0,
  created: 0,
  refusedSeries: 0,
  firstRefused: undefined,
  newestMs: undefined,
};

function addOutcomes(a: Outcome, b: Outcome): Outcome {
  return {
    accepted: a.accepted + b.accepted,
    repeated: a.repeated + b.repeated,
    outOfOrder: a.outOfOrder + b.outOfOrder,
    duplicate: a.duplicate + b.duplicate,
    tooOld: a.tooOld + b.tooOld,
    tooFar: a.tooFar + b.tooFar,
    noMemory: a.noMemory + b.noMemory,
    unknown: a.unknown + b.unknown,
    histograms: a.histograms + b.histograms,
    exemplars: a.exemplars + b.exemplars,
    exemplarsRepeated: a.exemplarsRepeated + b.exemplarsRepeated,
    exemplarsLate: a.exemplarsLate + b.exemplarsLate,
    created: a.created + b.created,
    refusedSeries: a.refusedSeries + b.refusedSeries,
    firstRefused: a.firstRefused ?? b.firstRefused,
    newestMs: a.newestMs === undefined || (b.newestMs ?? a.newestMs) > a.newestMs ? b.newestMs : a.newestMs,
  };
}
