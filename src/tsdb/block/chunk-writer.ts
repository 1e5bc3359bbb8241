// The chunks of a block: segments of up to 512 MiB in `chunks/`, named 000001, 000002, …
//
//   0       4       5          8
//   ┌───────┬───────┬──────────┬─────────┬──────────┬────────────────┬───────┬── ─ ─
//   │ magic │ version│ 3 zeroes │ length  │ encoding │ `length` bytes │ crc   │ next chunk
//   │ u32   │ 1     │          │ uvarint │ u8       │                │ u32   │
//   └───────┴───────┴──────────┴─────────┴──────────┴────────────────┴───────┴── ─ ─
//
// The checksum covers encoding and bytes. docs/formats/block.md.

import type { Disk } from '../../base/disk.js';
import type { Core } from '../../wasm/core.js';
import { ByteWriter } from '../bytes.js';
import type { ChunkRef, StreamedChunk } from './contract.js';
import { FileSink } from './file-sink.js';
import {
  CHUNKS_HEADER_BYTES,
  CHUNKS_MAGIC,
  CHUNKS_SEGMENT_BYTES_MAX,
  CHUNKS_VERSION,
  chunkSegmentName,
} from './layout.js';

/** Length, encoding and checksum around the bytes of a chunk, at the most. */
const FRAME_BYTES_MAX = 5 + 1 + 4;

export class ChunkWriter {
  readonly #disk: Disk;
  readonly #core: Core;
  readonly #folder: string;
  readonly #segmentBytes: number;
  readonly #length = new ByteWriter(16);
  #segment = -1;
  #sink: FileSink | undefined;

  /** `folder` is there and empty. */
  constructor(disk: Disk, core: Core, folder: string, segmentBytes = CHUNKS_SEGMENT_BYTES_MAX) {
    this.#disk = disk;
    this.#core = core;
    this.#folder = folder;
    this.#segmentBytes = segmentBytes;
  }

  /** Appends a chunk; copies. Throws a DiskError. */
  add(chunk: StreamedChunk): ChunkRef {
    const sink = this.#sinkFor(FRAME_BYTES_MAX + chunk.data.length);
    const offset = sink.length;
    this.#length.clear();
    this.#length.uvarint(chunk.data.length);
    sink.bytes(this.#length.finish());
    sink.beginChecksum();
    sink.u8(chunk.encoding);
    sink.bytes(chunk.data);
    sink.checksum();
    return (this.#segment * 2 ** 32 + offset) as ChunkRef;
  }

  /** All is durable, names included. */
  finish(): void {
    this.#sink?.finish();
    this.#sink = undefined;
    this.#disk.syncFolder(this.#folder);
  }

  close(): void {
    this.#sink?.close();
    this.#sink = undefined;
  }

  /** A segment with room for `count` bytes; a new one has room for any. */
  #sinkFor(count: number): FileSink {
    const current = this.#sink;
    if (current !== undefined && current.length + count <= this.#segmentBytes) return current;
    current?.finish();
    this.#sink = undefined;
    this.#segment++;
    const sink = new FileSink(this.#disk, this.#core, `${this.#folder}/${chunkSegmentName(this.#segment)}`);
    sink.u32(CHUNKS_MAGIC);
    sink.u8(CHUNKS_VERSION);
    sink.pad(CHUNKS_HEADER_BYTES);
    this.#sink = sink;
    return sink;
  }
}
