// Sums and means of native histograms, each bucket with Kahan compensation.

import {
  type Buckets,
  type CounterHint,
  combineBuckets,
  combineHints,
  commonLayout,
  conform,
  FloatHistogram,
  type HistogramParts,
} from '../../model/histogram.js';

/** What happened while adding: see the annotations of the same meaning. */
export interface AddingRemarks {
  /** Custom bounds differed and were cut down to those in common. */
  reconciled: boolean;
  sawReset: boolean;
  sawNotReset: boolean;
}

/** A histogram sum as plain data. */
export interface HistogramSumState extends Readonly<AddingRemarks> {
  readonly sum: FloatHistogram;
  /** What rounding lost from the sum, in the same layout. */
  readonly lost: FloatHistogram | undefined;
}

export class HistogramSum implements AddingRemarks {
  reconciled = false;
  sawReset = false;
  sawNotReset = false;

  /** The sum so far, and what rounding lost from it in the same layout. */
  #sum: FloatHistogram;
  #lost: FloatHistogram | undefined;

  constructor(first: FloatHistogram) {
    this.#sum = first;
    this.#remark(first.hint);
  }

  static of({ sum, lost, reconciled, sawReset, sawNotReset }: HistogramSumState): HistogramSum {
    const made = new HistogramSum(sum);
    made.#lost = lost;
    return Object.assign(made, { reconciled, sawReset, sawNotReset });
  }

