// A whole storage run by a seed: writes, time, deletions, retention, faults of the disk, kills, power cuts, traps of shards,
// restarts with another number of shards; beside it a model of what it was told.
//
//   seed ──► weights of the actors ("swarm": some seeds never delete, some cut the power all the time)
//        └─► steps, each drawn by weight ──► storage, model ──► now and then, and after each start: compared

import { Prng } from '../../../src/base/prng.js';
import type { Matcher } from '../../../src/model/matcher.js';
import type { StorageOptions } from '../../../src/server/storage/options.js';
import { ShardUnavailable } from '../../../src/shard/client.js';
import { ShardSource } from '../../../src/shard/source.js';
import { isUlid } from '../../../src/tsdb/block/ulid.js';
import type { SyncPolicy } from '../../../src/tsdb/wal/log.js';
import { PAGE_BYTES } from '../../../src/tsdb/wal/page.js';
import type { Series } from '../remote-write.js';
import { freeContext, writeThrough } from '../shards.js';
import { type Habit, type Operation, PowerCut, SimDisk } from '../sim-disk.js';
import { Life, type Meddling } from './life.js';
import { type Found, Model, type Sample, seriesKey } from './model.js';
import { type Rot, rotLog } from './rot.js';

const DATA = 'data';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BLOCK_MS = 2 * HOUR;
const START_MS = Date.UTC(2026, 10, 21, 8);

export interface SimulationOptions {
  readonly steps?: number;
  /** Bugs, for tests of the simulation itself. */
  readonly habits?: readonly Habit[];
  readonly meddling?: Meddling;
  readonly sync?: SyncPolicy;
}

export interface SimulationReport {
  readonly seed: number;
  /** Of the first moment when something was wrong. */
  readonly problems: readonly string[];
  /** What happened, step by step. */
  readonly story: readonly string[];
}

export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationReport> {
  const simulation = new Simulation(seed, options);
  const problems = await simulation.run();
  return { seed, problems, story: simulation.story };
}

type Actor =
  | 'write'
  | 'late'
  | 'wait'
  | 'look'
  | 'delete'
  | 'clean'
  | 'retain'
  | 'snapshot'
  | 'fault'
  | 'heal'
  | 'trap'
  | 'stop'
  | 'kill'
  | 'cut'
  | 'cutLater'
  | 'rot';

/** How often each acts, where the seed does not say otherwise. */
const WEIGHTS: Readonly<Record<Actor, number>> = {
  write: 30,
  late: 8,
  wait: 12,
  look: 3,
  delete: 3,
  clean: 1,
  retain: 1,
  snapshot: 1,
  fault: 3,
  heal: 4,
  trap: 1,
  stop: 1,
  kill: 2,
  cut: 2,
  cutLater: 2,
  rot: 0,
};
/** Some seeds have logs that rot. */
const ROT_EVERY = 4;
const ROT_WEIGHT = 4;

const STEPS = 40;
/** So long after the last fault all is well: blocks that could not be read are looked for each minute. */
const HEALED_MS = 130_000;
const OPERATIONS: readonly (Operation | undefined)[] = [
  ...(['pwrite', 'fdatasync', 'open', 'pread', 'rename', 'syncFolder', 'truncate', 'unlink'] as const),
  undefined,
];

/** Something is wrong: the run ends. */
class Wrong extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems[0]);
  }
}

class Simulation {
  readonly story: string[] = [];
  readonly #prng: Prng;
  readonly #disk: SimDisk;
  readonly #model = new Model();
  readonly #options: SimulationOptions;
  readonly #weights: readonly (readonly [actor: Actor, weight: number])[];
  readonly #series: readonly Series['labels'][];
  /** How late samples may be, out of order. */
  readonly #lateWindowMs: number;
  /** How far time goes at a time: some seeds see days. */
  readonly #strideMs: number;
  #life: Life | undefined;
  #nowMs: number;
  /** Of each series: the newest time that was sent. */
  readonly #sentMs = new Map<string, number>();
  #value = 0;
  #newestMs = Number.NEGATIVE_INFINITY;
  #retentionMs = 0;
  /** Retention may have removed what is older. */
  #keptFromMs = Number.NEGATIVE_INFINITY;
  /** A fault is armed, or what it did may not be over. */
  #isFaulty = false;
  /** The same, at any time of this life. */
  #wasFaulty = false;
  /** What this life complains of at its start may be what rotted. */
  #hasRotted = false;
  #trappedMs = Number.NEGATIVE_INFINITY;

