// Reads segments in order and hands out whole records.
//
// Segments come into linear memory in large pieces, checksums are computed
// there, and a record of one uncompressed fragment is handed out where it lies,
// so that kernels can decode it in place. Longer or compressed ones are put
// together in a second buffer, also in linear memory.
//
// Damage costs the page it is in, and the record that crosses into or out of
// it: reading goes on at the next page that begins a record.
//
//   page 7                   page 8                   page 9
//   │ Full │ Full │ First    ✗ Middle                 Last │ Full │ Full │
//     ok     ok     └──────────── one loss ──────────────┘    ok     ok
//
// Page starts are the only places to go on from: any other guess could take
// bytes inside a label value for a fragment that somebody forged.

import { type Disk, DiskError, type FileHandle } from '../../base/disk.js';
import { SnappyError, snappyDecode, snappyHeader } from '../../base/snappy.js';
import { zstdDecode } from '../../base/zstd.js';
import { CoreBuffer } from '../../wasm/buffer.js';
import { Copier } from '../../wasm/copier.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { FRAGMENT_HEADER_BYTES, Fragment, KIND_MASK, PAGE_BYTES, pageEnd, SNAPPY_FLAG, ZSTD_FLAG } from './page.js';
import { listSegments, segmentPath } from './segments.js';

/** Bytes read at a time: large enough that the calls do not count, small beside the caches of the machine. */
const PIECE_BYTES = 32 * PAGE_BYTES;

/** No record may decode to more than this: a bound for compressed ones from anywhere. */
export const RECORD_BYTES_MAX = 256 * 1024 * 1024;

/** The first four bytes of a Zstandard frame: told apart from a flipped flag. */
const ZSTD_MAGIC = 0xfd2fb528;

/** A record as the visitor sees it: lends, until the visitor returns. One object serves all records. */
export interface LogRecord {
  /** The record's first byte (see RecordType); 255 for an empty record. */
  readonly type: number;
  /** Where the record lies in the core's linear memory, its type byte included. */
  readonly address: number;
  readonly length: number;
  /** The same bytes as a view. */
  readonly bytes: Uint8Array;
  readonly segment: number;
  /** Where the record's first fragment begins in its segment. */
  readonly offset: number;
}

export type DamageReason =
  | 'segment missing'
  | 'segment shortened'
  | 'read error'
  | 'checksum'
  | 'fragment kind'
  | 'fragment length'
  | 'fragment cut off'
  | 'bytes after the end of a page'
  | 'fragment without its record'
  | 'record without its end'
  | 'compression'
  | 'record too large'
  | 'core memory exhausted';

/** Bytes of the log that hold no readable record. */
export interface LogDamage {
  readonly folder: string;
  readonly segment: number;
  readonly offset: number;
  /** Up to where reading went on, or the end of the segment. */
  readonly bytes: number;
  readonly reason: DamageReason;
  /** It is the end of the last segment: a write that a crash cut short, of which nobody was told that it is there. */
  readonly torn: boolean;
}

export interface LogVisitor {
  /** Before the first record of a log that is opened. */
  begin?(known: LogOutset): void;
  /** Of a log that is opened: what comes now is from the checkpoint, or from the segments behind it. */
  source?(isCheckpoint: boolean): void;
  record(record: LogRecord): void;
  damage?(damage: LogDamage): void;
  /** A segment was read to its end. */
  segment?(segment: number, bytes: number): void;
}

/** What is known of a log before it is read. */
export interface LogOutset {
  /** Another server wrote it last, as far as the manifest tells. */
  readonly isForeign: boolean;
  /** A file is not there, or shorter than it was. */
  readonly isShort: boolean;
  /** The last segment that the checkpoint replaces; -1 without one. */
  readonly checkpoint: number;
}

export interface ReadOptions {
  readonly disk: Disk;
  readonly folder: string;
  /** The instance whose memory the records are handed out in. */
  readonly core: Core;
  /** First and last segment to read; all by default. One given as the first is expected to be there. */
  readonly from?: number;
  readonly to?: number;
  /** Whether the last segment is still the log's end, so that a broken tail is normal. Default true. */
  readonly tornTail?: boolean;
  /** Bytes of segments that are known to have been on the disk: what is lost of them is damage even at the end. */
  readonly synced?: ReadonlyMap<number, number>;
}

export interface ReadSummary {
  readonly segments: number;
  readonly records: number;
  readonly bytes: number;
  readonly damages: readonly LogDamage[];
  /** For each segment read, the offset behind its last whole record. */
  readonly ends: ReadonlyMap<number, number>;
}

/**
 * Reads all segments of a folder, oldest first.
 *
 * Throws what the visitor throws, and a DiskError where it cannot list the folder;
 * all else that is wrong with the log is damage, which it reports.
 */
