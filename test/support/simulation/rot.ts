// The log rots while nobody runs: some of its bytes change. What that may cost is what the records hold that cannot be read any
// more, and nothing of any other.
//
//   records before ──► bytes change ──► records after ──► the difference: samples that may be gone

import type { Prng } from '../../../src/base/prng.js';
import { checkpointPath, listCheckpoints, listSegments, segmentPath } from '../../../src/tsdb/wal/segments.js';
import { logRecords, lostRecords } from '../log-records.js';
import type { SimDisk } from '../sim-disk.js';

export interface Rot {
  /** Where and how. */
  readonly what: string;
  /** Records that cannot be read any more: how many name series, and how many there are in all. */
  readonly seriesRecords: number;
  readonly records: number;
  /** Whether a sample was in one of them. */
  isLost(series: string, timeMs: number): boolean;
}

/** Damages one place of the log, and says what that takes; undefined where there is nothing to damage, or deletions would be lost. */
export function rotLog(disk: SimDisk, data: string, prng: Prng): Rot | undefined {
  return disk.quietly(() => {
    const folder = `${data}/wal`;
    const folders = [folder, ...listCheckpoints(disk, folder).map((last) => checkpointPath(folder, last))];
    const files = folders.flatMap((one) => listSegments(disk, one).map((segment) => segmentPath(one, segment)));
    const path = prng.pick(files.filter((file) => disk.stat(file)!.size > 0));
    if (path === undefined) return undefined;
    const before = logRecords(disk, data);
    const sound = disk.readFile(path).slice();
    const what = `${spoil(disk, path, prng)} of ${path}`;
    const { count, ofSeries, hasDeletions, samples } = lostRecords(before, logRecords(disk, data));
    if (hasDeletions) {
      disk.damage(path, () => sound);
      return undefined;
    }
    const isLost = (series: string, timeMs: number) => samples.has(`${series} ${timeMs}`);
    return { what, seriesRecords: ofSeries, records: count, isLost };
  });
}

function spoil(disk: SimDisk, path: string, prng: Prng): string {
  const { size } = disk.stat(path)!;
  const at = prng.int(size);
  switch (prng.int(5)) {
    case 0: {
      const bytes = 1 + prng.int(4096);
      disk.damage(path, (old) => old.fill(0, at, at + bytes));
      return `${bytes} bytes of zeroes at ${at}`;
    }
    case 1: {
      const bytes = 1 + prng.int(600);
      disk.damage(path, (old) => {
        for (let i = at; i < Math.min(size, at + bytes); i++) old[i] = prng.int(256);
        return old;
      });
      return `${bytes} bytes of noise at ${at}`;
    }
    case 2:
      disk.damage(path, (old) => old.slice(0, at));
      return `all from ${at} on`;
    default:
      disk.damage(path, (old) => {
        // Where there is something: most of a segment is zeroes.
        const used = old.findLastIndex((byte) => byte !== 0) + 1;
        old[prng.int(Math.max(1, used))]! ^= 1 << prng.int(8);
        return old;
      });
      return 'a bit';
  }
}
