// Functions over histograms: of native ones each element by itself, of classic ones
// the rows that differ in `le` only, together.

import type { FloatHistogram } from '../../../model/histogram.js';
import { keyOf, type Labels, METRIC_NAME, valueOf, withLabel } from '../../../model/labels.js';
import { formatGeneral, parseFloatText } from '../../../model/number.js';
import type { Span } from '../../syntax/ast.js';
import { type Annotations, type ForcedMonotonicity, joinForced } from '../annotations.js';
import { blankColumns, ColumnsBuilder, hasHistograms, joinSameRows } from '../columns.js';
import { LabelIndex, NONE } from '../label-index.js';
import type { OperatorContext } from '../operator.js';
import { type Columns, FLOAT } from '../source.js';
import type { Names, ScalarValue, VectorValue } from '../value.js';
import { ClassicBuckets, type Repair } from './classic-buckets.js';
import { type NativeRemark, nativeFraction, nativeQuantile, nativeVariance } from './native-buckets.js';

const BUCKET_LABEL = 'le';

export const NATIVE_FUNCTIONS: ReadonlyMap<string, (histogram: FloatHistogram) => number> = new Map([
  ['histogram_count', ({ count }) => count],
  ['histogram_sum', ({ sum }) => sum],
  ['histogram_avg', ({ sum, count }) => sum / count],
  ['histogram_stdvar', nativeVariance],
  ['histogram_stddev', (histogram) => Math.sqrt(nativeVariance(histogram))],
]);

/** Applies a function to all native histograms; floats have no part in it. */
export function mapHistograms(
  operand: VectorValue,
  names: Names,
  value: (histogram: FloatHistogram) => number,
): VectorValue {
  const { labels, steps, histograms } = operand.columns;
  const result = blankColumns(labels, steps);
  for (const [cell, histogram] of histograms ?? []) {
    result.present[cell] = FLOAT;
    result.values[cell] = value(histogram);
  }
  return names.drop(result);
}

/** What a function over both kinds of histograms needs besides its arguments. */
export interface HistogramContext extends OperatorContext {
  /** Of the vector argument. */
  readonly pos: Span;
}

export function histogramQuantile(
  phi: ScalarValue,
  phiPos: Span,
  operand: VectorValue,
  context: HistogramContext,
): VectorValue {
  checkQuantiles(phi, phiPos, context.annotations);
  const families = new Families(operand.columns, context);
  const out = new ColumnsBuilder(context.steps.count, families.classicCount);
  quantileRows(families, phi, context, out, (labels) => labels);
  return context.names.drop(joinSameRows(out.finish()));
}

/** The same for several φ, each in rows with φ as a label. */
export function histogramQuantiles(
  operand: VectorValue,
  label: string,
  phis: readonly { value: ScalarValue; pos: Span }[],
  context: HistogramContext,
): VectorValue {
  const families = new Families(operand.columns, context);
  const out = new ColumnsBuilder(context.steps.count);
  for (const { value, pos } of phis) {
    checkQuantiles(value, pos, context.annotations);
    quantileRows(families, value, context, out, (labels, step) =>
      withLabel(labels, label, formatQuantile(value.values[step]!)),
    );
  }
  return context.names.drop(joinSameRows(out.finish()));
}

