// Functions over one window, and aggregations of one step, the plain way: the models of the
// eval kernel. Each takes the samples of the window, as Prometheus's functions do.

export interface Point {
  readonly time: number;
  readonly value: number;
}

/** What a function over a window gives at one step; undefined where it gives nothing. */
export type WindowModel = (
  points: readonly Point[],
  endMs: number,
  windowMs: number,
  args: readonly number[],
) => number | undefined;

type Pair = [sum: number, c: number];

export function kahan([sum, c]: Pair, x: number): Pair {
  const t = sum + x;
  if (Math.abs(t) === Infinity) return [t, 0];
  return [t, c + (Math.abs(sum) >= Math.abs(x) ? sum - t + x : x - t + sum)];
}

function extrapolated(isCounter: boolean, isRate: boolean): WindowModel {
  return (points, endMs, windowMs) => {
    if (points.length < 2) return undefined;
    const first = points[0]!;
    const last = points.at(-1)!;
    let difference = last.value - first.value;
    if (isCounter) {
      for (let i = 1; i < points.length; i++) {
        if (points[i]!.value < points[i - 1]!.value) difference += points[i - 1]!.value;
      }
    }
    let toStart = (first.time - (endMs - windowMs)) / 1000;
    let toEnd = (endMs - last.time) / 1000;
    const sampled = (last.time - first.time) / 1000;
    const gap = sampled / (points.length - 1);
    const threshold = gap * 1.1;
    if (toStart >= threshold) toStart = gap / 2;
    if (isCounter) {
      let toZero = toStart;
      if (difference > 0 && first.value >= 0) toZero = sampled * (first.value / difference);
      if (toZero < toStart) toStart = toZero;
    }
    if (toEnd >= threshold) toEnd = gap / 2;
    let factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
    const seconds = Math.floor(windowMs / 1000);
    if (isRate) factor /= seconds + ((windowMs % 1000) * 1e6) / 1e9;
    return difference * factor;
  };
}

function newest(isRate: boolean): WindowModel {
  return (points) => {
    if (points.length < 2) return undefined;
    const before = points.at(-2)!;
    const last = points.at(-1)!;
    if (before.time === last.time) return undefined;
    if (!isRate) return last.value - before.value;
    const difference = last.value < before.value ? last.value : last.value - before.value;
    return difference / ((last.time - before.time) / 1000);
  };
}

function pairs(counts: (before: number, after: number) => boolean): WindowModel {
  return (points) => {
    if (points.length === 0) return undefined;
    let count = 0;
    for (let i = 1; i < points.length; i++) if (counts(points[i - 1]!.value, points[i]!.value)) count++;
    return count;
  };
}

/** A function of the values alone, where there are any. */
function ofValues(model: (values: readonly number[]) => number): WindowModel {
  return (points) => (points.length === 0 ? undefined : model(points.map((point) => point.value)));
}

export function sumModel(values: readonly number[]): number {
  const [sum, c] = values.reduce<Pair>(kahan, [0, 0]);
  return Math.abs(sum) === Infinity ? sum : sum + c;
}

export function meanModel(values: readonly number[]): number {
  let pair: Pair = [values[0]!, 0];
  let moving = false;
  for (let i = 1; i < values.length; i++) {
    const count = i + 1;
    if (!moving) {
      const next = kahan(pair, values[i]!);
      if (Math.abs(next[0]) !== Infinity) {
        pair = next;
        continue;
      }
      moving = true;
      pair = [pair[0] / i, pair[1] / i];
    }
    const weight = (count - 1) / count;
    pair = kahan([weight * pair[0], weight * pair[1]], values[i]! / count);
  }
  return moving ? pair[0] + pair[1] : pair[0] / values.length + pair[1] / values.length;
}

export function extremeModel(values: readonly number[], better: (a: number, b: number) => boolean): number {
  let best = values[0]!;
  for (const value of values) if (better(value, best) || Number.isNaN(best)) best = value;
  return best;
}

function varianceOverTime(values: readonly number[]): number {
  let mean: Pair = [0, 0];
  let squares: Pair = [0, 0];
  values.forEach((value, i) => {
    const delta = value - (mean[0] + mean[1]);
    mean = kahan(mean, delta / (i + 1));
    squares = kahan(squares, delta * (value - (mean[0] + mean[1])));
  });
  return (squares[0] + squares[1]) / values.length;
}