export function readSegments(options: ReadOptions, visitor: LogVisitor): ReadSummary {
  return drain(readingSegments(options, visitor));
}

/** The same in steps of about a MiB, for a thread that has other work in between. Run it to its end or return() it. */
export function readingSegments(options: ReadOptions, visitor: LogVisitor): Generator<void, ReadSummary, void> {
  return new SegmentsReader(options, visitor).run();
}

/** Runs a stepwise task to its end. */
export function drain<T>(task: Generator<void, T, void>): T {
  for (;;) {
    const step = task.next();
    if (step.done) return step.value;
  }
}

class SegmentsReader {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #core: Core;
  readonly #crc: Crc32c;
  readonly #options: ReadOptions;
  readonly #visitor: LogVisitor;
  readonly #record: CurrentRecord;
  readonly #assembly: Assembly;
  readonly #piece: number;

  #segment = 0;
  #records = 0;
  #bytes = 0;
  /** Behind the last whole record of the segment. */
  #end = 0;
  /** Behind the last byte of the segment that is not one of the zeroes at its end, or a page that is not sound. */
  #content = 0;
  readonly #ends = new Map<number, number>();
  readonly #damages: LogDamage[] = [];

  /** The loss being looked at: where it began and why. */
  #lossAt = -1;
  #lossReason: DamageReason = 'checksum';
  /** The newest finished loss, kept back until it is known whether anything follows it. */
  #last: LogDamage | undefined;

