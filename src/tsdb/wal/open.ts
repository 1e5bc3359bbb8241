// Opening a log at start: reads all of it in order, says what is lost, repairs
// it, and tells where writing goes on.

import { type Disk, DiskError } from '../../base/disk.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { removeTemporary } from './checkpoint.js';
import { type ManifestFound, type ManifestState, type NotedCheckpoint, readManifest } from './manifest.js';
import { PAGE_BYTES, pageEnd } from './page.js';
import { drain, type LogDamage, type LogVisitor, readingSegments } from './reader.js';
import { repairLog } from './repair.js';
import { checkpointBytes, checkpointPath, listSegments, segmentPath } from './segments.js';
import { logSources } from './sources.js';

export interface OpenOptions {
  readonly disk: Disk;
  /** The log's folder, made where it is not there. */
  readonly folder: string;
  /** A folder of ours, for the manifest and for lost bytes; made where it is not there. */
  readonly ownFolder: string;
  readonly core: Core;
  /** Overwrite damaged bytes with fillers, so that Prometheus reads on too. Default true. */
  readonly repair?: boolean;
}

export interface OpenedLog {
  readonly records: number;
  readonly bytes: number;
  /** What was lost; a torn tail among it is normal after a crash. */
  readonly damages: readonly LogDamage[];
  /** Damages that stay, because the bytes could not be read or overwritten. */
  readonly unrepaired: readonly LogDamage[];
  /** The segments that the checkpoint read replaces go up to this one; -1 without one. */
  readonly checkpoint: number;
  /** Damaged checkpoints that were passed over, as their segments are still there. */
  readonly distrusted: readonly number[];
  /** Segments of which more was read than is known to be on the disk. */
  readonly unsynced: readonly number[];
  /** The segment to go on writing with: a new one, as Prometheus does it. */
  readonly nextSegment: number;
  /** Another server wrote it last, as far as the manifest tells. */
  readonly isForeign: boolean;
  /** Where the manifest is, its last generation, and what it should say now. */
  readonly manifest: { readonly path: string; readonly generation: number; readonly state: ManifestState };
}

/** Reads a whole log. Throws a DiskError where a folder cannot be made or listed. */
export function openLog(options: OpenOptions, visitor: LogVisitor): OpenedLog {
  return drain(openingLog(options, visitor));
}

/** The same in steps of about a MiB. */
export function* openingLog(options: OpenOptions, visitor: LogVisitor): Generator<void, OpenedLog, void> {
  const { disk, folder, ownFolder, core } = options;
  const crc = new Crc32c(core);
  disk.makeFolder(folder);
  disk.makeFolder(ownFolder);
  ifPossible(() => removeTemporary(disk, folder));
  const path = manifestPath(ownFolder);
  const manifest = readManifest(disk, path, crc);
  const believed = believable(manifest, disk, folder);
  const { sources, checkpoint, distrusted } = logSources(disk, folder, core);
  const checkpointNow =
    checkpoint < 0 ? undefined : { last: checkpoint, bytes: checkpointBytes(disk, folder, checkpoint) };
  visitor.begin?.({
    isForeign: believed === undefined,
    isShort: isShort(disk, folder, believed, checkpointNow),
    checkpoint,
  });

  const damages: LogDamage[] = [];
  let records = 0;
  let bytes = 0;
  let ends: ReadonlyMap<number, number> = new Map();
  for (const source of sources) {
    const isLog = source.folder === folder;
    visitor.source?.(!isLog);
    const synced = isLog
      ? believed?.synced
      : endsOfCheckpoint(disk, source.folder, believed?.checkpoint, checkpointNow);
    const summary = yield* readingSegments({ disk, core, ...source, tornTail: isLog, synced }, visitor);
    records += summary.records;
    bytes += summary.bytes;
    damages.push(...summary.damages);
    if (isLog) ends = summary.ends;
  }
  const gone = [
    ...missedOfCheckpoint(folder, believed?.checkpoint, checkpointNow, damages),
    ...missed(folder, believed, ends, checkpoint, damages),
  ];
  for (const damage of gone) {
    damages.push(damage);
    visitor.damage?.(damage);
  }

  let unrepaired: readonly LogDamage[] = damages;
  if (options.repair ?? true) {
    unrepaired = repairLog(damages, { disk, crc, lostFolder: `${ownFolder}/lost` });
    ifPossible(() => {
      for (const number of distrusted) disk.remove(checkpointPath(folder, number));
      trimTail(disk, folder, ends, damages, unrepaired);
      disk.syncFolder(folder);
    });
  }
  const highest = Math.max(checkpoint, listSegments(disk, folder).at(-1) ?? -1);
  return {
    records,
    bytes,
    damages,
    unrepaired,
    checkpoint,
    distrusted,
    unsynced: [...ends]
      .filter(([segment, end]) => end > (believed?.synced.get(segment) ?? 0))
      .map(([segment]) => segment),
    nextSegment: highest + 1,
    isForeign: believed === undefined,
    manifest: {
      path,
      generation: manifest.outcome === 'found' ? manifest.generation : 0,
      state: {
        highest,
        synced: new Map([...ends].filter(([segment]) => segment <= highest)),
        checkpoint: checkpointNow,
      },
    },
  };
}

