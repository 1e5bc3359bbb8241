// What this machine offers: processors and memory, as a container may have them cut.

import { availableParallelism, hostname, totalmem } from 'node:os';
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

/** Infinity where there is no limit. */
function readLimit(disk: Disk, path: string): number {
  try {
    const bytes = Number(Buffer.from(disk.readFile(path)).toString('latin1').trim());
    return Number.isFinite(bytes) && bytes > 0 ? bytes : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