  constructor(seed: number, options: SimulationOptions) {
    const prng = new Prng(seed);
    this.#prng = prng;
    this.#options = options;
    this.#disk = new SimDisk(options.habits);
    this.#nowMs = START_MS + prng.int(6 * HOUR);
    this.#strideMs = prng.pick([2 * MINUTE, 20 * MINUTE, 45 * MINUTE]);
    this.#lateWindowMs = prng.pick([0, 0, 30 * MINUTE, 3 * HOUR]);
    const rot = seed % ROT_EVERY === 1 ? ROT_WEIGHT : 0;
    this.#weights = (Object.entries(WEIGHTS) as [Actor, number][]).map(([actor, weight]) => {
      if (actor === 'rot') return [actor, rot];
      return [actor, actor === 'write' || actor === 'wait' ? weight : weight * prng.pick([0, 1, 1, 3])];
    });
    this.#series = Array.from({ length: 3 + prng.int(8) }, (_, n) => [
      ...['__name__', 'sim', 'id', `${n}`, 'job', `${n % 3}`],
    ]);
  }

  async run(): Promise<readonly string[]> {
    try {
      // Which shard owns what, too.
      this.#disk.makeFolder(`${DATA}/narthex`);
      this.#disk.writeFileAtomic(
        `${DATA}/narthex/seed`,
        Uint8Array.from({ length: 8 }, () => this.#prng.int(256)),
      );
      await this.#start();
      for (let step = 0; step < (this.#options.steps ?? STEPS); step++) await this.#step();
      await this.#conclude();
      return [];
    } catch (error) {
      if (error instanceof Wrong) return error.problems;
      return [`it threw ${(error as Error).stack}`];
    } finally {
      this.#tellLog();
      this.#life?.end();
    }
  }

  async #step(): Promise<void> {
    const actor = this.#draw();
    await this[actor]();
    if (this.#current.isOff) await this.#powerIsGone();
    this.#checkLog();
  }

  #draw(): Actor {
    let left = this.#prng.float() * this.#weights.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [actor, weight] of this.#weights) {
      left -= weight;
      if (left < 0) return actor;
    }
    return 'write';
  }

  // Actors

  async write(): Promise<void> {
    const samples: Sample[] = [];
    for (const labels of this.#someSeries()) {
      const series = seriesKey(labels);
      const afterMs = Math.max(this.#sentMs.get(series) ?? 0, this.#now - 40 * MINUTE);
      const count = 1 + this.#prng.int(4);
      for (let i = 1; i <= count; i++) {
        const timeMs = Math.floor(afterMs + ((this.#now - afterMs) * i) / count);
        if (timeMs > afterMs) samples.push({ series, timeMs, value: ++this.#value });
      }
    }
    await this.#send(dedupe(samples), true);
  }

  /** Samples older than others of their series, or than the blocks: refused or not. */
  async late(): Promise<void> {
    const samples = this.#someSeries().map((labels): Sample => {
      const timeMs = this.#now - this.#prng.int(4 * HOUR);
      return { series: seriesKey(labels), timeMs, value: ++this.#value };
    });
    await this.#send(samples, false);
  }

  async wait(): Promise<void> {
    const ms = this.#prng.int(this.#strideMs);
    this.#tell(`wait ${Math.round(ms / 1000)} s`);
    await this.#pass(ms);
  }

  async look(): Promise<void> {
    this.#tell('look');
    await this.#compare(false);
  }

  async delete(): Promise<void> {
    const [name, value] = this.#prng.pick([
      ['id', `${this.#prng.int(this.#series.length)}`],
      ['job', `${this.#prng.int(3)}`],
    ] as const);
    const fromMs = this.#now - this.#prng.int(8 * HOUR);
    const toMs = fromMs + this.#prng.int(4 * HOUR);
    const matcher: Matcher = { name, op: '=', value };
    const isMeant = (series: string) => ` ${series} `.includes(` ${name} ${value} `);
    const isDone = await this.#tries(this.#current.storage.deletion.run([[matcher]], fromMs, toMs));
    this.#tell(`delete ${name}=${value} from ${fromMs} to ${toMs}: ${isDone}`);
    this.#model.delete(isMeant, fromMs, toMs, isDone);
  }

  async clean(): Promise<void> {
    this.#tell(`clean tombstones: ${await this.#tries(this.#current.storage.keeping.clean())}`);
  }

  async retain(): Promise<void> {
    this.#retentionMs = this.#prng.pick([0, 6 * HOUR, 12 * HOUR]);
    this.#tell(`keep ${this.#retentionMs / HOUR} h`);
    this.#current.storage.keeping.setRetention({ timeMs: this.#retentionMs, bytes: 0, percentage: 0 });
  }

  async snapshot(): Promise<void> {
    this.#tell(`snapshot: ${await this.#tries(this.#current.storage.snapshots.make(false))}`);
  }

  async fault(): Promise<void> {
    const operation = this.#prng.pick(OPERATIONS);
    const nth = 1 + this.#prng.int(12);
    const times = this.#prng.pick([1, 1, 3, 30, Number.POSITIVE_INFINITY]);
    const code = this.#prng.pick(['EIO', 'ENOSPC']);
    this.#disk.fail({ operation, nth, times, code, share: this.#prng.pick([0, 0.5, 1]) });
    this.#isFaulty = true;
    this.#wasFaulty = true;
    this.#tell(`${times} times ${code} from the ${nth}. ${operation ?? 'call'} on`);
  }

  /** The disk is well again, and what was begun comes to its end. */
  async heal(): Promise<void> {
    if (!this.#isFaulty) return;
    this.#tell('heal');
    this.#disk.heal();
    await this.#pass(HEALED_MS);
    this.#isFaulty = false;
    await this.#compare(true);
  }

  /** A shard's core ends. Not more often than a server takes. */
  async trap(): Promise<void> {
    if (this.#now - this.#trappedMs < 6 * MINUTE) return;
    this.#trappedMs = this.#now;
    const { shards } = this.#current.storage;
    const shard = this.#prng.int(shards.count);
    this.#tell(`shard ${shard} traps`);
    const trap = shards.shard(shard).client.call('fault', { how: 'trap' }, 'ingest');
    await this.#current.settle(trap).catch(() => {});
    await this.#pass(1000);
  }

  async stop(): Promise<void> {
    this.#tell(`stop: ${await this.#tries(this.#current.storage.close())}`);
    if (this.#current.isOff) return;
    this.#endLife();
    this.#disk.kill();
    await this.#start();
  }

  async kill(): Promise<void> {
    this.#tell('kill');
    this.#endLife();
    this.#disk.kill();
    await this.#start();
  }

  async cut(): Promise<void> {
    this.#endLife();
    this.#crash();
    await this.#start();
  }

  async cutLater(): Promise<void> {
    const calls = 1 + this.#prng.int(this.#prng.pick([10, 100, 400]));
    this.#tell(`the power goes in ${calls} calls of the disk`);
    this.#disk.cutPowerAt(calls);
  }

  /** The process dies, and its log is not what it was when it comes back. What it had of series it has twice by then, where no disk failed. */
  async rot(): Promise<void> {
    if (this.#wasFaulty) return;
    await this.#pass(1000);
    if (this.#current.isOff) return;
    this.#endLife();
    this.#disk.kill();
    const rot = rotLog(this.#disk, DATA, this.#prng);
    this.#tell(`the log rots: ${rot?.what ?? 'nothing'}, ${rot?.records} records, ${rot?.seriesRecords} of series`);
    if (rot !== undefined) this.#model.doubt(rot.isLost);
    await this.#start(rot);
  }

  // What actors have in common

  get #current(): Life {
    return this.#life!;
  }

  get #now(): number {
    return this.#life?.clock.nowMs() ?? this.#nowMs;
  }

  #someSeries(): readonly Series['labels'][] {
    const share = this.#prng.pick([0.2, 0.7, 1]);
    return this.#series.filter(() => this.#prng.float() < share);
  }

  async #send(samples: readonly Sample[], isNew: boolean): Promise<void> {
    const unsent = samples.filter(({ series, timeMs }) => !this.#model.has(series, timeMs));
    if (unsent.length === 0) return;
    const isWhole = isNew && unsent.every(({ series, timeMs }) => timeMs > (this.#sentMs.get(series) ?? 0));
    for (const { series, timeMs } of unsent) {
      this.#sentMs.set(series, Math.max(this.#sentMs.get(series) ?? 0, timeMs));
      this.#newestMs = Math.max(this.#newestMs, timeMs);
    }
    const batch = this.#model.send(unsent, isWhole);
    const { storage } = this.#current;
    const shard = this.#prng.int(storage.shards.count);
    const writing = writeThrough(storage, shard, requestOf(unsent), this.#now);
    let outcome = 'no answer';
    try {
      const { outcome: counts, error } = await this.#current.settle(writing);
      if (!this.#current.isOff) {
        outcome = `${counts.accepted} taken`;
        if (error !== undefined) throw new Wrong([`a request was refused: ${error}`]);
        if (counts.accepted === unsent.length) this.#model.acknowledge(batch);
        else await this.#settleBatch(batch, counts.accepted);
      }
    } catch (error) {
      this.#refused(error);
      // What the shards that live have of it is in the log.
      if (error instanceof ShardUnavailable) batch.whole = false;
      outcome = (error as Error).message;
    }
    this.#tell(`batch ${batch.id}, ${unsent.length} samples up to ${unsent.at(-1)!.timeMs}: ${outcome}`);
  }

  async #settleBatch(batch: Parameters<Model['settleBatch']>[0], accepted: number): Promise<void> {
    batch.whole = false;
    const found = await this.#query();
    if (found === undefined || this.#isFaulty) return;
    const seen = this.#model.settleBatch(batch, found);
    if (seen !== accepted)
      throw new Wrong([`of batch ${batch.id} ${accepted} samples were taken, and ${seen} are seen (I1)`]);
  }

  /** Whether an action came to its end; false too where nobody was there any more to be told. */
  async #tries(action: Promise<unknown>): Promise<boolean> {
    try {
      await this.#current.settle(action);
      return !this.#current.isOff;
    } catch (error) {
      this.#refused(error);
      return false;
    }
  }

  /** With nothing wrong around it a refusal is a bug; so is an error that is no answer. */
  #refused(error: unknown): void {
    if (error instanceof Wrong) throw error;
    if (this.#isFaulty || this.#current.isOff || error instanceof PowerCut || error instanceof ShardUnavailable) return;
    throw new Wrong([`refused although nothing failed: ${(error as Error).stack}`]);
  }

  async #pass(ms: number): Promise<void> {
    await this.#current.pass(ms);
    this.#noteRetention();
  }

  /** As in Prometheus time is counted from the end of the newest block, and one of late samples may be of the range that the head is in. */
  #noteRetention(): void {
    const endMs = Math.ceil(this.#newestMs / BLOCK_MS) * BLOCK_MS;
    if (this.#retentionMs > 0) this.#keptFromMs = Math.max(this.#keptFromMs, endMs - this.#retentionMs);
  }

  async #query(): Promise<Found | undefined> {
    const { storage } = this.#current;
    const source = new ShardSource(storage.shards, 'adhoc');
    try {
      const matchers: Matcher[] = [{ name: '__name__', op: '=', value: 'sim' }];
      const rows = await this.#current.settle(source.samples(matchers, 1000 * HOUR, this.#now + HOUR, freeContext()));
      return new Map(
        rows.map(({ labels, times, values }) => [
          seriesKey(labels),
          new Map(Array.from(times, (timeMs, i) => [timeMs, values[i]!])),
        ]),
      );
    } catch (error) {
      this.#refused(error);
      return undefined;
    } finally {
      source.close();
    }
  }

  async #compare(isSettled: boolean): Promise<void> {
    this.#noteRetention();
    const found = await this.#query();
    if (found === undefined || this.#current.isOff) return;
    const problems = this.#isFaulty
      ? this.#model.judgeSome(found)
      : this.#model.judge(found, this.#keptFromMs, isSettled);
    if (problems.length > 0) throw new Wrong(problems);
  }

  /** A life without faults has nothing to complain of. */
  #checkLog(): void {
    if (this.#isFaulty || this.#current.isOff) return;
    const complaint = this.#current.log.lines.find(
      ([level, message]) =>
        level === 'error' && !/shard died/.test(message) && !(this.#hasRotted && /^Damage in the log/.test(message)),
    );
    if (complaint !== undefined && !this.#wasFaulty) throw new Wrong([`said without reason: ${complaint[1]}`]);
    for (const name of this.#disk.quietly(() => this.#disk.list(DATA))) {
      if (name.includes('.bad')) throw new Wrong([`${name}: nothing was damaged`]);
    }
  }

  // Lives

  /** `rot`: what happened to the log before. */
  async #start(rot?: Rot): Promise<void> {
    const { meddling, sync = { mode: 'group' } } = this.#options;
    const storage: StorageOptions = {
      path: DATA,
      shards: this.#prng.pick([1, 1, 1, 2, 3]),
      memoryBytes: 96 * 2 ** 20,
      sync,
      blockMs: BLOCK_MS,
      lateWindowMs: this.#lateWindowMs,
      segmentBytes: 2 * PAGE_BYTES,
      shortenLogBytes: 300,
      imageLogBytes: 100,
      stepBytes: PAGE_BYTES,
      retention: { timeMs: this.#retentionMs, bytes: 0, percentage: 0 },
      faults: true,
      onHopeless: () => {},
    };
    this.#isFaulty = false;
    this.#wasFaulty = false;
    this.#hasRotted = rot !== undefined;
    try {
      this.#life = await Life.begin({ disk: this.#disk, nowMs: this.#nowMs, storage, meddling });
    } catch (error) {
      throw new Wrong([`it does not start (R6): ${(error as Error).stack}`]);
    }
    this.#tell(`started with ${storage.shards} shards`);
    const { losses, figures } = this.#current.storage.recovery;
    if (rot !== undefined && rot.records > 0 && losses.length === 0) throw new Wrong(['what rotted is not told (I6)']);
    if (figures.imagedSamples > 0) this.#tell(`${figures.imagedSamples} samples came from an image`);
    if (figures.restoredSeries > 0) this.#tell(`${figures.restoredSeries} series were restored`);
    await this.#pass(2000);
    await this.#compare(true);
    this.#checkLog();
  }

  #endLife(): void {
    this.#tellLog();
    this.#nowMs = this.#now + 1000;
    this.#life?.end();
  }

  #crash(): void {
    const seed = this.#prng.pick([undefined, this.#prng.u32()]);
    this.#tell(`the power goes, outcome ${seed ?? 'of nothing that was not synced'}`);
    this.#disk.crash(seed);
  }

  async #powerIsGone(): Promise<void> {
    this.#endLife();
    this.#crash();
    await this.#start();
  }

  /** When faults are over, all goes on; and all is there after the next cut, and after a stop. */
  async #conclude(): Promise<void> {
    this.#disk.heal();
    if (this.#isFaulty) await this.heal();
    await this.#pass(MINUTE);
    await this.write();
    await this.#compare(true);
    this.#checkLog();
    await this.cut();
    await this.write();
    await this.stop();
    this.#checkFiles();
  }

  #checkFiles(): void {
    const known = (name: string) =>
      isUlid(name) || ['wal', 'narthex', 'snapshots', 'chunks_head', 'wbl'].includes(name);
    const names = this.#disk.quietly(() => this.#disk.list(DATA));
    const surplus = names.filter((name) => !known(name));
    if (surplus.length > 0) throw new Wrong([`left over: ${surplus.join(' ')} (I9)`]);
  }

  /** What storage said in the life that ends. */
  #tellLog(): void {
    for (const [level, message] of this.#life?.log.lines ?? [])
      if (level !== 'debug') this.story.push(`  ${level} ${message}`);
  }

  #tell(what: string): void {
    this.story.push(`${this.#now} ${what}`);
  }
}

function dedupe(samples: readonly Sample[]): Sample[] {
  return [...new Map(samples.map((sample) => [`${sample.series} ${sample.timeMs}`, sample])).values()];
}

function requestOf(samples: readonly Sample[]): Series[] {
  const bySeries = new Map<string, [number, number][]>();
  for (const { series, timeMs, value } of samples) {
    const points = bySeries.get(series) ?? [];
    bySeries.set(series, points);
    points.push([timeMs, value]);
  }
  return [...bySeries].map(([series, points]) => ({ labels: series.split(' '), samples: points }));
}
