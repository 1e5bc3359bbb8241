// Numbers of a block's files: docs/formats/block.md. All integers in them are big-endian.

export const INDEX_MAGIC = 0xbaaad700;
/** The one that Prometheus has written since 2.0; refs of series are offset / 16 in it. */
export const INDEX_VERSION = 2;
export const INDEX_HEADER_BYTES = 5;
/** Series begin at multiples of this. */
export const SERIES_ALIGN = 16;

/** Six offsets of sections and a checksum, at the end of the index. */
export const TOC_BYTES = 6 * 8 + 4;

export const CHUNKS_MAGIC = 0x85bd40dd;
export const CHUNKS_VERSION = 1;
/** Magic, version, three bytes of padding. */
export const CHUNKS_HEADER_BYTES = 8;
/** A segment of chunks is no larger. */
export const CHUNKS_SEGMENT_BYTES_MAX = 512 * 1024 * 1024;

export const TOMBSTONES_MAGIC = 0x0130ba30;
export const TOMBSTONES_VERSION = 1;
export const TOMBSTONES_HEADER_BYTES = 5;

export const CRC_BYTES = 4;

export const META_NAME = 'meta.json';
export const INDEX_NAME = 'index';
export const CHUNKS_NAME = 'chunks';
export const TOMBSTONES_NAME = 'tombstones';

/** `000001` for segment 0: what refs count from 0, names count from 1. */
export function chunkSegmentName(segment: number): string {
  return String(segment + 1).padStart(6, '0');
}
