// A query's result as the JSON of the API, in pieces: no object per sample. Rows of a range query are bytes, as
// WebAssembly writes them, unless there are histograms among them.
//
//   [{"metric":{"__name__":"up","job":"a"},"values":[[1435781430.781,"1"],[1435781445.781,"1"]]}]

import { histogramJson, labelsJson, timestampJson, valueJson } from '../model/json.js';
import type { Labels } from '../model/labels.js';
import { formatFloat } from '../model/number.js';
import { hasHistograms } from '../promql/exec/columns.js';
import { type Columns, FLOAT, HISTOGRAM, type RawSeries, type Steps } from '../promql/exec/source.js';
import { printer } from '../wasm/printer.js';
import type { QueryData } from './result.js';

/** Samples of one series that one piece holds at most. */
const PIECE_SAMPLES = 1024;
/** About so many cells are printed at once: a millisecond. */
const PRINTED_CELLS = 2 ** 16;

/** Results with rows that are values. */
export type RowData = Extract<QueryData, { kind: 'vector' | 'range' | 'raw' }>;

export type ResultType = 'scalar' | 'string' | 'vector' | 'matrix';

export function resultTypeOf(data: QueryData): ResultType {
  const { kind } = data;
  if (kind === 'rendered') return data.form;
  return kind === 'range' || kind === 'raw' ? 'matrix' : kind;
}

/** At most so many series of a result; 0 is no limit. */
export function limited(data: QueryData, limit: number): { readonly kept: QueryData; readonly isWhole: boolean } {
  const whole = { kept: data, isWhole: true };
  if (limit === 0) return whole;
  switch (data.kind) {
    case 'scalar':
    case 'string':
      return whole;
    case 'rendered':
      if (data.rows.rowCount <= limit) return whole;
      return { kept: { ...data, limit }, isWhole: false };
    case 'raw':
      if (data.series.length <= limit) return whole;
      return { kept: { ...data, series: data.series.slice(0, limit) }, isWhole: false };
    default: {
      const { labels } = data.columns;
      if (labels.length <= limit) return whole;
      return { kept: { ...data, columns: { ...data.columns, labels: labels.slice(0, limit) } }, isWhole: false };
    }
  }
}

/** Text of a result, a series or a thousand of its samples at a time; as bytes where it came as bytes. */
export type ResultPieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** The text of a result. Only rows that are still to be made are waited for: a small answer is not worth its promises. */
export function resultJson(data: QueryData): ResultPieces {
  if (data.kind !== 'rendered') return valuesJson(data);
  const pieces = data.rows.pieces(data.limit);
  return Symbol.iterator in pieces ? bracketed(pieces) : bracketedLater(pieces);
}

function* bracketed(pieces: Iterable<Uint8Array>): Generator<string | Uint8Array> {
  yield '[';
  yield* pieces;
  yield ']';
}