/** With a point or an exponent, as OpenMetrics has floats. */
function formatQuantile(phi: number): string {
  const text = formatGeneral(phi);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function checkQuantiles({ values }: ScalarValue, pos: Span, annotations: Annotations): void {
  for (const phi of values) if (!(phi >= 0 && phi <= 1)) annotations.quantileOutOfRange(phi, pos);
}

function quantileRows(
  families: Families,
  phi: ScalarValue,
  context: HistogramContext,
  out: ColumnsBuilder,
  labelled: (labels: Labels, step: number) => Labels,
): void {
  const repairs = new Repairs(context);
  families.each(out, labelled, {
    native: (histogram, step, remark) => nativeQuantile(phi.values[step]!, histogram, remark),
    classic: (buckets, step, labels) => {
      const forced = buckets.repair(phi.values[step]!);
      if (forced !== undefined) repairs.add(forced, step, labels);
      return buckets.quantile(phi.values[step]!);
    },
  });
  repairs.remark();
}

/** What was repaired, gathered: a remark for each histogram and step would cost more than the quantiles. */
class Repairs {
  readonly #context: HistogramContext;
  readonly #byMetric = new Map<string, ForcedMonotonicity>();

  constructor(context: HistogramContext) {
    this.#context = context;
  }

  add(forced: Repair, step: number, labels: Labels): void {
    const { steps, names } = this.#context;
    const timeMs = steps.startMs + step * steps.stepMs;
    // Without delayed removal the name is gone by now, in Prometheus too.
    const metric = names.delayed ? valueOf(labels, METRIC_NAME) : '';
    const known = this.#byMetric.get(metric);
    const one = { ...forced, firstMs: timeMs, lastMs: timeMs, count: 1 };
    this.#byMetric.set(metric, known === undefined ? one : joinForced(known, one));
  }

  remark(): void {
    const { annotations, pos } = this.#context;
    for (const [metric, forced] of this.#byMetric) annotations.forcedMonotonicity(metric, pos, forced);
  }
}

export function histogramFraction(
  lower: ScalarValue,
  upper: ScalarValue,
  operand: VectorValue,
  context: HistogramContext,
): VectorValue {
  const out = new ColumnsBuilder(context.steps.count);
  new Families(operand.columns, context).each(out, (labels) => labels, {
    native: (histogram, step, remark) => nativeFraction(lower.values[step]!, upper.values[step]!, histogram, remark),
    classic: (buckets, step) => buckets.fraction(lower.values[step]!, upper.values[step]!),
  });
  return context.names.drop(joinSameRows(out.finish()));
}

/** The rows of one classic histogram, by rising bound. */
interface Family {
  readonly labels: Labels;
  readonly rows: { row: number; bound: number }[];
}

interface Evaluation {
  native(histogram: FloatHistogram, step: number, remark: (remark: NativeRemark) => void): number;
  classic(buckets: ClassicBuckets, step: number, labels: Labels): number;
}

/** All histograms of a vector, of both kinds. */
class Families {
  readonly #columns: Columns;
  readonly #context: HistogramContext;
  /** By the number of their labels without that of the bound. */
  readonly #classic: Family[] = [];
  readonly #index = new LabelIndex((name) => name !== BUCKET_LABEL);
  readonly #bounds = new Map<string, ReturnType<typeof parseFloatText>>();

  constructor(columns: Columns, context: HistogramContext) {
    this.#columns = columns;
    this.#context = context;
    const { labels, steps, present } = columns;
    for (let row = 0; row < labels.length; row++) {
      context.pace.spend(1);
      let cell = row * steps;
      while (cell < (row + 1) * steps && present[cell] !== FLOAT) cell++;
      if (cell < (row + 1) * steps) this.#sort(labels[row]!, row);
    }
    for (const { rows } of this.#classic) rows.sort((a, b) => a.bound - b.bound);
  }

  #sort(labels: Labels, row: number): void {
    const text = valueOf(labels, BUCKET_LABEL);
    const bound = this.#boundOf(text);
    if (typeof bound !== 'number') {
      this.#context.annotations.badBucketLabel(valueOf(labels, METRIC_NAME), text, this.#context.pos);
      return;
    }
    const number = this.#index.add(labels);
    if (number === this.#classic.length) this.#classic.push({ labels: this.#index.keptOf(labels), rows: [] });
    this.#classic[number]!.rows.push({ row, bound });
  }

  #boundOf(text: string): ReturnType<typeof parseFloatText> {
    let bound = this.#bounds.get(text);
    if (bound === undefined) this.#bounds.set(text, (bound = parseFloatText(text)));
    return bound;
  }

  get classicCount(): number {
    return this.#classic.length;
  }

  /** Evaluates each histogram at each step into rows of `out`, whose labels may depend on the step. */
  each(out: ColumnsBuilder, labelled: (labels: Labels, step: number) => Labels, evaluation: Evaluation): void {
    const conflicts = this.#conflicts();
    if (hasHistograms(this.#columns)) {
      this.#columns.labels.forEach((labels, row) => {
        const family = this.#nativeFamily(labels);
        this.#eachNative(new RowWriter(out, labelled, labels), row, evaluation, conflicts.get(family));
      });
    }
    this.#classic.forEach((family, number) => {
      this.#eachClassic(new RowWriter(out, labelled, family.labels), family, evaluation, conflicts.get(number));
    });
  }

  #eachNative(
    writer: RowWriter,
    row: number,
    evaluation: Evaluation,
    conflicts: ReadonlySet<number> | undefined,
  ): void {
    const { labels, steps, histograms } = this.#columns;
    if (histograms === undefined) return;
    const { annotations, pos, names } = this.#context;
    const metric = names.delayed ? valueOf(labels[row]!, METRIC_NAME) : '';
    const remark = (what: NativeRemark) => annotations.nanObservations(what, metric, pos);
    for (let step = 0; step < steps; step++) {
      const histogram = histograms.get(row * steps + step);
      if (histogram === undefined || conflicts?.has(step)) continue;
      writer.write(step, evaluation.native(histogram, step, remark));
    }
  }

  #eachClassic(
    writer: RowWriter,
    { labels, rows }: Family,
    evaluation: Evaluation,
    conflicts: ReadonlySet<number> | undefined,
  ): void {
    const { steps, present, values } = this.#columns;
    const buckets = new ClassicBuckets(rows.length);
    for (let step = 0; step < steps; step++) {
      this.#context.pace.spend(rows.length);
      if (conflicts?.has(step)) continue;
      buckets.clear();
      for (const { row, bound } of rows) {
        const cell = row * steps + step;
        if (present[cell] === FLOAT) buckets.push(bound, values[cell]!);
      }
      if (!buckets.isEmpty) writer.write(step, evaluation.classic(buckets, step, labels));
    }
  }

  /** Steps at which a histogram is there both ways: neither counts. */
  #conflicts(): Map<number, Set<number>> {
    const { labels, steps, present } = this.#columns;
    const conflicts = new Map<number, Set<number>>();
    for (const [cell] of this.#columns.histograms ?? []) {
      const row = labels[Math.floor(cell / steps)]!;
      const number = this.#nativeFamily(row);
      const step = cell % steps;
      const rows = this.#classic[number]?.rows ?? [];
      if (!rows.some(({ row: other }) => present[other * steps + step] === FLOAT)) continue;
      this.#context.annotations.classicAndNative(valueOf(row, METRIC_NAME), this.#context.pos);
      conflicts.set(number, (conflicts.get(number) ?? new Set()).add(step));
    }
    return conflicts;
  }

  /** The number of the classic histogram with the labels of a native one, or NONE. */
  #nativeFamily(labels: Labels): number {
    return valueOf(labels, BUCKET_LABEL) === '' ? this.#index.find(labels) : NONE;
  }
}

/** Writes one histogram's results, in a new row whenever its labels change. */
class RowWriter {
  #offset = 0;
  #current: Labels | undefined;

  constructor(
    readonly out: ColumnsBuilder,
    readonly labelled: (labels: Labels, step: number) => Labels,
    readonly labels: Labels,
  ) {}

  write(step: number, value: number): void {
    const wanted = this.labelled(this.labels, step);
    if (this.#current === undefined || (wanted !== this.#current && keyOf(wanted) !== keyOf(this.#current))) {
      this.#offset = this.out.row(wanted);
      this.#current = wanted;
    }
    this.out.present[this.#offset + step] = FLOAT;
    this.out.values[this.#offset + step] = value;
  }
}
