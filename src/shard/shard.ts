// A shard: one core and everything it can be asked. Runs in a worker thread, or in
// this one for tests and simulations; it does not know which.
//
// Handlers run one at a time to completion. A trap ends the core: nothing may call into
// it any more, and the shard is made again from the log.

import { type Disk, realDisk } from '../base/disk.js';
import { ownHeap } from '../base/garbage.js';
import { ChunkCache } from '../wasm/chunk-cache.js';
import { Core, isTrap, PAGE_BYTES } from '../wasm/core.js';
import { Crc32c } from '../wasm/crc32c.js';
import { Exposition } from '../wasm/exposition.js';
import { Head, NO_SERIES } from '../wasm/head.js';
import { LabelError } from '../wasm/label-scratch.js';
import { OutOfMemory } from '../wasm/out-of-memory.js';
import { Admission } from './admission.js';
import { AppendScope, PartStore } from './append.js';
import { Deletions } from './deletions.js';
import { estimate } from './estimates.js';
import { ShardExemplars } from './exemplars.js';
import { ShardExports } from './exports.js';
import { Families } from './families.js';
import { FamilyLog } from './family-log.js';
import { ShardFederations } from './federations.js';
import { histogramReader } from './histogram-files.js';
import { HistogramStore } from './histogram-store.js';
import { blockOpener, ShardHistory } from './history/history.js';
import { LateStore } from './late/late-store.js';
import { ListedBeside } from './listed-beside.js';
import { Listings } from './listings.js';
import type {
  AppendHeader,
  Handlers,
  Job,
  JobError,
  JobResult,
  Reply,
  Request,
  ShardSetup,
  ShardStarted,
  Task,
  TaskReply,
} from './protocol.js';
import { ShardQueries } from './queries.js';
import { QueryFault } from './query-fault.js';
import { ShardReads } from './reads.js';
import { ShardRecords } from './records.js';
import { Recovery } from './recovery.js';
import { Refs } from './refs.js';
import { SideSamples } from './side-samples.js';
import { ShardSpilling } from './spilling.js';
import { ShardTargets } from './targets.js';
import { Truncation } from './truncation.js';
import { ShardWrites } from './writes.js';

export class Shard {
  readonly #core: Core;
  readonly #head: Head;
  readonly #parts: PartStore;
  readonly #queries: ShardQueries;
  readonly #side: SideSamples;
  readonly #history: ShardHistory;
  readonly #exemplars = new ShardExemplars();
  readonly #late: LateStore;
  readonly #handlers: Handlers;
  readonly #input: { address: number; bytes: number };
  #watermark = 0;
  #held = 0;
  #trapped: string | undefined;

