// The chunks of a block: segments of up to 512 MiB, chunk behind chunk.
//
//   segment   magic u32 │ version u8 │ 3 zeroes │ chunk │ chunk │ ...
//   chunk     length uvarint │ encoding u8 │ data, `length` bytes │ crc u32 of encoding and data
//
// A ref is segment × 2^32 + offset, and says nothing of the length. Chunks that lie close together, as those of a
// series and of its neighbours do, come with one read.

import type { Disk } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader } from '../bytes.js';
import { BlockFault, NOT_THERE } from './contract.js';
import type { BlockFile } from './file.js';
import { CRC_BYTES, chunkSegmentName } from './layout.js';
import { checkCrc } from './section.js';
import { CHUNK_LENGTH_BYTES_MAX, ENCODING_BYTES, openSegment } from './segment.js';

const SEGMENT_STEP = 2 ** 32;
/** Read for a chunk whose length is not known yet: the largest of 120 floats needs less. Longer ones cost a second read. */
const GUESS_BYTES = 2304;
/** Bytes between two chunks that are cheaper read than skipped: a call costs as much as 16 KiB of copying. */
const GAP_BYTES_MAX = 16 * 1024;
/** One read is no longer, but for its last chunk. */
const RUN_BYTES_MAX = 1024 * 1024;
const BUFFER_BYTES = 64 * 1024;
/** A larger buffer is let go with the next question. */
const BUFFER_BYTES_KEPT = 8 * 1024 * 1024;

/** Chunks that were read; number i is that of ref i in the question. Lent, until the next question. */
export interface ReadChunks {
  readonly bytes: Uint8Array;
  /** Where the data of a chunk begins in `bytes`: behind its encoding. */
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  readonly encodings: Uint8Array;
}

export class ChunkReader {
  readonly segmentCount: number;
  readonly sizeBytes: number;
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #crc: Crc32c;
  /** Opened when first needed. */
  readonly #segments: (BlockFile | undefined)[];
  #buffer = new Uint8Array(BUFFER_BYTES);
  #used = 0;

