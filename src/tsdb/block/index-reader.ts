// The index of a block: which series there are, their labels, where their chunks are.
//
//   magic, version │ symbols │ series │ label indices │ postings │ tables of offsets │ table of contents
//
// Most of it stays on the disk: in memory are a sample of the symbols and of the table of postings, and a few pages.
// What nobody has read for long (label indices and their table) is not looked at. Bytes: docs/formats/block.md.
//
// Everything that is read is checked against its checksum and its limits, each time.

import type { Disk } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader } from '../bytes.js';
import type { SeriesRef } from './contract.js';
import { BlockFile } from './file.js';
import type { IndexSummary } from './index-summary.js';
import { CRC_BYTES, SERIES_ALIGN } from './layout.js';
import { countPostings, readPostings } from './postings.js';
import { PostingsTable, type ValueEntry } from './postings-table.js';
import { checkCrc } from './section.js';
import { SeriesEntry } from './series-entry.js';
import { Symbols } from './symbols.js';
import { readToc, type Toc } from './toc.js';

/** A uvarint that a series of any sense needs for its length. */
const LENGTH_BYTES_MAX = 5;
/** More is no series: some 10,000 labels and a million chunks. */
const SERIES_BYTES_MAX = 32 * 1024 * 1024;

const toUtf8 = new TextEncoder();
const NOTHING = new Uint32Array(0);

export class IndexReader {
  /** Where its sections are. */
  readonly toc: Toc;
  readonly symbols: Symbols;
  readonly #file: BlockFile;
  readonly #crc: Crc32c;
  readonly #table: PostingsTable;

  private constructor(file: BlockFile, crc: Crc32c, summary?: IndexSummary) {
    this.#file = file;
    this.#crc = crc;
    this.toc = readToc(file, crc);
    const known = summary?.sizeBytes === file.size && summary.checksum === this.toc.checksum ? summary : undefined;
    this.symbols = Symbols.open(file, this.toc.symbols, crc, known?.symbols);
    this.#table = PostingsTable.open(file, this.toc.postingsTable, crc, known?.names);
  }

  /** Reads the symbols and the table of postings once, but for what a summary tells. Throws BlockFault and DiskError. */
  static open(disk: Disk, path: string, crc: Crc32c, summary?: IndexSummary): IndexReader {
    const file = BlockFile.open(disk, path);
    try {
      return new IndexReader(file, crc, summary);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  close(): void {
    this.#file.close();
  }

  /** Fills `into` with the file from `at` on, unchecked. Throws BlockFault and DiskError. */
  readInto(into: Uint8Array, at: number): void {
    this.#file.readInto('series', into, at);
  }

  /** For others that read the same index: see shareSummary(). */
  summary(): IndexSummary {
    return {
      sizeBytes: this.#file.size,
      checksum: this.toc.checksum,
      symbols: this.symbols.samples,
      names: this.#table.samples,
    };
  }

  get path(): string {
    return this.#file.path;
  }

  get sizeBytes(): number {
    return this.#file.size;
  }

  /** Names of labels, in byte order. */
  names(): string[] {
    return this.#table.names();
  }

  valueCount(name: string): number {
    return this.#table.valueCount(name);
  }

  /** Values of a label, in byte order, each with the place of its postings. */
  values(name: string): Generator<ValueEntry, void, void> {
    return this.#table.values(name);
  }

  /** Where the postings of a pair are; undefined where no series has it. */
  findPostings(name: string, value: string): number | undefined {
    return this.#table.find(name, toUtf8.encode(value));
  }

  /** The list at a place that values() or findPostings() gave. */
  postingsAt(offset: number): Uint32Array {
    return readPostings(this.#file, offset, this.#crc);
  }

  /** How many series the list at a place has. */
  countAt(offset: number): number {
    return countPostings(this.#file, offset);
  }

  /** Refs of the series that have a label of this value, rising. */
  postings(name: string, value: string): Uint32Array {
    const offset = this.findPostings(name, value);
    return offset === undefined ? NOTHING : this.postingsAt(offset);
  }

  /** Refs of all series, rising, which is the order of their labels. */
  allSeries(): Uint32Array {
    return this.postings('', '');
  }

  /** Reads a series into `into`. Throws a BlockFault where none begins at the ref. */
  series(ref: SeriesRef | number, into = new SeriesEntry()): SeriesEntry {
    const at = ref * SERIES_ALIGN;
    const file = this.#file;
    if (!(at >= this.toc.series)) throw file.fault('series', at, 'before the first');
    const head = new ByteReader(file.peek('series', at, LENGTH_BYTES_MAX));
    return file.parse('series', at, () => {
      const length = head.uvarint();
      if (length > SERIES_BYTES_MAX) throw file.fault('series', at, `a length of ${length} bytes`);
      const bytes = file.read('series', at + head.at, length + CRC_BYTES);
      const content = bytes.subarray(0, length);
      checkCrc(file, 'series', at, this.#crc.of(content), bytes, length);
      into.decode(new ByteReader(content), this.symbols.count);
      return into;
    });
  }

  /** The labels of an entry as text: name, value, … */
  labelsOf(entry: SeriesEntry): string[] {
    return Array.from(entry.labels, (symbol) => this.symbols.string(symbol));
  }
}
