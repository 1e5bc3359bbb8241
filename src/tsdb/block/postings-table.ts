// The postings offset table: for each label pair, in order of names and values, where its list of series is.
//
//   ┌─────────┬───────────┬────────────────────────────────────────────────────┬─────┬─────────┐
//   │ len u32 │ count u32 │ 2 u8, name string, value string, offset uvarint    │ ... │ crc u32 │
//   └─────────┴───────────┴────────────────────────────────────────────────────┴─────┴─────────┘
//     the first pair is two empty strings: the list of all series
//
// In memory are, for each name, every 32nd value and where its entry begins. A lookup reads up to 32 entries.

import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader, compareBytes } from '../bytes.js';
import type { BlockFile } from './file.js';
import { findSection, type Section, scanSection } from './section.js';

/** Values between two that are remembered. */
const VALUE_STRIDE = 32;
const COUNT_BYTES = 4;
/** What an entry begins with: it holds two strings. */
const STRINGS = 2;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** What is in memory of the entries of a name. */
export interface NameSamples {
  readonly name: string;
  /** Entries that there are. */
  readonly count: number;
  /** Where entry 0, 32, 64, … begin in the content, and where the last one ends. */
  readonly samples: Uint32Array;
  /** The values of the same entries: value i ends at ends[i]. */
  readonly values: Uint8Array;
  readonly ends: Uint32Array;
}

/** A value of a label with the place of its list. The value is lent. */
export interface ValueEntry {
  readonly value: Uint8Array;
  /** Of the list's section, in the index. */
  readonly offset: number;
}

export class PostingsTable {
  readonly #file: BlockFile;
  readonly #section: Section | undefined;
  /** In the order of the table; the empty name is among them. */
  readonly #names: ReadonlyMap<string, NameSamples>;

  private constructor(file: BlockFile, section: Section | undefined, names: readonly NameSamples[]) {
    this.#file = file;
    this.#section = section;
    this.#names = new Map(names.map((one) => [one.name, one]));
  }

  /**
   * Without samples reads the section once, for its checksum and for them; their order is looked at. An offset of 0 is an
   * empty table.
   */
  static open(file: BlockFile, at: number, crc: Crc32c, samples?: readonly NameSamples[]): PostingsTable {
    if (at === 0) return new PostingsTable(file, undefined, []);
    const section = findSection(file, 'postings table', at);
    return new PostingsTable(file, section, samples ?? PostingsTable.#sample(file, section, crc));
  }

  static #sample(file: BlockFile, section: Section, crc: Crc32c): readonly NameSamples[] {
    const count = new ByteReader(file.read('postings table', section.start, COUNT_BYTES)).u32();
    const sampler = new Sampler(file, section);
    scanSection(file, section, crc, { skip: COUNT_BYTES, count }, (reader, offset) => sampler.entry(reader, offset));
    return sampler.finish();
  }

  get samples(): readonly NameSamples[] {
    return [...this.#names.values()];
  }

  /** Names of labels, in byte order. */
  names(): string[] {
    return [...this.#names.keys()].filter((name) => name !== '');
  }

  /** How many values a name has. */
  valueCount(name: string): number {
    return this.#names.get(name)?.count ?? 0;
  }

  /** Where the list of a pair is. */
  find(name: string, value: Uint8Array): number | undefined {
    const entries = this.#names.get(name);
    if (entries === undefined) return undefined;
    let low = 0;
    let high = entries.ends.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const sampled = entries.values.subarray(entries.ends[middle - 1], entries.ends[middle]);
      if (compareBytes(sampled, value) <= 0) low = middle;
      else high = middle - 1;
    }
    for (const entry of this.#group(entries, low)) {
      const order = compareBytes(entry.value, value);
      if (order === 0) return entry.offset;
      if (order > 0) return undefined;
    }
    return undefined;
  }

  /** All values of a name with their lists, in byte order. */
  *values(name: string): Generator<ValueEntry, void, void> {
    const entries = this.#names.get(name);
    if (entries === undefined) return;
    for (let group = 0; group < entries.ends.length; group++) yield* this.#group(entries, group);
  }

  #group(entries: NameSamples, group: number): ValueEntry[] {
    const section = this.#section!;
    const from = entries.samples[group]!;
    const at = section.start + from;
    const reader = new ByteReader(this.#file.read('postings table', at, entries.samples[group + 1]! - from));
    const count = Math.min(VALUE_STRIDE, entries.count - group * VALUE_STRIDE);
    return this.#file.parse('postings table', at, () => {
      const found: ValueEntry[] = [];
      for (let i = 0; i < count; i++) {
        reader.skip(1);
        reader.skipString();
        found.push({ value: reader.bytes(reader.uvarint()), offset: reader.uvarint() });
      }
      return found;
    });
  }
}

/** Takes the samples while the table is read for the first time. */
class Sampler {
  readonly #file: BlockFile;
  readonly #section: Section;
  readonly #names = new Map<string, NameSamples>();
  #name: Uint8Array | undefined;
  #count = 0;
  #samples: number[] = [];
  #values: Uint8Array[] = [];

  constructor(file: BlockFile, section: Section) {
    this.#file = file;
    this.#section = section;
  }

  entry(reader: ByteReader, at: number): void {
    const strings = reader.u8();
    if (strings !== STRINGS) throw this.#fault(at, `an entry of ${strings} strings`);
    const nameBytes = reader.uvarint();
    const isSame = nameBytes === this.#name?.length && reader.takes(this.#name);
    const name = isSame ? this.#name! : reader.bytes(nameBytes);
    const isSampled = !isSame || this.#count % VALUE_STRIDE === 0;
    const value = isSampled ? reader.bytes(reader.uvarint()) : undefined;
    if (value === undefined) reader.skipString();
    // Where the list is: looked at when it is read.
    reader.uvarint();

    if (!isSame) this.#begin(name, at);
    if (value !== undefined) this.#sample(value, at);
    this.#count++;
  }

  finish(): readonly NameSamples[] {
    this.#end(this.#section.end - this.#section.start);
    return [...this.#names.values()];
  }

  #begin(name: Uint8Array, at: number): void {
    if (this.#name !== undefined && compareBytes(this.#name, name) > 0) throw this.#fault(at, 'names out of order');
    this.#end(at);
    this.#name = name;
    this.#count = 0;
    this.#samples = [];
    this.#values = [];
  }

  #sample(value: Uint8Array, at: number): void {
    const before = this.#values.at(-1);
    if (before !== undefined && compareBytes(before, value) >= 0) throw this.#fault(at, 'values out of order');
    this.#samples.push(at);
    this.#values.push(value);
  }

  #end(at: number): void {
    if (this.#name === undefined) return;
    const name = utf8.decode(this.#name);
    if (this.#names.has(name)) throw this.#fault(at, 'two names that are not UTF-8');
    this.#names.set(name, {
      name,
      count: this.#count,
      samples: Uint32Array.from([...this.#samples, at]),
      ...joined(this.#values),
    });
  }

  #fault(at: number, reason: string) {
    return this.#file.fault('postings table', this.#section.start + at, reason);
  }
}

/** Strings one behind the other. */
function joined(strings: readonly Uint8Array[]): { values: Uint8Array; ends: Uint32Array } {
  const ends = new Uint32Array(strings.length);
  let end = 0;
  for (const [i, text] of strings.entries()) ends[i] = end += text.length;
  const values = new Uint8Array(end);
  for (const [i, text] of strings.entries()) values.set(text, ends[i]! - text.length);
  return { values, ends };
}
