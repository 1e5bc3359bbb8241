// Kahan summation in Neumaier's form, as Prometheus sums: the rounding error of
// each addition is collected beside the sum and added at the end.

export class KahanSum {
  sum = 0;
  /** What rounding has lost so far. Zero as soon as the sum is infinite. */
  compensation = 0;

  reset(sum = 0): void {
    this.sum = sum;
    this.compensation = 0;
  }

  add(value: number): void {
    const sum = this.sum;
    const next = sum + value;
    if (next === Infinity || next === -Infinity) this.compensation = 0;
    else if (Math.abs(sum) >= Math.abs(value)) this.compensation += sum - next + value;
    else this.compensation += value - next + sum;
    this.sum = next;
  }

  get total(): number {
    return this.sum + this.compensation;
  }
}

/**
 * A mean that is a plain sum divided at the end, until that sum would overflow;
 * from there on it is kept as a running mean, which cannot.
 */
export class KahanMean {
  readonly #kahan = new KahanSum();
  #count = 0;
  #running = false;

  reset(): void {
    this.#kahan.reset();
    this.#count = 0;
    this.#running = false;
  }

  add(value: number): void {
    const kahan = this.#kahan;
    const count = ++this.#count;
    if (count === 1) {
      kahan.reset(value);
      return;
    }
    if (!this.#running) {
      const next = kahan.sum + value;
      if (next !== Infinity && next !== -Infinity) {
        kahan.add(value);
        return;
      }
      this.#running = true;
      kahan.sum /= count - 1;
      kahan.compensation /= count - 1;
    }
    const kept = (count - 1) / count;
    kahan.sum *= kept;
    kahan.compensation *= kept;
    kahan.add(value / count);
  }

  get mean(): number {
    if (this.#running) return this.#kahan.total;
    return this.#kahan.sum / this.#count + this.#kahan.compensation / this.#count;
  }
}