async function* bracketedLater(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string | Uint8Array> {
  yield '[';
  yield* pieces;
  yield ']';
}

function* valuesJson(data: Exclude<QueryData, { kind: 'rendered' }>): Generator<string | Uint8Array> {
  switch (data.kind) {
    case 'scalar':
      yield `[${data.timeMs / 1000},"${formatFloat(data.value)}"]`;
      return;
    case 'string':
      yield `[${data.timeMs / 1000},${JSON.stringify(data.text)}]`;
      return;
    default:
      yield '[';
      yield* seriesJson(data);
      yield ']';
  }
}

/** The series of a result with commas between them, without the brackets around them. */
export function* seriesJson(data: RowData): Generator<string | Uint8Array<ArrayBuffer>> {
  switch (data.kind) {
    case 'vector':
      return yield* vectorJson(data.timeMs, data.columns);
    case 'range':
      return yield* hasHistograms(data.columns)
        ? rangeJson(data.steps, data.columns)
        : printed(data.steps, data.columns);
    case 'raw':
      return yield* rawJson(data.series);
  }
}

/** The same at once, in a buffer of its own. */
export function seriesText(data: RowData): Uint8Array<ArrayBuffer> {
  const bytes: Uint8Array<ArrayBuffer>[] = [];
  let text = '';
  for (const piece of seriesJson(data)) {
    if (typeof piece === 'string') text += piece;
    else bytes.push(piece);
  }
  if (bytes.length === 0) return new Uint8Array(Buffer.from(text));
  return bytes.length === 1 ? bytes[0]! : joined(bytes);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function* vectorJson(timeMs: number, { labels, values, present, histograms }: Columns): Generator<string> {
  const time = timestampJson(timeMs);
  for (let row = 0; row < labels.length; row++) {
    const cell =
      present[row] === HISTOGRAM
        ? `"histogram":[${time},${histogramJson(histograms!.get(row)!)}]`
        : `"value":[${time},${valueJson(values[row]!)}]`;
    yield `${metricJson(row, labels[row]!)},${cell}}`;
  }
}

/** Rows with floats alone, each of which has one. */
function* printed(
  steps: Steps,
  { labels, steps: count, values, present }: Columns,
): Generator<Uint8Array<ArrayBuffer>> {
  const rowsMax = Math.max(1, Math.floor(PRINTED_CELLS / count));
  for (let from = 0; from < labels.length; from += rowsMax) {
    const out = printer();
    out.begin({ ...steps, count });
    const to = Math.min(labels.length, from + rowsMax);
    for (let row = from; row < to; row++) {
      out.row(`{"metric":${labelsJson(labels[row]!)},"values":[`, values, present, row * count, ']}');
    }
    if (from > 0) yield COMMA;
    yield out.take();
  }
}

/** What has histograms, and what WebAssembly's text is tested against. */
export function* rangeJson(steps: Steps, columns: Columns): Generator<string> {
  const { labels, values, present, histograms } = columns;
  const count = columns.steps;
  // What is the same in all rows is formatted once.
  const openings = Array.from({ length: count }, (_, i) => `[${timestampJson(steps.startMs + i * steps.stepMs)},`);
  for (let row = 0; row < labels.length; row++) {
    const base = row * count;
    const cells = present.subarray(base, base + count);
    yield metricJson(row, labels[row]!);
    if (cells.includes(FLOAT)) {
      // Digits cost more than anything else here, and many series stay the same for long.
      let before = Number.NaN;
      let json = '';
      yield* cellsJson('values', cells, FLOAT, (step) => {
        const value = values[base + step]!;
        if (!Object.is(value, before) || json === '') {
          before = value;
          json = valueJson(value);
        }
        return `${openings[step]}${json}]`;
      });
    }
    if (histograms !== undefined && cells.includes(HISTOGRAM)) {
      const pointAt = (step: number) => `${openings[step]}${histogramJson(histograms.get(base + step)!)}]`;
      yield* cellsJson('histograms', cells, HISTOGRAM, pointAt);
    }
    yield '}';
  }
}

/** One row's points of one kind. */
function* cellsJson(
  field: string,
  cells: Uint8Array,
  kind: typeof FLOAT | typeof HISTOGRAM,
  pointAt: (step: number) => string,
): Generator<string> {
  let text = `,"${field}":[`;
  let comma = '';
  for (let from = 0; from < cells.length; from += PIECE_SAMPLES) {
    const to = Math.min(cells.length, from + PIECE_SAMPLES);
    for (let step = from; step < to; step++) {
      if (cells[step] !== kind) continue;
      text += comma + pointAt(step);
      comma = ',';
    }
    yield text;
    text = '';
  }
  yield ']';
}

function* rawJson(series: readonly RawSeries[]): Generator<string> {
  for (const [index, one] of series.entries()) {
    const { times, values, histogramTimes = NO_TIMES, histograms = [] } = one;
    yield metricJson(index, one.labels);
    yield* samplesJson('values', times, (i) => valueJson(values[i]!));
    yield* samplesJson('histograms', histogramTimes, (i) => histogramJson(histograms[i]!));
    yield '}';
  }
}

/** Samples at times of their own; nothing where there are none. */
function* samplesJson(field: string, times: Float64Array, valueAt: (index: number) => string): Generator<string> {
  if (times.length === 0) return;
  let text = `,"${field}":[`;
  for (let from = 0; from < times.length; from += PIECE_SAMPLES) {
    const to = Math.min(times.length, from + PIECE_SAMPLES);
    for (let i = from; i < to; i++) text += `${i > 0 ? ',' : ''}[${timestampJson(times[i]!)},${valueAt(i)}]`;
    yield text;
    text = '';
  }
  yield ']';
}

const COMMA = new Uint8Array([0x2c]);
const NO_TIMES = new Float64Array(0);

/** The beginning of one series of a result, behind the one before. */
function metricJson(index: number, labels: Labels): string {
  return `${index > 0 ? ',' : ''}{"metric":${labelsJson(labels)}`;
}
