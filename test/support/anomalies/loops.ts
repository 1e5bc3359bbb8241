// Exhaustive loops over a scenario: for N = 1, 2, … the N-th call of the disk fails, or the power goes there, until
// the work passes without meeting the fault. Whatever happened, a start that meets no fault must find what was
// promised, say what it lost, and change nothing when it is done twice.

import { type Habit, SimDisk } from '../sim-disk.js';
import { endures, type Scenario } from './scenario.js';

/** How far the loops go. Each number is a stride or a count: 1 is every call. */
export interface Depth {
  /** Every so many calls of the work. */
  readonly stride: number;
  /** Every so many calls of a recovery in which something fails as well. */
  readonly recoveryStride: number;
  /** Different outcomes of one crash. */
  readonly seeds: number;
}

export const FULL: Depth = { stride: 1, recoveryStride: 1, seeds: 4 };

/** One way for things to go wrong, and everything that replays it. */
export interface Anomaly {
  readonly scenario: string;
  readonly what: string;
  readonly problems: readonly string[];
}

export interface LoopReport {
  readonly cases: number;
  readonly anomalies: readonly Anomaly[];
}

export interface LoopOptions {
  readonly depth?: Depth;
  /** What the program forgets to do: for tests of the loops themselves. */
  readonly habits?: readonly Habit[];
  /** Stops at the first anomaly. */
  readonly first?: boolean;
}

/** How the work ends before its time. */
interface Mishap {
  readonly name: string;
  arm(disk: SimDisk, call: number): void;
  /** What follows: a crash whose seed matters, or the process's end. */
  readonly ends: 'crash' | 'kill';
}

const MISHAPS: readonly Mishap[] = [
  { name: 'the power goes', arm: (disk, call) => disk.cutPowerAt(call), ends: 'crash' },
  { name: 'EIO once, then the process ends', arm: (disk, nth) => disk.fail({ nth }), ends: 'kill' },
  { name: 'EIO once, then the power goes', arm: (disk, nth) => disk.fail({ nth }), ends: 'crash' },
  { name: 'EIO for ever', arm: (disk, nth) => disk.fail({ nth, times: Infinity }), ends: 'crash' },
  {
    name: 'no space, half written',
    arm: (disk, nth) => disk.fail({ nth, times: 3, code: 'ENOSPC', share: 0.5 }),
    ends: 'kill',
  },
];

/** A scenario with its world closed over. */
export interface Looped {
  readonly name: string;
  readonly about: string;
  run(options?: LoopOptions): Promise<LoopReport>;
}

export function looped<World>(scenario: Scenario<World>): Looped {
  const { name, about } = scenario;
  return { name, about, run: (options) => runLoops(scenario, options) };
}

/** More calls than any scenario makes: a loop that never passes is a bug of the scenario. */
const CALLS_MAX = 5000;

async function runLoops<World>(scenario: Scenario<World>, options: LoopOptions = {}): Promise<LoopReport> {
  const loops = new Loops(scenario, options);
  await loops.run();
  return { cases: loops.cases, anomalies: loops.anomalies };
}

interface Begun<World> {
  readonly disk: SimDisk;
  readonly world: World;
  /** Whether the mishap came before the work's end. */
  readonly met: boolean;
}

class Loops<World> {
  cases = 0;
  readonly anomalies: Anomaly[] = [];
  readonly #scenario: Scenario<World>;
  readonly #depth: Depth;
  readonly #habits: readonly Habit[];
  readonly #first: boolean;

  constructor(scenario: Scenario<World>, { depth = FULL, habits = [], first = false }: LoopOptions) {
    this.#scenario = scenario;
    this.#depth = depth;
    this.#habits = habits;
    this.#first = first;
  }

  async run(): Promise<void> {
    for (const mishap of MISHAPS) {
      for (let call = 1; ; call += this.#depth.stride) {
        if (call > CALLS_MAX) throw new Error(`${this.#scenario.name}: more than ${CALLS_MAX} calls`);
        if (!(await this.#atCall(mishap, call)) || this.#isOver) break;
      }
      if (this.#isOver) return;
    }
  }

  get #isOver(): boolean {
    return this.#first && this.anomalies.length > 0;
  }

  /** False where the work came to its end before the call. */
  async #atCall(mishap: Mishap, call: number): Promise<boolean> {
    const seeds = mishap.ends === 'crash' ? this.#depth.seeds : 1;
    for (let seed = 0; seed < seeds && !this.#isOver; seed++) {
      const what = `${mishap.name} at call ${call}, seed ${seed}`;
      const begin = () => this.#workUntil(mishap, call, seed);
      const begun = await begin();
      await this.#conclude(what, begun.disk, begun.world);
      if (!begun.met) return false;
      // The first outcome of each crash is recovered under faults too: two deep.
      if (seed === 0) await this.#recoverBadly(what, begin);
    }
    return true;
  }

  async #workUntil(mishap: Mishap, call: number, seed: number): Promise<Begun<World>> {
    const disk = new SimDisk(this.#habits);
    const world = await this.#scenario.prepare(disk);
    disk.kill();
    mishap.arm(disk, call);
    await endures(() => this.#scenario.work(disk, world));
    const met = disk.fired > 0;
    this.#end(disk, mishap.ends, seed === 0 ? undefined : seed * CALLS_MAX + call);
    return { disk, world, met };
  }

  /** Without a seed nothing is kept that was not synced. */
  #end(disk: SimDisk, how: 'crash' | 'kill', seed: number | undefined): void {
    disk.heal();
    if (how === 'kill') disk.kill();
    else disk.crash(seed);
  }

  /** The recovery loses its power, or one call, at each of its own calls in turn; then comes one that goes well. */
  async #recoverBadly(what: string, begin: () => Promise<Begun<World>>): Promise<void> {
    for (const again of MISHAPS.slice(0, 2)) {
      for (let call = 1; call < CALLS_MAX && !this.#isOver; call += this.#depth.recoveryStride) {
        const { disk, world } = await begin();
        again.arm(disk, call);
        await endures(() => this.#scenario.recover(disk, world));
        if (disk.fired === 0) break;
        this.#end(disk, again.ends, call % 2 === 0 ? undefined : call);
        await this.#conclude(`${what}; in the recovery ${again.name} at call ${call}`, disk, world);
      }
    }
  }

  /** A recovery that meets no fault, and everything that must hold then. */
  async #conclude(what: string, disk: SimDisk, world: World): Promise<void> {
    this.cases++;
    const scenario = this.#scenario;
    const problems: string[] = [];
    try {
      await scenario.recover(disk, world);
      problems.push(...scenario.judge(disk, world));
      disk.kill();
      const before = disk.image();
      await scenario.recover(disk, world);
      problems.push(...differences(before, disk.image()));
      problems.push(...scenario.goOn(disk, world));
    } catch (error) {
      problems.push(`threw ${(error as Error).stack}`);
    }
    if (problems.length > 0) this.anomalies.push({ scenario: scenario.name, what, problems });
  }
}

/** I10: starting twice leaves the same bytes as starting once. */
function differences(before: ReadonlyMap<string, Uint8Array>, after: ReadonlyMap<string, Uint8Array>): string[] {
  const problems: string[] = [];
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [one, two] = [before.get(path), after.get(path)];
    if (one === undefined || two === undefined) problems.push(`a second start ${one ? 'removes' : 'makes'} ${path}`);
    else if (Buffer.compare(one, two) !== 0) problems.push(`a second start changes ${path}`);
  }
  return problems;
}