  constructor(options: ReadOptions, visitor: LogVisitor) {
    this.#options = options;
    this.#disk = options.disk;
    this.#folder = options.folder;
    this.#core = options.core;
    this.#crc = new Crc32c(options.core);
    this.#visitor = visitor;
    this.#record = new CurrentRecord(options.core);
    this.#assembly = new Assembly(options.core);
    this.#piece = options.core.exports.heap_alloc(PIECE_BYTES) >>> 0;
    if (this.#piece === 0) throw new RangeError('no memory left in the core to read the log');
  }

  *run(): Generator<void, ReadSummary, void> {
    try {
      const { from = 0, to = Number.POSITIVE_INFINITY } = this.#options;
      const segments = listSegments(this.#disk, this.#folder).filter((segment) => segment >= from && segment <= to);
      let expected = from > 0 && segments.length > 0 ? from : (segments[0] ?? 0);
      for (const segment of segments) {
        for (; expected < segment; expected++) this.#lose(expected, 0, 0, 'segment missing');
        yield* this.#readSegment(segment);
        expected = segment + 1;
      }
      this.#publish(this.#options.tornTail ?? true);
      return {
        segments: segments.length,
        records: this.#records,
        bytes: this.#bytes,
        damages: this.#damages,
        ends: this.#ends,
      };
    } finally {
      this.#assembly.release();
      this.#core.exports.heap_free(this.#piece, PIECE_BYTES);
    }
  }

  *#readSegment(segment: number): Generator<void, void, void> {
    this.#segment = segment;
    this.#end = 0;
    this.#content = 0;
    let size = 0;
    try {
      const file = this.#disk.open(segmentPath(this.#folder, segment), 'read');
      try {
        size = this.#disk.size(file);
        for (let offset = 0; offset < size; offset += PIECE_BYTES) {
          this.#readPiece(file, offset, size);
          yield;
        }
      } finally {
        this.#disk.close(file);
      }
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#spoilPage(this.#end, 'read error');
      this.#content = size;
    }
    if (this.#assembly.pending) this.#spoil(this.#assembly.offset, 'record without its end');
    this.#endLoss(Math.min(size, this.#content));
    this.#missEnd(segment);
    this.#ends.set(segment, this.#end);
    this.#bytes += size;
    this.#visitor.segment?.(segment, size);
  }

  /** Its end was on the disk and is not there any more. */
  #missEnd(segment: number): void {
    const synced = this.#options.synced?.get(segment) ?? 0;
    const lost = this.#last?.segment === segment ? this.#last.offset + this.#last.bytes : 0;
    if (Math.max(this.#end, lost) < synced) this.#lose(segment, this.#end, synced - this.#end, 'segment shortened');
  }

  #readPiece(file: FileHandle, offset: number, size: number): void {
    const bytes = Math.min(PIECE_BYTES, size - offset);
    const whole = this.#read(file, offset, bytes);
    for (let page = 0; page < bytes; page += PAGE_BYTES) {
      // A bad spot of the disk costs the pages it is in, not the whole piece.
      if (!whole && !this.#read(file, offset + page, Math.min(PAGE_BYTES, bytes - page))) {
        this.#spoilPage(offset + page, 'read error');
        this.#content = offset + page + PAGE_BYTES;
        continue;
      }
      this.#readPage(this.#piece + (whole ? page : 0), offset + page, size);
    }
  }

  /** Fills the piece from its start, and with zeroes to the end of a page that the file cuts short; tries twice. */
  #read(file: FileHandle, offset: number, bytes: number): boolean {
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        const got = this.#disk.pread(file, this.#core.u8(this.#piece, bytes), offset);
        this.#core.u8(this.#piece, pageEnd(bytes)).fill(0, got);
        return true;
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
      }
    }
    return false;
  }

  /** One page at `address`, which begins at `offset` of a segment of `size` bytes. */
  #readPage(address: number, offset: number, size: number): void {
    const view = this.#core.view;
    let at = 0;
    while (at < PAGE_BYTES && view.getUint8(address + at) !== 0) {
      const problem = this.#checkFragment(address, at, size - offset);
      if (problem !== undefined) {
        this.#spoilPage(offset + at, problem);
        this.#content = offset + PAGE_BYTES;
        return;
      }
      const flags = view.getUint8(address + at);
      const length = view.getUint16(address + at + 1);
      this.#takeFragment(flags, address + at + FRAGMENT_HEADER_BYTES, length, offset + at);
      at += FRAGMENT_HEADER_BYTES + length;
    }
    if (at > 0) this.#content = offset + at;
    const left = PAGE_BYTES - at;
    if (this.#crc.zeroPrefix(address + at, left) < left) {
      this.#spoilPage(offset + at, 'bytes after the end of a page');
      this.#content = offset + PAGE_BYTES;
    } else if (left > 0 && this.#assembly.pending) {
      // A record goes on at the very start of the next page, so nothing can be empty before its end.
      this.#spoilPage(offset + at, 'record without its end');
    }
  }

  /** What is wrong with the fragment at `at` of the page, of which the file has `have` bytes. */
  #checkFragment(address: number, at: number, have: number): DamageReason | undefined {
    const view = this.#core.view;
    const payload = at + FRAGMENT_HEADER_BYTES;
    if (payload > PAGE_BYTES) return 'fragment cut off';
    const flags = view.getUint8(address + at);
    const kind = flags & KIND_MASK;
    if (kind === Fragment.None || kind > Fragment.Last || flags > (ZSTD_FLAG | KIND_MASK)) return 'fragment kind';
    const length = view.getUint16(address + at + 1);
    if (payload + length > PAGE_BYTES) return 'fragment length';
    if (payload + length > have) return 'fragment cut off';
    const expected = view.getUint32(address + at + 3);
    if (this.#crc.at(address + payload, length) !== expected) return 'checksum';
    return this.#fits(kind, at, payload + length) ? undefined : 'fragment kind';
  }

  /**
   * Whether a fragment of that kind can be at that place. The checksum does not cover the kind, so a flipped bit
   * in it shows only here: a record that goes on fills its page, and is gone on with at the start of the next.
   */
  #fits(kind: Fragment, from: number, to: number): boolean {
    switch (kind) {
      case Fragment.Full:
        return !this.#assembly.pending;
      case Fragment.First:
        return !this.#assembly.pending && to === PAGE_BYTES;
      case Fragment.Middle:
        return from === 0 && to === PAGE_BYTES;
      default:
        return from === 0;
    }
  }

  /** A sound fragment, whose header is at `offset` of the segment. */
  #takeFragment(flags: number, address: number, length: number, offset: number): void {
    const assembly = this.#assembly;
    const kind: Fragment = flags & KIND_MASK;
    const compression = flags & (SNAPPY_FLAG | ZSTD_FLAG);
    const end = offset + FRAGMENT_HEADER_BYTES + length;
    if (kind === Fragment.Full || kind === Fragment.First) {
      // The first sound fragment that begins a record ends what was lost before it.
      this.#endLoss(offset);
      assembly.begin(offset, compression);
      if (kind === Fragment.Full && compression === 0) {
        this.#emit(address, length, end);
        return;
      }
    } else if (!assembly.pending) {
      this.#spoil(offset, 'fragment without its record');
      return;
    }
    const problem =
      assembly.compression === compression ? this.#assemble(kind, address, length) : 'fragment without its record';
    if (problem !== undefined) {
      this.#spoil(assembly.offset, problem);
      return;
    }
    if (kind === Fragment.Full || kind === Fragment.Last) this.#emit(assembly.address, assembly.length, end);
  }

  #assemble(kind: Fragment, address: number, length: number): DamageReason | undefined {
    const problem = this.#assembly.add(address, length);
    if (problem !== undefined || kind === Fragment.First || kind === Fragment.Middle) return problem;
    return this.#assembly.finish();
  }

  #emit(address: number, length: number, end: number): void {
    this.#publish(false);
    this.#records++;
    this.#end = end;
    this.#record.set(address, length, this.#segment, this.#assembly.offset);
    this.#assembly.drop();
    this.#visitor.record(this.#record);
  }

  /** The rest of this page says nothing any more. */
  #spoilPage(offset: number, reason: DamageReason): void {
    this.#spoil(this.#assembly.pending ? this.#assembly.offset : offset, reason);
  }

  /** What is read from `offset` on is lost until endLoss(). The first reason of several stands. */
  #spoil(offset: number, reason: DamageReason): void {
    this.#assembly.drop();
    if (this.#lossAt >= 0) return;
    this.#lossAt = offset;
    this.#lossReason = reason;
  }

  #endLoss(offset: number): void {
    if (this.#lossAt < 0) return;
    this.#lose(this.#segment, this.#lossAt, Math.max(0, offset - this.#lossAt), this.#lossReason);
    this.#lossAt = -1;
  }

  #lose(segment: number, offset: number, bytes: number, reason: DamageReason): void {
    this.#publish(false);
    this.#last = { folder: this.#folder, segment, offset, bytes, reason, torn: false };
  }

  #publish(torn: boolean): void {
    if (this.#last === undefined) return;
    const wasSynced = this.#options.synced?.get(this.#last.segment) ?? 0;
    const damage = { ...this.#last, torn: torn && this.#last.offset >= wasSynced };
    this.#last = undefined;
    this.#damages.push(damage);
    this.#visitor.damage?.(damage);
  }
}

