// The names in a log folder: segments `00000042`, checkpoints `checkpoint.00000041`.

import type { Disk } from '../../base/disk.js';

const SEGMENT = /^\d{8,}$/;
const CHECKPOINT = /^checkpoint\.(\d{8,})$/;
const TEMPORARY = /^checkpoint\..*\.tmp$/;

export function segmentPath(folder: string, segment: number): string {
  return `${folder}/${String(segment).padStart(8, '0')}`;
}

/** The folder of the checkpoint that replaces all segments up to and with `last`. */
export function checkpointPath(folder: string, last: number): string {
  return `${folder}/checkpoint.${String(last).padStart(8, '0')}`;
}

/** The numbers of the segments in `folder`, rising. */
export function listSegments(disk: Disk, folder: string): number[] {
  return numbers(disk.list(folder).filter((name) => SEGMENT.test(name)));
}

/** The last segment that each checkpoint in `folder` replaces, rising. */
export function listCheckpoints(disk: Disk, folder: string): number[] {
  return numbers(disk.list(folder).flatMap((name) => CHECKPOINT.exec(name)?.[1] ?? []));
}

/** Bytes of all files of a checkpoint; 0 where it is not there. */
export function checkpointBytes(disk: Disk, folder: string, last: number): number {
  const path = checkpointPath(folder, last);
  if (disk.stat(path) === undefined) return 0;
  return listSegments(disk, path).reduce((sum, segment) => sum + (disk.stat(segmentPath(path, segment))?.size ?? 0), 0);
}

/** Checkpoints that were never finished. */
export function listTemporary(disk: Disk, folder: string): string[] {
  return disk
    .list(folder)
    .filter((name) => TEMPORARY.test(name))
    .map((name) => `${folder}/${name}`);
}

function numbers(names: string[]): number[] {
  return names.map(Number).sort((a, b) => a - b);
}