  constructor(setup: ShardSetup, disk: Disk = realDisk) {
    const core = new Core({
      pagesMax: Math.min(65_535, Math.floor(setup.memoryBytes / PAGE_BYTES)),
      build: setup.core,
    });
    const place = { index: setup.index, count: setup.count };
    const exposition = new Exposition(core);
    exposition.seed(setup.seed);
    exposition.setShards(setup.count, setup.index);
    this.#core = core;
    this.#head = new Head(core);
    this.#parts = new PartStore(this.#head, setup.firstNumber);
    this.#input = this.#lend(setup.inputBytes);
    const refs = new Refs(setup.refCounter);
    const histograms = new HistogramStore(
      this.#head,
      histogramReader(() => spilled, new Crc32c(core)),
    );
    const late = new LateStore(
      ...([core, this.#head] as const),
      () => this.#watermark,
      () => this.#held,
    );
    this.#late = late;
    const side = new SideSamples(histograms, (series) => this.#head.refLow(series));
    this.#side = side;
    const { dataFolder, memoryBytes } = setup;
    const files = { disk, dataFolder };
    const cache = new ChunkCache(core, setup.chunkCacheBytes, memoryBytes);
    const history = new ShardHistory(core, place, blockOpener(core, disk), () => this.#watermark, late, files, cache);
    this.#history = history;
    const { spilled } = history;
    const queries = new ShardQueries(core, side, history, setup);
    this.#queries = queries;
    const admission = new Admission(
      ...([core, this.#head, setup.memoryBytes] as const),
      () => targets.jobCount + 1,
      () => histograms.bytes + late.bytes,
    );
    const exemplars = this.#exemplars;
    const families = new Families();
    const familyLog = setup.metadataRecords ? new FamilyLog(families, queries.select, exposition.scratch) : undefined;
    const rooms = { head: this.#head, histograms, late, exemplars, families: familyLog };
    const scope = (header: AppendHeader) => new AppendScope({ ...rooms, refs, admission, parts: this.#parts }, header);
    const targets = new ShardTargets(
      ...([exposition, this.#head, scope, place, exemplars] as const),
      setup.metadataRecords ? families : undefined,
    );
    const writes = new ShardWrites(
      ...([core, exposition, this.#head, scope, place, exemplars, families] as const),
      setup.sideSamples ? side : undefined,
    );
    const federations = new ShardFederations(core, queries.select, history, histograms, setup.firstNumber);
    const reads = new ShardReads(core, queries.select, history, histograms, setup.firstNumber);
    const records = new ShardRecords(exposition, this.#head, scope, place);
    const exports = new ShardExports(core, this.#head, histograms, late, spilled);
    const spilling = new ShardSpilling(core, this.#head, histograms, memoryBytes);
    const recovery = new Recovery(disk, { core, ...rooms, families, spilled, place, memoryBytes, dataFolder });
    const truncation = new Truncation(this.#head, [targets, writes], place.index);
    const deletions = new Deletions(this.#head, histograms, queries.select, spilled);
    const beside = new ListedBeside(core, this.#head, histograms, late);
    const listings = new Listings(
      ...([core, queries, exposition, this.#head, history, beside, place.index === 0] as const),
      () => this.#watermark,
      this.#input.bytes,
    );
    this.#handlers = {
      openTarget: (request) => nothing(() => targets.open(request)),
      scrape: (request) => targets.scrape(request),
      failScrape: (request) => targets.failScrape(request),
      closeTarget: (request) => targets.closeTarget(request),
      completeScrape: (request) => targets.complete(request),
      write: (request) => writes.write(request),
      completeWrite: (request) => writes.complete(request),
      append: (request) => writes.append(request),
      record: (request) => records.record(request),
      adopt: (request) => this.#adopt(request, exposition, scope(request)),
      forget: ({ target, gone }) =>
        nothing(() => {
          const cache = target === undefined ? writes : targets;
          for (const { owner, series } of gone) cache.forget(owner, series, target);
        }),
      rows: (request) => this.#rows(request, exposition, scope(request)),

      openQuery: (request) => queries.open(request),
      openSamples: (request) => queries.openSamples(request),
      places: (request) => ({ places: queries.places(request), version: this.#seriesVersion }),
      nextMorsel: ({ query }) => queries.next(query),
      closeQuery: ({ query }) => nothing(() => queries.close(query)),
      closeSnapshot: ({ snapshot }) => nothing(() => queries.closeSnapshot(snapshot)),

      estimate: (request) => estimate(core, queries.select, history, this.#watermark, request),
      labelNames: (request) => listings.names(request),
      labelValues: (request) => listings.values(request),
      series: (request) => ({ ...listings.series(request), version: this.#seriesVersion }),
      exemplars: (request) => exemplars.query(request),
      metadata: ({ metric }) => ({ entries: targets.metadata.list(metric), families: families.list(metric) }),
      knowFamilies: ({ families: told }) => nothing(() => told.forEach((one) => void families.learn(one))),
      learn: (request) => learn(request, families, familyLog, scope(request)),
      counters: () => ({
        ...listings.counters(),
        ...exemplars.counters,
        ...histograms.counters,
        ...late.counters,
        ...cache.counters,
      }),
      stats: ({ top }) => listings.stats(top),

      openFederate: (request) => federations.open(request),
      nextFederate: (request) => federations.next(request),
      closeFederate: ({ query }) => nothing(() => federations.close(query)),

      openRead: (request) => reads.open(request),
      nextRead: ({ read }) => reads.next(read),
      closeRead: ({ read }) => nothing(() => reads.close(read)),

      replay: (request) => recovery.run(request),
      collectGarbage: () => {
        ownHeap().collect();
        return {};
      },
      spillState: () => spilling.state(),
      collectSpill: (request) => spilling.collect(request),
      confirmSpill: (request) => spilling.confirm(request),
      evictSpilled: (request) => spilling.evict(request),
      collectImage: ({ from }) => spilling.image(from),
      setBlocks: ({ blocks, headMinTimeMs }) => ({ refused: history.set(blocks, headMinTimeMs) }),
      blocksReleased: () => ({ released: !history.hasOlderQueries }),
      truncate: ({ minTimeMs }) => {
        if (!history.mayTruncate(minTimeMs)) return { done: false, removed: 0, waiting: true };
        const step = truncation.step(minTimeMs);
        if (step.done) {
          histograms.dropBefore(minTimeMs);
          spilled.closeFiles();
          families.prune((name) => queries.select.hasValue('__name__', name));
        }
        return step;
      },
      leaveLate: () => ({ span: late.beginLeaving() }),
      dropLate: () => {
        if (history.hasOlderQueries) return { waiting: true };
        late.dropLeaving();
        return { waiting: false };
      },
      oldestTime: (request) => exports.oldest(request),
      splitChunks: (request) => exports.split(request),
      exportSeries: (request) => exports.series(request),
      exportSchemas: () => exports.schemas(),
      exportSymbols: (request) => exports.symbols(request),
      exportChunks: (request) => exports.chunks(request),
      closeExport: () => nothing(() => exports.close()),
      fault: ({ how }) => this.#fail(how, setup.faults),
      deleteSamples: (request) => deletions.step(request),
      liveRefs: ({ from }) => spilling.liveRefs(from),
    };
  }

  get started(): ShardStarted {
    return { memory: this.#core.memory, input: this.#input, round: this.#queries.round };
  }

  /** Runs the jobs of a task in order. After a trap the rest is not run. */
  run(task: Task): TaskReply {
    const results: JobResult[] = [];
    if (this.#trapped !== undefined) return this.#reply(results);
    for (const part of task.release) this.#parts.release(part);
    this.#watermark = task.watermark;
    this.#exemplars.limits = task.exemplars;
    if (task.held !== this.#held) {
      this.#held = task.held;
      this.#head.commit(task.held);
    }
    for (const job of task.jobs) {
      results.push(this.#runJob(job));
      if (this.#trapped !== undefined) break;
    }
    return this.#reply(results);
  }

  #reply(results: JobResult[]): TaskReply {
    const trapped = this.#trapped;
    if (trapped !== undefined) return { results, trapped, wantsReaders: false, seriesVersion: 0, suspects: [] };
    const { wantsReaders } = this.#queries;
    const suspects = this.#history.takeSuspects();
    return { results, trapped, wantsReaders, seriesVersion: this.#seriesVersion, suspects };
  }

  /**
   * Another number when series come or go, and when one gets its first histogram: its newest sample is not in its record
   * then. NaN, which equals nothing, where start timestamps may come to any series.
   */
  get #seriesVersion(): number {
    if (this.#side.hasStarts || this.#late.hasNewest) return Number.NaN;
    return this.#head.seriesVersion + this.#side.store.begun;
  }

  #runJob(job: Job): JobResult {
    try {
      const handler = this.#handlers[job.op] as (request: Job['request']) => unknown;
      return { ok: handler(job.request) };
    } catch (error) {
      if (isTrap(error)) {
        this.#trapped = `${job.op}: ${(error as Error).message}`;
        return { error: describe(error) };
      }
      return { error: { ...describe(error), wal: this.#parts.abandon() } };
    }
  }

  #adopt(request: Request<'adopt'>, exposition: Exposition, scope: AppendScope): Reply<'adopt'> {
    const adopted = request.labels.map((labels) => {
      exposition.scratch.write(labels);
      const series = scope.seriesOfScratch();
      return series === NO_SERIES ? { series: -1, ref: 0 } : { series, ref: this.#head.refLow(series) };
    });
    return { adopted, ...scope.finish() };
  }

  #rows(request: Request<'rows'>, exposition: Exposition, scope: AppendScope): Reply<'rows'> {
    const { address, count } = exposition.loadRows(new Uint8Array(request.rows));
    scope.rows(address, count);
    const finished = scope.finish();
    const gone = this.#head.unknownRows(finished.outcome.unknown);
    return { ...finished, unknown: Uint32Array.from(gone, (row) => this.#head.seriesOfRow(address, row)) };
  }

  #fail(how: Request<'fault'>['how'], isAllowed: boolean): Record<string, never> {
    if (!isAllowed) throw new Error('this shard takes no faults');
    if (how === 'exit') process.exit(1);
    while (how === 'hang');
    // No memory is there.
    this.#core.exports.part_bytes(0xfffffff0);
    return {};
  }

  #lend(bytes: number): { address: number; bytes: number } {
    const address = this.#core.exports.heap_alloc(bytes) >>> 0;
    if (address === 0) throw new OutOfMemory();
    return { address, bytes };
  }
}

/** What is said anew of metrics: known from now on and, where there is a log of it, noted page by page. */
function learn(
  { metadata }: Request<'learn'>,
  families: Families,
  log: FamilyLog | undefined,
  scope: AppendScope,
): Reply<'learn'> {
  for (const one of metadata) if (families.learn(one)) log?.add(one);
  const isDone = log?.step((series, one) => scope.metadata(series, one)) ?? true;
  return { ...scope.finish(), isDone };
}

function nothing(action: () => void): Record<string, never> {
  action();
  return {};
}

function describe(error: unknown): Omit<JobError, 'left'> {
  if (error instanceof QueryFault) return { kind: error.kind, message: error.message };
  if (error instanceof OutOfMemory || (error instanceof Error && error.name === 'OutOfMemory')) {
    return { kind: 'memory', message: error.message };
  }
  if (error instanceof LabelError) return { kind: 'bad_data', message: error.message };
  return { kind: 'internal', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