/** Least squares: the slope, or the line's value `ahead` seconds after the evaluation time. */
function line(isPrediction: boolean): WindowModel {
  return (points, endMs, _windowMs, [ahead = 0, shiftMs = 0]) => {
    if (points.length < 2) return undefined;
    const first = points[0]!;
    const origin = isPrediction ? endMs + shiftMs : first.time;
    let [slope, intercept] = [Number.NaN, Number.NaN];
    if (points.every(({ value }) => value === first.value)) {
      if (Number.isFinite(first.value)) [slope, intercept] = [0, first.value];
    } else {
      const xs = points.map(({ time }) => (time - origin) / 1000);
      const total = (terms: readonly number[]) => {
        const [sum, c] = terms.reduce<Pair>(kahan, [0, 0]);
        return sum + c;
      };
      const n = points.length;
      const x = total(xs);
      const y = total(points.map(({ value }) => value));
      const covariance = total(points.map(({ value }, i) => xs[i]! * value)) - (x * y) / n;
      slope = covariance / (total(xs.map((each) => each * each)) - (x * x) / n);
      intercept = y / n - (slope * x) / n;
    }
    return isPrediction ? slope * ahead + intercept : slope;
  };
}

/** NaN first, then in order, then between two of them. */
function quantileModel(points: readonly Point[], phi: number): number | undefined {
  if (points.length === 0) return undefined;
  if (Number.isNaN(phi)) return Number.NaN;
  if (phi < 0 || phi > 1) return phi < 0 ? -Infinity : Infinity;
  const all = points.map(({ value }) => value);
  const sorted = [
    ...all.filter(Number.isNaN),
    ...Float64Array.from(all.filter((value) => !Number.isNaN(value))).sort(),
  ];
  const rank = phi * (sorted.length - 1);
  const lower = Math.floor(rank);
  const weight = rank - lower;
  return sorted[lower]! * (1 - weight) + sorted[Math.min(lower + 1, sorted.length - 1)]! * weight;
}

/** By PromQL's names. `last` and `timestamp` take the stale marker as a sample with stale set; see evaluateModel. */
export const WINDOW_MODELS: ReadonlyMap<string, WindowModel> = new Map([
  ['last', (points) => points.at(-1)?.value],
  ['timestamp', (points) => (points.length === 0 ? undefined : points.at(-1)!.time / 1000)],
  ['rate', extrapolated(true, true)],
  ['increase', extrapolated(true, false)],
  ['delta', extrapolated(false, false)],
  ['irate', newest(true)],
  ['idelta', newest(false)],
  ['changes', pairs((before, after) => !Object.is(before, after) && before !== after)],
  ['resets', pairs((before, after) => after < before)],
  ['sum_over_time', ofValues(sumModel)],
  ['avg_over_time', ofValues(meanModel)],
  ['min_over_time', ofValues((values) => extremeModel(values, (a, b) => a < b))],
  ['max_over_time', ofValues((values) => extremeModel(values, (a, b) => a > b))],
  ['count_over_time', ofValues((values) => values.length)],
  ['last_over_time', ofValues((values) => values.at(-1)!)],
  ['first_over_time', ofValues((values) => values[0]!)],
  ['present_over_time', ofValues(() => 1)],
  ['stddev_over_time', ofValues((values) => Math.sqrt(varianceOverTime(values)))],
  ['stdvar_over_time', ofValues(varianceOverTime)],
  ['deriv', line(false)],
  ['predict_linear', line(true)],
  ['quantile_over_time', (points, _endMs, _windowMs, [phi = 0]) => quantileModel(points, phi)],
] satisfies [string, WindowModel][]);

/** A sample as stored: it may be a stale marker. */
export interface Stored extends Point {
  readonly stale: boolean;
}

/** Step by step, each from all samples: the newest one hides older ones if it is stale, or stale ones do not exist. */
export function evaluateModel(
  fn: string,
  samples: readonly Stored[],
  steps: { startMs: number; stepMs: number; steps: number; windowMs: number; args?: readonly number[] },
): (number | undefined)[] {
  const model = WINDOW_MODELS.get(fn)!;
  return Array.from({ length: steps.steps }, (_, i) => {
    const endMs = steps.startMs + i * steps.stepMs;
    let points = samples.filter(({ time }) => time > endMs - steps.windowMs && time <= endMs);
    if (fn === 'last' || fn === 'timestamp') {
      if (points.at(-1)?.stale) return undefined;
    } else {
      points = points.filter(({ stale }) => !stale);
    }
    return model(points, endMs, steps.windowMs, steps.args ?? []);
  });
}

/** One step of an aggregation over the members' values, in their order. */
export function aggregateModel(op: string, values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  switch (op) {
    case 'sum': {
      const [sum, c] = values.slice(1).reduce<Pair>(kahan, [values[0]!, 0]);
      return sum + c;
    }
    case 'avg':
      return meanModel(values);
    case 'min':
      return extremeModel(values, (a, b) => a < b);
    case 'max':
      return extremeModel(values, (a, b) => a > b);
    case 'count':
      return values.length;
    case 'group':
      return 1;
    default: {
      let mean = values[0]!;
      let squares = Number.isFinite(mean) ? 0 : Number.NaN;
      for (let i = 1; i < values.length; i++) {
        const delta = values[i]! - mean;
        mean += delta / (i + 1);
        squares += delta * (values[i]! - mean);
      }
      return op === 'stddev' ? Math.sqrt(squares / values.length) : squares / values.length;
    }
  }
}
