// A piece of work whose every call of the disk can go wrong, and what must hold afterwards.

import { DiskError } from '../../../src/base/disk.js';
import { LogStuck } from '../../../src/tsdb/wal/writer.js';
import { PowerCut, type SimDisk } from '../sim-disk.js';

/** `World` is what the work has promised so far, and to whom; it outlives crashes, as clients do. */
export interface Scenario<World = unknown> {
  readonly name: string;
  /** What the work does, in words. */
  readonly about: string;
  /** Puts the disk into the state that the work begins in. Nothing fails meanwhile. */
  prepare(disk: SimDisk): Promise<World> | World;
  /** The work. Throws what the disk makes it throw, and what `isRefusal` knows. The same calls each time. */
  work(disk: SimDisk, world: World): Promise<void> | void;
  /** What a start does with what it finds. May throw like the work. */
  recover(disk: SimDisk, world: World): Promise<void> | void;
  /** What is wrong after a recovery in which nothing failed, a sentence each. */
  judge(disk: SimDisk, world: World): string[];
  /** What is wrong with going on: new work must succeed, and take nothing away. */
  goOn(disk: SimDisk, world: World): string[];
}

/** Whether an error is an answer that a program may give on a bad disk. All else is a bug, or the power that went. */
export function isRefusal(error: unknown): boolean {
  return error instanceof DiskError || error instanceof LogStuck || NAMED.has((error as Error).name);
}

const NAMED = new Set(['LogUnsynced', 'UnreadableLog', 'BlockFault']);

/** Runs an action on a disk that may refuse or lose its power; true where it came to its end. */
export async function endures(action: () => Promise<void> | void): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (error instanceof PowerCut || isRefusal(error)) return false;
    throw error;
  }
}