/** Whether what we have noted may be believed: no other server has written the log since, as far as the manifest tells. */
export function isLogOurs({ disk, folder, ownFolder, core }: OpenOptions): boolean {
  const found = readManifest(disk, manifestPath(ownFolder), new Crc32c(core));
  return disk.stat(folder) !== undefined && believable(found, disk, folder) !== undefined;
}

function manifestPath(ownFolder: string): string {
  return `${ownFolder}/log.manifest`;
}

/** Tidying up: on a disk that is full or read-only the log is read all the same. */
function ifPossible(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  }
}

/** What the manifest says, unless another server has written the log since: then there is a segment it does not know. */
function believable(found: ManifestFound, disk: Disk, folder: string): ManifestState | undefined {
  if (found.outcome !== 'found') return undefined;
  const highest = listSegments(disk, folder).at(-1) ?? -1;
  return highest <= found.state.highest ? found.state : undefined;
}

/** Whether a file shows, before any is read, that there was more. */
function isShort(
  disk: Disk,
  folder: string,
  noted: ManifestState | undefined,
  checkpoint: NotedCheckpoint | undefined,
): boolean {
  if (checkpoint === undefined && (listSegments(disk, folder)[0] ?? 0) > 0) return true;
  if (missedOfCheckpoint(folder, noted?.checkpoint, checkpoint, []).length > 0) return true;
  return [...(noted?.synced ?? [])].some(
    ([segment, synced]) =>
      segment > (checkpoint?.last ?? -1) && (disk.stat(segmentPath(folder, segment))?.size ?? 0) < synced,
  );
}

/**
 * Up to where the segments of a checkpoint must have records, where it is as large as when it was written: its last is cut behind its
 * last record, the others behind that one's page.
 */
function endsOfCheckpoint(
  disk: Disk,
  path: string,
  noted: NotedCheckpoint | undefined,
  found: NotedCheckpoint | undefined,
): ReadonlyMap<number, number> | undefined {
  if (noted?.last !== found?.last || noted?.bytes !== found?.bytes) return undefined;
  const segments = listSegments(disk, path);
  const sizeOf = (segment: number) => disk.stat(segmentPath(path, segment))?.size ?? 0;
  return new Map(
    segments.map((segment) => [
      segment,
      segment === segments.at(-1) ? sizeOf(segment) : Math.max(0, sizeOf(segment) - PAGE_BYTES + 1),
    ]),
  );
}

/** What the newest checkpoint should have and has not. One that is newer than the manifest knows is not judged. */
function missedOfCheckpoint(
  folder: string,
  noted: NotedCheckpoint | undefined,
  found: NotedCheckpoint | undefined,
  damages: readonly LogDamage[],
): LogDamage[] {
  if (noted === undefined || (found?.last ?? -1) > noted.last) return [];
  const bytes = found?.last === noted.last ? found.bytes : 0;
  const path = checkpointPath(folder, noted.last);
  if (bytes >= noted.bytes || damages.some((damage) => damage.folder === path)) return [];
  const reason = bytes === 0 ? 'segment missing' : 'segment shortened';
  return [{ folder: path, segment: 0, offset: bytes, bytes: noted.bytes - bytes, reason, torn: false }];
}

/** What should be there and is not, and does not show as damage. */
function missed(
  folder: string,
  manifest: ManifestState | undefined,
  ends: ReadonlyMap<number, number>,
  checkpoint: number,
  damages: readonly LogDamage[],
): LogDamage[] {
  const found: LogDamage[] = [];
  for (const [segment, synced] of manifest?.synced ?? []) {
    const end = ends.get(segment) ?? 0;
    if (segment <= checkpoint || end >= synced) continue;
    const known = damages.some(
      (damage) =>
        damage.folder === folder &&
        damage.segment === segment &&
        (damage.reason === 'segment missing' || damage.offset + damage.bytes >= synced),
    );
    if (known) continue;
    const reason = ends.has(segment) ? 'segment shortened' : 'segment missing';
    found.push({ folder, segment, offset: end, bytes: synced - end, reason, torn: false });
  }
  return found;
}

/** Gives back the zeroes that were written ahead: behind the last record's page, and whole segments of nothing else. */
function trimTail(
  disk: Disk,
  folder: string,
  ends: ReadonlyMap<number, number>,
  damages: readonly LogDamage[],
  unrepaired: readonly LogDamage[],
): void {
  for (const [segment, end] of [...ends].reverse()) {
    const own = damages.filter((damage) => damage.folder === folder && damage.segment === segment);
    if (own.some((damage) => unrepaired.includes(damage))) return;
    // Where damage was inside, fillers stand now.
    const fillers = own.filter(({ torn }) => !torn).map(({ offset, bytes }) => offset + bytes);
    const used = Math.max(end, ...fillers);
    const path = segmentPath(folder, segment);
    if (used === 0) {
      disk.unlink(path);
      continue;
    }
    if (disk.stat(path)?.size !== pageEnd(used)) {
      const file = disk.open(path, 'write');
      disk.truncate(file, pageEnd(used));
      disk.close(file);
    }
    return;
  }
}
