// The fields of a sample in chunks of integer histograms.
//
//              time          count, zero count    sum     buckets, each as difference to the one before it
//   sample 0   varbit        uvarbit              64      varbit
//   sample n   change of     change of            xor     change of
//              change        change                       change, varbit
//
// A stale marker says no change of change for its counts, and has no buckets.

import { STALE_SUM } from '../../model/stored-histogram.js';
import type { BitReader, BitWriter } from './bit-stream.js';
import type { SampleFields, SampleNumbers } from './histogram.js';
import { readUvarbit, readVarbit, writeUvarbit, writeVarbit, XorValue } from './varbit.js';

/** A bucket takes one bit at least. */
export const INTEGER_BUCKET_BITS = 1;

export class IntegerFields implements SampleFields {
  readonly #count = new Steady();
  readonly #zeroCount = new Steady();
  readonly #sum = new XorValue();
  readonly #positive: SteadyBuckets;
  readonly #negative: SteadyBuckets;

  constructor(positive: number, negative: number) {
    this.#positive = new SteadyBuckets(positive);
    this.#negative = new SteadyBuckets(negative);
  }

  writeFirst(to: BitWriter, { count, zeroCount, sumBits, positive, negative }: SampleNumbers): void {
    writeUvarbit(to, count);
    writeUvarbit(to, zeroCount);
    this.#count.value = count;
    this.#zeroCount.value = zeroCount;
    this.#sum.writeWhole(to, Number(sumBits >> 32n), Number(sumBits & 0xffffffffn));
    this.#positive.writeFirst(to, positive);
    this.#negative.writeFirst(to, negative);
  }

  write(to: BitWriter, { count, zeroCount, sumBits, positive, negative }: SampleNumbers): void {
    const isStale = sumBits === STALE_SUM;
    this.#count.write(to, isStale ? this.#count.expected : count);
    this.#zeroCount.write(to, isStale ? this.#zeroCount.expected : zeroCount);
    this.#sum.write(to, Number(sumBits >> 32n), Number(sumBits & 0xffffffffn));
    if (isStale) return;
    this.#positive.write(to, positive);
    this.#negative.write(to, negative);
  }

  readFirst(from: BitReader): SampleNumbers {
    this.#count.value = readUvarbit(from);
    this.#zeroCount.value = readUvarbit(from);
    this.#sum.readWhole(from);
    return this.#numbers(this.#positive.readFirst(from), this.#negative.readFirst(from));
  }

  read(from: BitReader): SampleNumbers {
    this.#count.read(from);
    this.#zeroCount.read(from);
    this.#sum.read(from);
    if (this.#sum.bits === STALE_SUM) return this.#numbers(new Float64Array(0), new Float64Array(0));
    return this.#numbers(this.#positive.read(from), this.#negative.read(from));
  }

  #numbers(positive: Float64Array, negative: Float64Array): SampleNumbers {
    return {
      count: this.#count.value,
      zeroCount: this.#zeroCount.value,
      sumBits: this.#sum.bits,
      positive,
      negative,
    };
  }
}

/** An integer that mostly changes by as much as before. */
export class Steady {
  value = 0;
  #change = 0;

  /** What needs a single bit. */
  get expected(): number {
    return this.value + this.#change;
  }

  write(to: BitWriter, value: number): void {
    const change = value - this.value;
    writeVarbit(to, change - this.#change);
    this.#change = change;
    this.value = value;
  }

  read(from: BitReader): void {
    this.#change += readVarbit(from);
    this.value += this.#change;
  }
}

/** Buckets of one side, as differences between neighbours. */
class SteadyBuckets {
  readonly #differences: Float64Array;
  readonly #changes: Float64Array;

  constructor(count: number) {
    this.#differences = new Float64Array(count);
    this.#changes = new Float64Array(count);
  }

  writeFirst(to: BitWriter, counts: Float64Array): void {
    let before = 0;
    for (let i = 0; i < counts.length; i++) {
      const difference = counts[i]! - before;
      before = counts[i]!;
      writeVarbit(to, difference);
      this.#differences[i] = difference;
    }
  }

  write(to: BitWriter, counts: Float64Array): void {
    let before = 0;
    for (let i = 0; i < counts.length; i++) {
      const difference = counts[i]! - before;
      before = counts[i]!;
      const change = difference - this.#differences[i]!;
      writeVarbit(to, change - this.#changes[i]!);
      this.#differences[i] = difference;
      this.#changes[i] = change;
    }
  }

  readFirst(from: BitReader): Float64Array {
    const counts = new Float64Array(this.#differences.length);
    let count = 0;
    for (let i = 0; i < counts.length; i++) {
      this.#differences[i] = readVarbit(from);
      count += this.#differences[i]!;
      counts[i] = count;
    }
    return counts;
  }

  read(from: BitReader): Float64Array {
    const counts = new Float64Array(this.#differences.length);
    let count = 0;
    for (let i = 0; i < counts.length; i++) {
      this.#changes[i]! += readVarbit(from);
      this.#differences[i]! += this.#changes[i]!;
      count += this.#differences[i]!;
      counts[i] = count;
    }
    return counts;
  }
}
