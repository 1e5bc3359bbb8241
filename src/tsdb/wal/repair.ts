// Makes a damaged log whole again, so that Prometheus, which deletes all that
// follows the first bad record, would read as much of it as we do.
//
//   before   │ Full │ First ✗ ........ │ ....... Last │ Full │
//   after    │ Full │ Full (a filler)  │ Full (filler)│ Full │
//
// The lost bytes are overwritten with records of no known type, which readers
// pass over, a segment's torn end is cut off, and a missing segment is replaced
// by an empty one. What is overwritten is kept in a folder of ours first.

import { type Disk, DiskError } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { FRAGMENT_HEADER_BYTES, Fragment, PAGE_BYTES, pageEnd } from './page.js';
import type { LogDamage } from './reader.js';
import { segmentPath } from './segments.js';

/** More lost bytes than this are not kept: a folder of ours must not fill the disk. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;

/** A gap of more segments than this is not filled: no loss that happens makes one. */
const MISSING_MAX = 10_000;

export interface RepairOptions {
  readonly disk: Disk;
  readonly crc: Crc32c;
  /** Where lost bytes are kept, made when needed. */
  readonly lostFolder: string;
}

/**
 * Repairs what readSegments() reported. Gives the damages it did not repair: unreadable spots, which
 * may be readable tomorrow, and all where the disk refuses.
 */
export function repairLog(damages: readonly LogDamage[], options: RepairOptions): LogDamage[] {
  const left: LogDamage[] = [];
  let missing = 0;
  for (const damage of damages) {
    try {
      if (damage.reason === 'read error' || damage.reason === 'segment shortened') left.push(damage);
      else if (damage.reason !== 'segment missing') repairBytes(damage, options);
      else if (++missing <= MISSING_MAX) replaceSegment(damage, options.disk);
      else left.push(damage);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      left.push(damage);
    }
  }
  return left;
}

function replaceSegment(damage: LogDamage, disk: Disk): void {
  disk.close(disk.open(segmentPath(damage.folder, damage.segment), 'create'));
  disk.syncFolder(damage.folder);
}

function repairBytes(damage: LogDamage, options: RepairOptions): void {
  const { disk } = options;
  keepLost(damage, options);
  const file = disk.open(segmentPath(damage.folder, damage.segment), 'write');
  try {
    if (damage.torn) {
      disk.truncate(file, damage.offset);
      disk.truncate(file, pageEnd(damage.offset));
    } else {
      const size = disk.size(file);
      const to = damage.offset + damage.bytes;
      const end = to >= size ? pageEnd(size) : to;
      const filler = fillerFor(damage.offset, end, options.crc);
      const page = end - (end % PAGE_BYTES);
      if (page >= damage.offset && end - page > FRAGMENT_HEADER_BYTES) {
        // Sound records follow in this page. What changes of it is its first eight bytes, in one sector, so that no
        // crash in the middle spoils the page for them.
        const payload = filler.subarray(page + FRAGMENT_HEADER_BYTES - damage.offset);
        disk.pread(file, payload, page + FRAGMENT_HEADER_BYTES);
        payload[0] = 0;
        new DataView(filler.buffer).setUint32(page - damage.offset + 3, options.crc.of(payload));
      }
      disk.pwrite(file, filler, damage.offset);
    }
    disk.fdatasync(file);
  } finally {
    disk.close(file);
  }
}

/** Bytes for a range of a segment that readers pass over: in each page one record of type 0, which nobody knows. */
export function fillerFor(from: number, to: number, crc: Crc32c): Uint8Array {
  const filler = new Uint8Array(to - from);
  const view = new DataView(filler.buffer);
  for (let at = from; at < to; ) {
    const end = Math.min(to, pageEnd(at + 1));
    const length = end - at - FRAGMENT_HEADER_BYTES;
    // Fewer bytes than a header are only ever left at a page's end, where zeroes say so.
    if (length >= 0) {
      view.setUint8(at - from, Fragment.Full);
      view.setUint16(at - from + 1, length);
      view.setUint32(at - from + 3, crc.of(new Uint8Array(length)));
    }
    at = end;
  }
  return filler;
}

function keepLost(damage: LogDamage, { disk, lostFolder }: RepairOptions): void {
  if (damage.bytes === 0 || damage.bytes > KEPT_BYTES_MAX) return;
  const bytes = new Uint8Array(damage.bytes);
  const file = disk.open(segmentPath(damage.folder, damage.segment), 'read');
  try {
    disk.pread(file, bytes, damage.offset);
  } finally {
    disk.close(file);
  }
  disk.makeFolder(lostFolder);
  const folder = damage.folder.slice(damage.folder.lastIndexOf('/') + 1);
  disk.writeFileAtomic(`${lostFolder}/${folder}-${damage.segment}-${damage.offset}`, bytes);
}
