// Remote write 2.0 (io.prometheus.write.v2.Request), written anew as a request of version 1.0: what the core reads, with its
// line cache, its limits and its words. Strings stand once in a table there, and everything else names them by number.
//
//   Request      4 symbols string … │ 5 TimeSeries …
//   TimeSeries   1 label refs, packed │ 2 Sample … │ 3 Histogram … │ 4 Exemplar … │ 5 Metadata │ 6 start time, ms
//   Sample       1 value, double │ 2 time, ms │ 3 start time, ms
//   Exemplar     1 label refs, packed │ 2 value, double │ 3 time, ms
//   Metadata     1 type │ 3 help ref │ 4 unit ref
//
// Samples and histograms have the same bytes in both versions. Metadata of a series becomes that of its family. Start times
// stood in the series first, and stand in samples and histograms since 2.0-rc.4: either is taken. That of a float becomes a Sample in front
// of it that has a field of our own, that of a histogram the latter's.

import { BYTES, DOUBLE, MessageWriter, TooLong, VARINT, varintBytes } from '../base/message-writer.js';
import { familyOf } from '../model/family.js';
import { METRIC_TYPES } from '../tsdb/wal/record.js';
import { Fields, WireError } from './wire.js';

export interface Rewritten {
  /** A prometheus.WriteRequest. */
  readonly body: Uint8Array;
  /** Why series were left out. */
  readonly faults: readonly string[];
}

/** Bytes of the new request, in which the strings stand as often as they are named. */
const BYTES_MAX = 64 << 20;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Throws a WireError where the body is no request. It may be a view of shared memory. `startTimes`: they are wanted. */
export function rewriteV2(body: Uint8Array, startTimes: boolean): Rewritten {
  const symbols: Uint8Array[] = [];
  for (const field of new Fields(body)) if (field.number === 4) symbols.push(field.bytes);
  const rewrite = new Rewrite(symbols, startTimes);
  try {
    for (const field of new Fields(body)) if (field.number === 5) rewrite.series(field.bytes);
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    throw new WireError(`a request of more than ${BYTES_MAX} bytes without its table of strings`);
  }
  return rewrite.finish();
}

interface Parts {
  readonly refs: number[];
  readonly samples: Uint8Array[];
  readonly histograms: Uint8Array[];
  readonly exemplars: Uint8Array[];
  metadata: Uint8Array | undefined;
  /** 0 where it is not known. */
  startMs: number;
}

/** Of a Sample: says that the series began then. */
const IS_START = 15;
/** Of a Histogram. */
const START_TIME = 17;

class Rewrite {
  readonly #symbols: readonly Uint8Array[];
  readonly #to = new MessageWriter(BYTES_MAX, 1 << 16);
  readonly #faults: string[] = [];
  /** Families are named by each of their series. */
  readonly #families = new Set<string>();

  readonly #startTimes: boolean;

  constructor(symbols: readonly Uint8Array[], startTimes: boolean) {
    this.#symbols = symbols;
    this.#startTimes = startTimes;
  }

  finish(): Rewritten {
    return { body: this.#to.finish(), faults: this.#faults };
  }

  series(message: Uint8Array): void {
    const parts = partsOf(message);
    const fault = this.#refsFault(parts.refs);
    if (fault !== undefined) {
      this.#faults.push(`parsing labels for series [${parts.refs.join(' ')}]: ${fault}`);
      return;
    }
    const start = this.#to.open(1);
    this.#labels(parts.refs);
    this.#samples(parts);
    for (const exemplar of parts.exemplars) this.#exemplar(exemplar);
    for (const histogram of parts.histograms) this.#histogram(histogram, parts.startMs);
    this.#to.close(start);
    if (parts.metadata !== undefined) this.#metadata(parts.refs, parts.metadata);
  }

  #samples({ samples, startMs }: Parts): void {
    samples.forEach((sample, i) => {
      if (this.#startTimes) this.#start(sample, i === 0 ? startMs : 0);
      this.#to.bytes(2, sample);
    });
  }

  /** Where a sample's series began; `known` of the series. */
  #start(sample: Uint8Array, known: number): void {
    let [timeMs, startMs] = [0, known];
    for (const field of new Fields(sample)) {
      if (field.number === 2) timeMs = field.signed;
      else if (field.number === 3) startMs = field.signed || known;
    }
    if (startMs === 0 || startMs >= timeMs) return;
    const start = this.#to.open(2);
    this.#to.head(2, VARINT);
    this.#to.signed(startMs);
    this.#to.head(IS_START, VARINT);
    this.#to.varint(1);
    this.#to.close(start);
  }

