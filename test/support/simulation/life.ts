// One life of a server's storage: shards, log and compactor in this thread, on a simulated disk, by a clock that a test
// turns. What a life leaves running when it is over reaches nothing any more.
//
//   driver ──► Storage ──► ports: shard, log, compactor ──► disk behind a fence ──► SimDisk, which outlives it
//                 └──► clock of this life

import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, soon } from '../../../src/base/clock.js';
import type { Disk } from '../../../src/base/disk.js';
import { buffersOf } from '../../../src/base/thread.js';
import type { StorageOptions } from '../../../src/server/storage/options.js';
import { Storage } from '../../../src/server/storage/storage.js';
import type { StorageThreads } from '../../../src/server/storage/threads.js';
import { startShardHere } from '../../../src/shard/here.js';
import { LogHost, type LogTask } from '../../../src/shard/log-worker.js';
import type { Job } from '../../../src/shard/protocol.js';
import { Compactor } from '../../../src/tsdb/compact/compactor.js';
import type { CompactorPort, CompactorTask } from '../../../src/tsdb/compact/protocol.js';
import { Core } from '../../../src/wasm/core.js';
import { FakeClock } from '../clock.js';
import { QuietLog } from '../head-cuts.js';
import { PowerCut, type SimDisk } from '../sim-disk.js';

/** What a program does wrong on purpose: each message may be changed on its way. */
export interface Meddling {
  log?(task: LogTask): LogTask;
  shard?(job: Job): Job;
  /** May answer without having it done. */
  compactor?(task: CompactorTask, run: (task: CompactorTask) => unknown): unknown;
}

export interface LifeOptions {
  readonly disk: SimDisk;
  readonly nowMs: number;
  readonly storage: StorageOptions;
  readonly meddling?: Meddling;
}

/** Turns of the event loop in which nothing is under way, before all is taken to be quiet. */
const QUIET_TURNS = 4;
const TURNS_MAX = 100_000;
/** Virtual time passes in such pieces, so that what timers begin comes to its end in between. */
const PIECE_MS = 60_000;

export class Life {
  readonly clock: FakeClock;
  readonly log = new QuietLog();
  readonly #disk: SimDisk;
  #storage: Storage | undefined;
  #underWay = 0;
  #isOver = false;

  private constructor({ disk, nowMs }: LifeOptions) {
    this.#disk = disk;
    this.clock = new FakeClock(nowMs);
  }

  /** Opens storage and reads the log; throws what that throws, and the life is over then. */
  static async begin(options: LifeOptions): Promise<Life> {
    const life = new Life(options);
    try {
      const { storage, meddling = {} } = options;
      const disk = fenced(options.disk, () => life.#isOver);
      const threads = life.#threads(disk, meddling);
      const opening = Storage.open(disk, life.clock, life.log.logger, storage, threads);
      life.#storage = await life.settle(opening);
      await life.settle(life.#storage.replay());
    } catch (error) {
      life.end();
      throw error;
    }
    return life;
  }

  /** Whether the power went. */
  get isOff(): boolean {
    return this.#disk.isOff;
  }

  get storage(): Storage {
    return this.#storage!;
  }

  /** Waits for an action; time passes where it waits for time. Throws where it does not end. */
  async settle<T>(action: Promise<T>, withinMs = 30_000): Promise<T> {
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    action.then(done, done);
    for (let passedMs = 0; ; passedMs += 100) {
      await this.idle();
      if (isDone) return action;
      if (this.isOff) throw new PowerCut('nobody waits any more');
      if (passedMs >= withinMs) throw new Error(`no end within ${withinMs / 1000} virtual seconds (I7)`);
      this.#advance(100);
    }
  }

  /** Lets time pass, and whatever happens meanwhile. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= PIECE_MS) {
      this.#advance(Math.min(left, PIECE_MS));
      await this.idle();
    }
  }

  /** Until nothing is under way but what waits for time. */
  async idle(): Promise<void> {
    let quiet = 0;
    for (let turns = 0; quiet < QUIET_TURNS; turns++) {
      if (turns > TURNS_MAX) throw new Error('it never rests (I7)');
      await turn();
      quiet = this.#underWay > 0 ? 0 : quiet + 1;
    }
  }

  /** Nothing of this life reaches the disk any more. */
  end(): void {
    this.#isOver = true;
  }

  #threads(disk: Disk, { log, shard, compactor }: Meddling): StorageThreads {
    const clock = this.clock;
    return {
      shard: async (setup) => {
        const { port, started } = await startShardHere(setup, disk);
        const run: typeof port.run = (task, transfer) => {
          const meddled = shard === undefined ? task : { ...task, jobs: task.jobs.map(shard) };
          return this.#busy(port.run(meddled, transfer));
        };
        return { port: { ...port, run }, started };
      },
      log: (setup) => {
        const host = new LogHost(setup, { disk, clock, soon: (action) => this.#soon(action), core: sharedCore() });
        return {
          run: (task) => this.#busy(later(() => host.run(log === undefined ? task : log(task)))),
          close: async () => {},
        };
      },
      compactor: ({ dataFolder }) => {
        const host = new Compactor(disk, { dataFolder }, impatient(clock), sharedCore());
        const port = {
          call: (op: CompactorTask['op'], request: CompactorTask['request']) => {
            const task = structuredClone({ op, request } as CompactorTask, { transfer: buffersOf(request) });
            const run = (one: CompactorTask): unknown => host.run(one);
            return this.#busy(later(() => structuredClone(compactor === undefined ? run(task) : compactor(task, run))));
          },
          close: async () => {},
        };
        return port as unknown as CompactorPort;
      },
    };
  }

  #advance(ms: number): void {
    const untilMs = this.clock.nowMs() + ms;
    // A timer that the power cut met is over; the others come.
    while (this.clock.nowMs() < untilMs) untilPowerCut(() => this.clock.advance(untilMs - this.clock.nowMs()));
  }

  #soon(action: () => void): void {
    this.#underWay++;
    soon(() => {
      this.#underWay--;
      untilPowerCut(action);
    });
  }

  #busy<T>(work: Promise<T>): Promise<T> {
    this.#underWay++;
    const done = () => void this.#underWay--;
    work.then(done, done);
    return work;
  }
}

/** What ends suddenly never gives back its memory, so that a core serves only so many. */
const CORE_USES = 200;

let core: Core | undefined;
let uses = 0;

/** Of logs and compactors: making one takes longer than most lives. */
function sharedCore(): Core {
  if (core === undefined || ++uses % CORE_USES === 0) core = new Core();
  return core;
}

function untilPowerCut(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
}

/** As in another thread: not before the caller has gone on. */
async function later<T>(action: () => T | Promise<T>): Promise<T> {
  await undefined;
  return action();
}

/** The same disk, until the life is over. */
function fenced(disk: SimDisk, isOver: () => boolean): Disk {
  return new Proxy(disk, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (isOver()) throw new PowerCut(`${String(name)} of a process that is gone`);
        return value.apply(target, args);
      };
    },
  });
}

/** A look at it takes ten milliseconds: work that gives way after some time does so after some looks. */
function impatient(clock: Clock): Clock {
  let looks = 0;
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs() + 10 * ++looks,
    after: (ms, action) => clock.after(ms, action),
  };
}
