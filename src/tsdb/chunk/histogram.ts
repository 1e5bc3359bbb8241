// Chunks of native histograms (encodings 2 and 3): one layout, then samples.
//
//   header (histogram-layout.ts) │ time │ fields │ time │ fields │ …
//
//   time     varbit, then the change of its change
//   fields   integer-fields.ts, float-fields.ts
//
// All samples of a chunk have the buckets of its layout, empty ones among them; what does not fit begins a new chunk,
// or has the chunk written anew (histogram-appender.ts). Only stale markers are without. Drawn in docs/formats/chunk.md.

import type { CounterHint } from '../../model/histogram.js';
import { isStaleHistogram, type StoredHistogram, spanBuckets, staleHistogram } from '../../model/stored-histogram.js';
import { BitReader, BitWriter, ChunkFault } from './bit-stream.js';
import { FLOAT_BUCKET_BITS, FloatFields } from './float-fields.js';
import {
  EMPTY_LAYOUT,
  HEADER_BYTES,
  type HistogramLayout,
  ResetHeader,
  readLayout,
  resetHeaderOf,
  setResetHeader,
  writeLayout,
} from './histogram-layout.js';
import { INTEGER_BUCKET_BITS, IntegerFields, Steady } from './integer-fields.js';
import { readVarbit, writeVarbit } from './varbit.js';
import { CHUNK_SAMPLES_LIMIT, countOf, setCount } from './xor.js';

/** What of a histogram differs from sample to sample. */
export type SampleNumbers = Pick<StoredHistogram, 'count' | 'zeroCount' | 'sumBits' | 'positive' | 'negative'>;

/** The state of a chunk's fields, for writing or for reading. */
export interface SampleFields {
  writeFirst(to: BitWriter, numbers: SampleNumbers): void;
  write(to: BitWriter, numbers: SampleNumbers): void;
  readFirst(from: BitReader): SampleNumbers;
  read(from: BitReader): SampleNumbers;
}

export interface HistogramSample {
  readonly timeMs: number;
  readonly histogram: StoredHistogram;
}

function fieldsOf(isFloat: boolean, { positiveSpans, negativeSpans }: HistogramLayout): SampleFields {
  const [positive, negative] = [spanBuckets(positiveSpans), spanBuckets(negativeSpans)];
  return isFloat ? new FloatFields(positive, negative) : new IntegerFields(positive, negative);
}

/** Reads a chunk from its first sample to its last: borrows its bytes until then. */
export class HistogramReader {
  readonly header: ResetHeader;
  readonly count: number;
  /** Of an empty chunk it is empty. */
  readonly layout: HistogramLayout;
  readonly #isFloat: boolean;
  readonly #from: BitReader;
  readonly #fields: SampleFields;
  readonly #time = new Steady();
  #read = 0;

  constructor(chunk: Uint8Array, isFloat: boolean) {
    if (chunk.length < HEADER_BYTES) throw new ChunkFault(0, `${chunk.length} bytes are no chunk of histograms`);
    this.#isFloat = isFloat;
    this.#from = new BitReader(chunk, HEADER_BYTES);
    this.count = countOf(chunk);
    this.header = resetHeaderOf(chunk);
    const bucketBits = isFloat ? FLOAT_BUCKET_BITS : INTEGER_BUCKET_BITS;
    this.layout = this.count === 0 ? EMPTY_LAYOUT : readLayout(this.#from, bucketBits);
    this.#fields = fieldsOf(isFloat, this.layout);
  }

  /** undefined behind the last sample; ChunkFault where the bytes hold none. */
  next(): HistogramSample | undefined {
    if (this.#read === this.count) return undefined;
    const isFirst = this.#read++ === 0;
    if (isFirst) this.#time.value = readVarbit(this.#from);
    else this.#time.read(this.#from);
    const numbers = isFirst ? this.#fields.readFirst(this.#from) : this.#fields.read(this.#from);
    const timeMs = this.#time.value;
    if (isStaleHistogram(numbers)) return { timeMs, histogram: staleHistogram(this.#isFloat) };
    const hint = this.#hint();
    return { timeMs, histogram: { isFloat: this.#isFloat, hint, ...this.layout, ...numbers } };
  }

  /** Nothing is said of the first sample of a chunk that goes on from another, since that one may be gone. */
  #hint(): CounterHint {
    if (this.header === ResetHeader.Gauge) return 'gauge';
    if (this.#read > 1) return 'not_reset';
    return this.header === ResetHeader.Reset ? 'reset' : 'unknown';
  }
}

export function decodeHistogramChunk(chunk: Uint8Array, isFloat: boolean): HistogramSample[] {
  const reader = new HistogramReader(chunk, isFloat);
  const samples: HistogramSample[] = [];
  for (let sample = reader.next(); sample !== undefined; sample = reader.next()) samples.push(sample);
  return samples;
}

/** Writes a chunk. Its first sample gives the layout, and the others have the same buckets or are stale. */
export class HistogramWriter {
  readonly isFloat: boolean;
  readonly #to = new BitWriter(HEADER_BYTES);
  readonly #time = new Steady();
  #fields: SampleFields | undefined;
  #layout: HistogramLayout = EMPTY_LAYOUT;
  #count = 0;

  constructor(isFloat: boolean, header: ResetHeader) {
    this.isFloat = isFloat;
    setResetHeader(this.#to.bytes, header);
  }

  get header(): ResetHeader {
    return resetHeaderOf(this.#to.bytes);
  }

  get layout(): HistogramLayout {
    return this.#layout;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#to.length;
  }

  /** Bytes held. */
  get capacity(): number {
    return this.#to.capacity;
  }

  append(timeMs: number, histogram: StoredHistogram): void {
    if (this.#count === CHUNK_SAMPLES_LIMIT) throw new Error('the chunk is full');
    if (this.#fields === undefined) {
      this.#layout = isStaleHistogram(histogram) ? EMPTY_LAYOUT : layoutOf(histogram);
      this.#fields = fieldsOf(this.isFloat, this.#layout);
      writeLayout(this.#to, this.#layout);
      writeVarbit(this.#to, timeMs);
      this.#time.value = timeMs;
      this.#fields.writeFirst(this.#to, numbersOf(histogram, this.isFloat));
    } else {
      this.#time.write(this.#to, timeMs);
      this.#fields.write(this.#to, numbersOf(histogram, this.isFloat));
    }
    setCount(this.#to.bytes, ++this.#count);
  }

  /** The chunk: copies. */
  take(): Uint8Array {
    return this.#to.take();
  }
}

/** Whatever a stale marker has besides its sum is left out. */
function numbersOf(histogram: StoredHistogram, isFloat: boolean): SampleNumbers {
  return isStaleHistogram(histogram) ? staleHistogram(isFloat) : histogram;
}

export function layoutOf({
  schema,
  zeroThreshold,
  positiveSpans,
  negativeSpans,
  bounds,
}: StoredHistogram): HistogramLayout {
  return { schema, zeroThreshold, positiveSpans, negativeSpans, bounds };
}

/** A chunk of samples that one layout fits: what decodeHistogramChunk() gave, encoded again. */
export function encodeHistogramChunk(samples: readonly HistogramSample[], header: ResetHeader): Uint8Array {
  const writer = new HistogramWriter(samples[0]?.histogram.isFloat ?? false, header);
  for (const { timeMs, histogram } of samples) writer.append(timeMs, histogram);
  return writer.take();
}
