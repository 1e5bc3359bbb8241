// Where the records of a log are, in the order of writing: the newest checkpoint, then the segments behind it.

import type { Disk } from '../../base/disk.js';
import type { Core } from '../../wasm/core.js';
import { readSegments } from './reader.js';
import { checkpointPath, listCheckpoints, listSegments } from './segments.js';

/** A folder of segments, and the first of them that counts. */
export interface LogSource {
  readonly folder: string;
  readonly from: number;
}

export interface LogSources {
  readonly sources: readonly LogSource[];
  /** The last segment that the checkpoint among the sources replaces; -1 without one. */
  readonly checkpoint: number;
  /** Checkpoints that are damaged and not needed, as all that they replace is still there. */
  readonly distrusted: readonly number[];
}

export function logSources(disk: Disk, folder: string, core: Core): LogSources {
  const segments = new Set(listSegments(disk, folder));
  const checkpoints = listCheckpoints(disk, folder);
  const distrusted: number[] = [];
  for (let i = checkpoints.length - 1; i >= 0; i--) {
    const checkpoint = checkpoints[i]!;
    const path = checkpointPath(folder, checkpoint);
    if (!replaceable(segments, checkpoints[i - 1] ?? -1, checkpoint) || isSound(disk, path, core)) {
      const sources = [
        { folder: path, from: 0 },
        { folder, from: checkpoint + 1 },
      ];
      return { sources, checkpoint, distrusted };
    }
    distrusted.push(checkpoint);
  }
  return { sources: [{ folder, from: 0 }], checkpoint: -1, distrusted };
}

/** Whether all segments that a checkpoint adds to the one before it are still there. */
function replaceable(segments: ReadonlySet<number>, before: number, checkpoint: number): boolean {
  for (let segment = before + 1; segment <= checkpoint; segment++) if (!segments.has(segment)) return false;
  return true;
}

function isSound(disk: Disk, folder: string, core: Core): boolean {
  const summary = readSegments({ disk, folder, core, tornTail: false }, { record: () => {} });
  return summary.segments > 0 && summary.damages.length === 0;
}
