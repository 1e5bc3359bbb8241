// What this machine offers: processors and memory, as a container may have them cut.

import { availableParallelism, hostname, setPriority, totalmem } from 'node:os';
import type { Disk } from './disk.js';

export { hostname };

/** Processors this process may use. */
export function processors(): number {
  return availableParallelism();
}

/** Bytes of memory: the machine's, or the cgroup's where that is less. */
export function memoryBytes(disk: Disk): number {
  const limits = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'].map((path) =>
    readLimit(disk, path),
  );
  return Math.min(totalmem(), ...limits);
}

/** How many files and sockets the process may have open; Infinity where nobody says. */
export function openFilesMax(disk: Disk): number {
  try {
    const [, most] =
      /^Max open files +(\d+)/m.exec(Buffer.from(disk.readFile('/proc/self/limits')).toString('latin1')) ?? [];
    return most === undefined ? Number.POSITIVE_INFINITY : Number(most);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** About a third of a core, where a thread of the usual priority wants it too; all of it where nobody does. */
const POLITE = 5;

/** From here on this thread gives way to others. Does nothing where the system has no such thing. */
export function giveWay(disk: Disk): void {
  try {
    // A thread's priority is its own on Linux, and its number the first word of its state.
    const [thread] = Buffer.from(disk.readFile('/proc/thread-self/stat')).toString('latin1').split(' ', 1);
    setPriority(Number(thread), POLITE);
  } catch {
    // It is a favour.
  }
}

/** Infinity where there is no limit. */
function readLimit(disk: Disk, path: string): number {
  try {
    const bytes = Number(Buffer.from(disk.readFile(path)).toString('latin1').trim());
    return Number.isFinite(bytes) && bytes > 0 ? bytes : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