  get state(): HistogramSumState {
    const { reconciled, sawReset, sawNotReset } = this;
    return { sum: this.#sum, lost: this.#lost, reconciled, sawReset, sawNotReset };
  }

  /** False where the schemas cannot be combined; the sum is then of no use. */
  add(histogram: FloatHistogram): boolean {
    this.#remark(histogram.hint);
    return this.#join(histogram, undefined, 1);
  }

  /** sum · kept + histogram / divisor, for running means. */
  addScaled(histogram: FloatHistogram, kept: number, divisor: number): boolean {
    this.#remark(histogram.hint);
    return this.#join(histogram.divide(divisor), undefined, kept);
  }

  /** sum · kept + other · scale, of a sum over other histograms; false as add() has it. */
  addSum(other: HistogramSum, kept = 1, scale = 1): boolean {
    this.reconciled ||= other.reconciled;
    this.sawReset ||= other.sawReset;
    this.sawNotReset ||= other.sawNotReset;
    if (scale === 1) return this.#join(other.#sum, other.#lost, kept);
    return this.#join(other.#sum.multiply(scale), other.#lost?.multiply(scale), kept);
  }

  #join(histogram: FloatHistogram, histogramLost: FloatHistogram | undefined, kept: number): boolean {
    const layout = commonLayout(this.#sum, histogram);
    if (layout === undefined) return false;
    if (histogram.isCustom && String(histogram.bounds) !== String(this.#sum.bounds)) this.reconciled = true;
    let sum = conform(this.#sum, layout);
    let lost = this.#lost === undefined ? new FloatHistogram(layout) : conform(this.#lost, layout);
    const added = conform(histogram, layout);
    if (kept !== 1) {
      sum = sum.multiply(kept);
      lost = lost.multiply(kept);
    }
    if (histogramLost !== undefined) lost = plus(lost, conform(histogramLost, layout), lost.hint);
    const { hint } = combineHints(sum.hint, added.hint);
    this.#lost = addLosses(sum, added, lost);
    this.#sum = plus(sum, added, hint);
    return true;
  }

  get overflows(): boolean {
    return this.#sum.overflows;
  }

  get total(): FloatHistogram {
    return this.#lost === undefined ? this.#sum : plus(this.#sum, this.#lost, this.#sum.hint);
  }

  divided(divisor: number): FloatHistogram {
    const sum = this.#sum.divide(divisor);
    return this.#lost === undefined ? sum : plus(sum, this.#lost.divide(divisor), sum.hint);
  }

  /** A copy to try an addition on. */
  fork(): HistogramSum {
    return HistogramSum.of(this.state);
  }

  /** Divides sum and losses, to go on as a running mean. */
  become(divisor: number): void {
    this.#sum = this.#sum.divide(divisor);
    this.#lost = this.#lost?.divide(divisor);
  }

  #remark(hint: CounterHint): void {
    if (hint === 'reset') this.sawReset = true;
    if (hint === 'not_reset') this.sawNotReset = true;
  }
}

/** A histogram mean as plain data. */
export interface HistogramMeanState extends HistogramSumState {
  readonly count: number;
  /** The sum is a mean already. */
  readonly running: boolean;
}

/** A mean that is a sum divided at the end, until the sum would overflow; then a running one. */
export class HistogramMean {
  #sum: HistogramSum;
  #count = 1;
  #running = false;

  constructor(first: FloatHistogram) {
    this.#sum = new HistogramSum(first);
  }

  static of(state: HistogramMeanState): HistogramMean {
    const made = new HistogramMean(state.sum);
    made.#sum = HistogramSum.of(state);
    made.#count = state.count;
    made.#running = state.running;
    return made;
  }

  get state(): HistogramMeanState {
    return { ...this.#sum.state, count: this.#count, running: this.#running };
  }

  get remarks(): AddingRemarks {
    return this.#sum;
  }

  add(histogram: FloatHistogram): boolean {
    const count = ++this.#count;
    if (!this.#running) {
      const tried = this.#sum.fork();
      if (!tried.add(histogram)) return false;
      if (!tried.overflows) {
        this.#sum = tried;
        return true;
      }
      this.#running = true;
      this.#sum.become(count - 1);
    }
    return this.#sum.addScaled(histogram, (count - 1) / count, count);
  }

  /** Takes in a mean over other histograms; false where the schemas cannot be combined. */
  addMean(other: HistogramMean): boolean {
    const [count, otherCount] = [this.#count, other.#count];
    this.#count += otherCount;
    if (!this.#running && !other.#running) {
      const tried = this.#sum.fork();
      if (!tried.addSum(other.#sum)) return false;
      if (!tried.overflows) {
        this.#sum = tried;
        return true;
      }
    }
    const kept = (this.#running ? count : 1) / this.#count;
    const scale = (other.#running ? otherCount : 1) / this.#count;
    this.#running = true;
    return this.#sum.addSum(other.#sum, kept, scale);
  }

  get mean(): FloatHistogram {
    return this.#running ? this.#sum.total : this.#sum.divided(this.#count);
  }
}

function plus(a: FloatHistogram, b: FloatHistogram, hint: CounterHint): FloatHistogram {
  return a.with({ ...fields(a, b, (x, y) => x + y), hint });
}

/** Component by component, what adding b to a loses to rounding, on top of what was lost before. */
function addLosses(a: FloatHistogram, b: FloatHistogram, before: FloatHistogram): FloatHistogram {
  return before.with(fields(before, new FloatHistogram({ ...layoutOf(a), ...fields(a, b, loss) }), (x, y) => x + y));
}

function loss(a: number, b: number): number {
  const sum = a + b;
  if (Math.abs(sum) === Infinity) return 0;
  return Math.abs(a) >= Math.abs(b) ? a - sum + b : b - sum + a;
}

function layoutOf({ schema, bounds, zeroThreshold }: FloatHistogram): HistogramParts {
  return { schema, bounds, zeroThreshold };
}

function fields(a: FloatHistogram, b: FloatHistogram, operation: (x: number, y: number) => number): HistogramParts {
  const buckets = (x: Buckets, y: Buckets) => combineBuckets(x, y, operation);
  return {
    count: operation(a.count, b.count),
    sum: operation(a.sum, b.sum),
    zeroCount: operation(a.zeroCount, b.zeroCount),
    positive: buckets(a.positive, b.positive),
    negative: buckets(a.negative, b.negative),
  };
}
