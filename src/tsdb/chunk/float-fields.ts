// The fields of a sample in chunks of float histograms: of the first sample the 64 bits of each float, then xor codes.
// In order: count, zero count, sum, positive buckets, negative buckets. A stale marker has no buckets.

import { STALE_SUM } from '../../model/stored-histogram.js';
import type { BitReader, BitWriter } from './bit-stream.js';
import type { SampleFields, SampleNumbers } from './histogram.js';
import { wordsOf, XorValue } from './varbit.js';

export const FLOAT_BUCKET_BITS = 64;

export class FloatFields implements SampleFields {
  readonly #count = new XorValue();
  readonly #zeroCount = new XorValue();
  readonly #sum = new XorValue();
  readonly #positive: readonly XorValue[];
  readonly #negative: readonly XorValue[];

  constructor(positive: number, negative: number) {
    this.#positive = Array.from({ length: positive }, () => new XorValue());
    this.#negative = Array.from({ length: negative }, () => new XorValue());
  }

  writeFirst(to: BitWriter, { count, zeroCount, sumBits, positive, negative }: SampleNumbers): void {
    writeWhole(to, this.#count, count);
    writeWhole(to, this.#zeroCount, zeroCount);
    this.#sum.writeWhole(to, Number(sumBits >> 32n), Number(sumBits & 0xffffffffn));
    for (let i = 0; i < positive.length; i++) writeWhole(to, this.#positive[i]!, positive[i]!);
    for (let i = 0; i < negative.length; i++) writeWhole(to, this.#negative[i]!, negative[i]!);
  }

  write(to: BitWriter, { count, zeroCount, sumBits, positive, negative }: SampleNumbers): void {
    write(to, this.#count, count);
    write(to, this.#zeroCount, zeroCount);
    this.#sum.write(to, Number(sumBits >> 32n), Number(sumBits & 0xffffffffn));
    if (sumBits === STALE_SUM) return;
    for (let i = 0; i < positive.length; i++) write(to, this.#positive[i]!, positive[i]!);
    for (let i = 0; i < negative.length; i++) write(to, this.#negative[i]!, negative[i]!);
  }

  readFirst(from: BitReader): SampleNumbers {
    for (const value of [this.#count, this.#zeroCount, this.#sum]) value.readWhole(from);
    for (const value of this.#positive) value.readWhole(from);
    for (const value of this.#negative) value.readWhole(from);
    return this.#numbers(false);
  }

  read(from: BitReader): SampleNumbers {
    for (const value of [this.#count, this.#zeroCount, this.#sum]) value.read(from);
    if (this.#sum.bits === STALE_SUM) return this.#numbers(true);
    for (const value of this.#positive) value.read(from);
    for (const value of this.#negative) value.read(from);
    return this.#numbers(false);
  }

  #numbers(isStale: boolean): SampleNumbers {
    return {
      count: this.#count.number,
      zeroCount: this.#zeroCount.number,
      sumBits: this.#sum.bits,
      positive: isStale ? new Float64Array(0) : Float64Array.from(this.#positive, ({ number }) => number),
      negative: isStale ? new Float64Array(0) : Float64Array.from(this.#negative, ({ number }) => number),
    };
  }
}

function writeWhole(to: BitWriter, value: XorValue, next: number): void {
  const { high, low } = wordsOf(next);
  value.writeWhole(to, high, low);
}

function write(to: BitWriter, value: XorValue, next: number): void {
  const { high, low } = wordsOf(next);
  value.write(to, high, low);
}