/** The one record object that visitors see. */
class CurrentRecord implements LogRecord {
  address = 0;
  length = 0;
  segment = 0;
  offset = 0;
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  set(address: number, length: number, segment: number, offset: number): void {
    this.address = address;
    this.length = length;
    this.segment = segment;
    this.offset = offset;
  }

  get type(): number {
    return this.length === 0 ? 255 : this.#core.bytes[this.address]!;
  }

  get bytes(): Uint8Array {
    return this.#core.u8(this.address, this.length);
  }
}

/** A record of several fragments, or a compressed one, put together in linear memory. */
class Assembly {
  readonly #core: Core;
  readonly #copier: Copier;
  readonly #raw: CoreBuffer;
  readonly #decoded: CoreBuffer;
  #rawLength = 0;

  pending = false;
  /** The compression flag of its fragments, 0 for none. */
  compression = 0;
  /** Where the record's first fragment begins in its segment. */
  offset = 0;
  /** After finish(): where the whole record lies. */
  address = 0;
  length = 0;

  constructor(core: Core) {
    this.#core = core;
    this.#copier = new Copier(core);
    this.#raw = new CoreBuffer(core);
    this.#decoded = new CoreBuffer(core);
  }

  begin(offset: number, compression: number): void {
    this.pending = true;
    this.offset = offset;
    this.compression = compression;
    this.#rawLength = 0;
  }

  drop(): void {
    this.pending = false;
  }

  add(address: number, length: number): DamageReason | undefined {
    if (this.#rawLength + length > RECORD_BYTES_MAX) return 'record too large';
    if (!this.#raw.reserve(this.#rawLength + length, this.#rawLength)) return 'core memory exhausted';
    this.#copier.move(address, this.#raw.address + this.#rawLength, length);
    this.#rawLength += length;
    return undefined;
  }

  finish(): DamageReason | undefined {
    if (this.compression === 0 || this.#rawLength === 0) {
      this.address = this.#raw.address;
      this.length = this.#rawLength;
      return undefined;
    }
    const raw = this.#core.u8(this.#raw.address, this.#rawLength);
    return this.compression & SNAPPY_FLAG ? this.#unsnappy(raw) : this.#unzstd(raw);
  }

  release(): void {
    this.#raw.release();
    this.#decoded.release();
  }

  #unsnappy(raw: Uint8Array): DamageReason | undefined {
    try {
      const { length } = snappyHeader(raw);
      if (length > RECORD_BYTES_MAX) return 'record too large';
      if (!this.#decoded.reserve(length, 0)) return 'core memory exhausted';
      this.length = snappyDecode(raw, this.#core.u8(this.#decoded.address, length));
      this.address = this.#decoded.address;
      return undefined;
    } catch (error) {
      if (error instanceof SnappyError) return 'compression';
      throw error;
    }
  }

  #unzstd(raw: Uint8Array): DamageReason | undefined {
    if (raw.length < 4 || new DataView(raw.buffer, raw.byteOffset, raw.length).getUint32(0, true) !== ZSTD_MAGIC)
      return 'compression';
    const decoded = zstdDecode(raw.slice(), RECORD_BYTES_MAX);
    if (decoded === undefined) return 'compression';
    if (!this.#decoded.reserve(decoded.length, 0)) return 'core memory exhausted';
    this.#core.bytes.set(decoded, this.#decoded.address);
    this.address = this.#decoded.address;
    this.length = decoded.length;
    return undefined;
  }
}