  #histogram(histogram: Uint8Array, startMs: number): void {
    if (startMs === 0 || !this.#startTimes) {
      this.#to.bytes(4, histogram);
      return;
    }
    const start = this.#to.open(4);
    // Its own, behind this one, wins.
    this.#to.head(START_TIME, VARINT);
    this.#to.signed(startMs);
    this.#to.raw(histogram);
    this.#to.close(start);
  }

  #labels(refs: readonly number[]): void {
    for (let i = 0; i < refs.length; i += 2) {
      const name = this.#symbols[refs[i]!]!;
      const value = this.#symbols[refs[i + 1]!]!;
      this.#to.head(1, BYTES);
      this.#to.varint(2 + varintBytes(name.length) + name.length + varintBytes(value.length) + value.length);
      this.#to.bytes(1, name);
      this.#to.bytes(2, value);
    }
  }

  #exemplar(message: Uint8Array): void {
    const refs: number[] = [];
    let [value, timeMs]: [Uint8Array | undefined, number] = [undefined, 0];
    for (const field of new Fields(message)) {
      if (field.number === 1) refs.push(...field.varints);
      else if (field.number === 2) value = field.raw;
      else if (field.number === 3) timeMs = field.signed;
    }
    // Of one whose labels cannot be read nothing is told: exemplars fail no request.
    if (this.#refsFault(refs) !== undefined) return;
    const start = this.#to.open(3);
    this.#labels(refs);
    if (value !== undefined) {
      this.#to.head(2, DOUBLE);
      this.#to.raw(value);
    }
    this.#to.head(3, VARINT);
    this.#to.signed(timeMs);
    this.#to.close(start);
  }

  #metadata(refs: readonly number[], message: Uint8Array): void {
    let [type, help, unit] = [0, 0, 0];
    for (const field of new Fields(message)) {
      if (field.number === 1) type = field.varint;
      else if (field.number === 3) help = field.varint;
      else if (field.number === 4) unit = field.varint;
    }
    if (type === 0 && help === 0 && unit === 0) return;
    const nameAt = refs.findIndex((ref, i) => i % 2 === 0 && this.#text(ref) === '__name__');
    if (nameAt < 0) return;
    const family = familyOf(this.#text(refs[nameAt + 1]!), METRIC_TYPES[type] ?? METRIC_TYPES[0]);
    if (this.#families.has(family)) return;
    this.#families.add(family);
    const start = this.#to.open(3);
    this.#to.head(1, VARINT);
    this.#to.varint(type);
    this.#to.bytes(2, Buffer.from(family));
    this.#to.bytes(4, this.#symbols[help] ?? NO_BYTES);
    this.#to.bytes(5, this.#symbols[unit] ?? NO_BYTES);
    this.#to.close(start);
  }

  #refsFault(refs: readonly number[]): string | undefined {
    if (refs.length % 2 !== 0) return `invalid labelRefs length ${refs.length}`;
    const { length } = this.#symbols;
    const at = refs.findIndex((ref) => ref >= length);
    if (at < 0) return undefined;
    const what = at % 2 === 0 ? 'name' : 'value';
    return `labelRefs ${at - (at % 2)} (${what}) = ${refs[at]} outside of symbols table (size ${length})`;
  }

  #text(ref: number): string {
    // Shared memory cannot be decoded in place: slice() copies.
    return utf8.decode(this.#symbols[ref]!.slice());
  }
}

const NO_BYTES = new Uint8Array(0);

function partsOf(message: Uint8Array): Parts {
  const parts: Parts = { refs: [], samples: [], histograms: [], exemplars: [], metadata: undefined, startMs: 0 };
  for (const field of new Fields(message)) {
    if (field.number === 1) parts.refs.push(...field.varints);
    else if (field.number === 2) parts.samples.push(field.bytes);
    else if (field.number === 3) parts.histograms.push(field.bytes);
    else if (field.number === 4) parts.exemplars.push(field.bytes);
    else if (field.number === 5) parts.metadata = field.bytes;
    else if (field.number === 6) parts.startMs = field.signed;
  }
  return parts;
}