  private constructor(disk: Disk, folder: string, crc: Crc32c, sizes: readonly number[]) {
    this.#disk = disk;
    this.#folder = folder;
    this.#crc = crc;
    this.#segments = sizes.map(() => undefined);
    this.segmentCount = sizes.length;
    this.sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Looks which segments there are. Throws a BlockFault where one is missing among them, and DiskError. */
  static open(disk: Disk, folder: string, crc: Crc32c): ChunkReader {
    if (disk.stat(folder) === undefined) throw new BlockFault(folder, 'folder', NOT_THERE);
    const names = disk.list(folder).filter((name) => /^\d{6,}$/.test(name));
    const sizes = names.map((name, segment) => {
      if (name !== chunkSegmentName(segment)) {
        throw new BlockFault(folder, `segment ${chunkSegmentName(segment)}`, NOT_THERE);
      }
      return disk.stat(`${folder}/${name}`)?.size ?? 0;
    });
    return new ChunkReader(disk, folder, crc, sizes);
  }

  close(): void {
    for (const [i, segment] of this.#segments.entries()) {
      segment?.close();
      this.#segments[i] = undefined;
    }
  }

  /** Reads chunks, in any order. Each is checked, each time. Throws BlockFault and DiskError. */
  read(refs: ArrayLike<number>): ReadChunks {
    if (this.#buffer.length > BUFFER_BYTES_KEPT) this.#buffer = new Uint8Array(BUFFER_BYTES);
    this.#used = 0;
    const starts = new Uint32Array(refs.length);
    const lengths = new Uint32Array(refs.length);
    const encodings = new Uint8Array(refs.length);
    for (const run of planRuns(refs)) {
      const file = this.#segment(run.segment);
      const end = Math.min(run.end, file.size);
      const base = this.#load(file, run.from, end - run.from) - run.from;
      for (const i of run.chunks) {
        const offset = refs[i]! % SEGMENT_STEP;
        const chunk = this.#chunk(file, offset, base, end);
        starts[i] = chunk.start;
        lengths[i] = chunk.length;
        encodings[i] = this.#buffer[chunk.start - ENCODING_BYTES]!;
      }
    }
    return { bytes: this.#buffer, starts, lengths, encodings };
  }

  /** Bytes of a segment. Throws BlockFault and DiskError, as readInto() does. */
  segmentBytes(segment: number): number {
    return this.#segment(segment).size;
  }

  /** Fills `into` with a segment from `at` on, unchecked. */
  readInto(segment: number, into: Uint8Array, at: number): void {
    this.#segment(segment).readInto('chunks', into, at);
  }

  /** Where the data of the chunk at `offset` is in the buffer; the segment is there up to `end`, its byte 0 at `base`. */
  #chunk(file: BlockFile, offset: number, base: number, end: number): { start: number; length: number } {
    const head = new ByteReader(
      this.#buffer.subarray(base + offset, base + Math.min(end, offset + CHUNK_LENGTH_BYTES_MAX)),
    );
    const length = file.parse('chunk', offset, () => head.uvarint());
    const behind = offset + head.at + ENCODING_BYTES + length + CRC_BYTES;
    if (behind > file.size) throw file.fault('chunk', offset, `its length ${length} reaches beyond the file's end`);
    let start = base + offset + head.at + ENCODING_BYTES;
    // Longer than guessed: once more, now that its length is known.
    if (behind > end) start = this.#load(file, offset, behind - offset) + head.at + ENCODING_BYTES;
    const checked = this.#buffer.subarray(start - ENCODING_BYTES, start + length);
    checkCrc(file, 'chunk', offset, this.#crc.of(checked), this.#buffer, start + length);
    return { start, length };
  }

  /** Reads `length` bytes of a segment behind what is in the buffer; gives where they are. */
  #load(file: BlockFile, from: number, length: number): number {
    const at = this.#used;
    if (length <= 0) throw file.fault('chunk', from, 'beyond the end of the file');
    if (at + length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(this.#buffer.length * 2, at + length));
      grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
    }
    file.readInto('chunks', this.#buffer.subarray(at, at + length), from);
    this.#used = at + length;
    return at;
  }

  #segment(segment: number): BlockFile {
    if (segment >= this.#segments.length) {
      throw new BlockFault(this.#folder, `segment ${chunkSegmentName(segment)}`, NOT_THERE);
    }
    return (this.#segments[segment] ??= openSegment(this.#disk, `${this.#folder}/${chunkSegmentName(segment)}`));
  }
}

/** Chunks of one segment that come with one read. */
interface Run {
  readonly segment: number;
  readonly from: number;
  /** Behind the last chunk, as far as one can guess. */
  end: number;
  /** Numbers of their refs, in the order of the segment. */
  readonly chunks: number[];
}

/** Which chunks to read together. */
function planRuns(refs: ArrayLike<number>): Run[] {
  const runs: Run[] = [];
  let run: Run | undefined;
  for (const i of inOrder(refs)) {
    const segment = Math.floor(refs[i]! / SEGMENT_STEP);
    const offset = refs[i]! % SEGMENT_STEP;
    if (run?.segment === segment && offset <= run.end + GAP_BYTES_MAX && offset - run.from <= RUN_BYTES_MAX) {
      run.end = offset + GUESS_BYTES;
      run.chunks.push(i);
    } else {
      run = { segment, from: offset, end: offset + GUESS_BYTES, chunks: [i] };
      runs.push(run);
    }
  }
  return runs;
}

/** Numbers of the refs, in rising order of these: mostly they rise already. */
function inOrder(refs: ArrayLike<number>): number[] {
  const order: number[] = [];
  let sorted = true;
  for (let i = 0; i < refs.length; i++) {
    order.push(i);
    if (i > 0 && refs[i]! < refs[i - 1]!) sorted = false;
  }
  return sorted ? order : order.sort((a, b) => refs[a]! - refs[b]!);
}
