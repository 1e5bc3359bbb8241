// Numbers and names of chunks_head: docs/formats/chunks-head.md. All integers in its files are big-endian.

import type { Disk } from '../../base/disk.js';

export const HEAD_CHUNKS_MAGIC = 0x0130bc91;
export const HEAD_CHUNKS_VERSION = 1;
/** Magic, version, three bytes of padding. */
export const HEAD_CHUNKS_HEADER_BYTES = 8;
/** A file is no larger. */
export const HEAD_CHUNKS_FILE_BYTES_MAX = 128 * 1024 * 1024;

/** Ref, first and last time: all zero where a file's chunks end. */
export const RECORD_START_BYTES = 24;
export const RECORD_CRC_BYTES = 4;

/** Set in the encoding of a chunk whose samples came out of order. */
export const OUT_OF_ORDER = 0x80;

/** Where a Prometheus has the chunks of its head. */
export function headChunksFolder(dataFolder: string): string {
  return `${dataFolder}/chunks_head`;
}

/** `000012`; files are numbered without gaps. */
export function headChunksPath(folder: string, file: number): string {
  return `${folder}/${String(file).padStart(6, '0')}`;
}

/** Numbers of the files, ascending; none where there is no folder. */
export function listHeadChunks(disk: Disk, folder: string): number[] {
  if (disk.stat(folder) === undefined) return [];
  const names = disk.list(folder).filter((name) => /^\d{6,}$/.test(name));
  return names.map(Number).sort((a, b) => a - b);
}
