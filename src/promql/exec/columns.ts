// Building columns: rows that come one by one, and rows that turn out to be the same.

import type { FloatHistogram } from '../../model/histogram.js';
import type { Labels } from '../../model/labels.js';
import { executionError, SAME_LABELS } from '../errors.js';
import { LabelIndex } from './label-index.js';
import { Notes } from './notes.js';
import { ABSENT, type Columns, HISTOGRAM, type Note } from './source.js';

export function emptyColumns(steps: number): Columns {
  return { labels: [], steps, values: new Float64Array(0), present: new Uint8Array(0) };
}

/** The answer of a source that declines a fragment. */
export function declinedColumns(steps: number): Columns {
  return { ...emptyColumns(steps), declined: true };
}

/** Columns without any value yet, to be filled cell by cell. */
export function blankColumns(labels: Labels[], steps: number): Columns & { histograms: Map<number, FloatHistogram> } {
  const cells = labels.length * steps;
  return {
    labels,
    steps,
    values: new Float64Array(cells),
    present: new Uint8Array(cells),
    histograms: new Map(),
  };
}

/** A value and its mark. */
export const CELL_BYTES = 9;

/** Rows of which nobody knows beforehand how many there will be. Its arrays grow by doubling. */
export class ColumnsBuilder {
  readonly labels: Labels[] = [];
  readonly steps: number;
  values: Float64Array;
  present: Uint8Array;
  readonly histograms = new Map<number, FloatHistogram>();
  readonly #notes = new Notes();
  readonly #reserve: (bytes: number) => void;

  /** `reserve` is asked before memory grows. */
  constructor(steps: number, rows = 8, reserve: (bytes: number) => void = () => {}) {
    this.#reserve = reserve;
    this.steps = steps;
    this.values = new Float64Array(rows * steps);
    this.present = new Uint8Array(rows * steps);
  }

  /** Adds an empty row and gives its first cell. */
  row(labels: Labels): number {
    const offset = this.labels.length * this.steps;
    if (offset + this.steps > this.values.length) this.#grow();
    this.labels.push(labels);
    return offset;
  }

  /** Takes back the row added last, of which nothing was filled. */
  dropRow(): void {
    this.labels.pop();
  }

  note(note: Note): void {
    this.#notes.add(note);
  }

  #grow(): void {
    const rows = Math.max(8, this.labels.length * 2);
    this.#reserve((rows - this.labels.length) * this.steps * CELL_BYTES);
    const values = new Float64Array(rows * this.steps);
    values.set(this.values);
    const present = new Uint8Array(rows * this.steps);
    present.set(this.present);
    this.values = values;
    this.present = present;
  }

  /** The rows so far; lends its memory. */
  finish(): Columns {
    const cells = this.labels.length * this.steps;
    return {
      labels: this.labels,
      steps: this.steps,
      values: this.values.subarray(0, cells),
      present: this.present.subarray(0, cells),
      ...(this.histograms.size > 0 && { histograms: this.histograms }),
      ...(!this.#notes.isEmpty && { notes: this.#notes.list }),
    };
  }
}

/** Cells that have a value. */
export function presentCount({ present }: Columns): number {
  // Marks are 0, 1 or 2: four at a time, where they lie as words do.
  const words = present.byteOffset % 4 === 0 ? present.length >>> 2 : 0;
  const quads = new Uint32Array(present.buffer, words === 0 ? 0 : present.byteOffset, words);
  let count = 0;
  for (let i = 0; i < words; ) {
    // A byte of the sum holds what so many words add to it.
    const end = Math.min(words, i + 255);
    let sums = 0;
    for (; i < end; i++) sums += (quads[i]! | (quads[i]! >>> 1)) & 0x01010101;
    count += (sums & 0xff) + ((sums >>> 8) & 0xff) + ((sums >>> 16) & 0xff) + (sums >>> 24);
  }
  for (let cell = words * 4; cell < present.length; cell++) if (present[cell] !== ABSENT) count++;
  return count;
}

export function hasHistograms(columns: Columns): boolean {
  return columns.histograms !== undefined && columns.histograms.size > 0;
}

/** Whether a row has any value. */
export function rowIsEmpty(columns: Columns, row: number): boolean {
  const { steps, present } = columns;
  for (let cell = row * steps; cell < (row + 1) * steps; cell++) if (present[cell] !== ABSENT) return false;
  return true;
}

/**
 * Joins rows with equal labels. Two values at one step are an error; so are two such rows at all
 * where `strict`. Gives the columns as they are where all rows differ.
 */
export function joinSameRows(columns: Columns, strict = false): Columns {
  const { labels, steps } = columns;
  if (labels.length < 2) return columns;
  const index = new LabelIndex();
  const target = new Int32Array(labels.length);
  const kept: Labels[] = [];
  for (let row = 0; row < labels.length; row++) {
    const number = index.add(labels[row]!);
    target[row] = number;
    if (number === kept.length) kept.push(labels[row]!);
  }
  if (kept.length === labels.length) return columns;
  if (strict) throw executionError(SAME_LABELS);

  const joined = blankColumns(kept, steps);
  for (let row = 0; row < labels.length; row++) {
    for (let step = 0; step < steps; step++) {
      const from = row * steps + step;
      if (columns.present[from] === ABSENT) continue;
      const to = target[row]! * steps + step;
      if (joined.present[to] !== ABSENT) throw executionError(SAME_LABELS);
      copyCell(columns, from, joined, to);
    }
  }
  return { ...joined, notes: columns.notes };
}

export interface CellTarget {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly histograms: Map<number, FloatHistogram>;
}

export function copyCell(from: Columns, source: number, into: CellTarget, cell: number): void {
  const mark = from.present[source]!;
  into.present[cell] = mark;
  if (mark === HISTOGRAM) into.histograms.set(cell, from.histograms!.get(source)!);
  else into.values[cell] = from.values[source]!;
}

/** Rows in another order, or some of them. */
export function pickRows(columns: Columns, rows: readonly number[]): Columns {
  const { steps } = columns;
  const picked = blankColumns(
    rows.map((row) => columns.labels[row]!),
    steps,
  );
  rows.forEach((row, i) => {
    picked.values.set(columns.values.subarray(row * steps, (row + 1) * steps), i * steps);
    picked.present.set(columns.present.subarray(row * steps, (row + 1) * steps), i * steps);
    if (!hasHistograms(columns)) return;
    for (let step = 0; step < steps; step++) {
      const histogram = columns.histograms!.get(row * steps + step);
      if (histogram !== undefined) picked.histograms.set(i * steps + step, histogram);
    }
  });
  return { ...picked, notes: columns.notes };
}

/** The one step of each row, `count` times over. */
export function repeatStep(columns: Columns, count: number): Columns {
  if (count === 1) return columns;
  const repeated = blankColumns(columns.labels, count);
  for (let row = 0; row < columns.labels.length; row++) {
    repeated.values.fill(columns.values[row]!, row * count, (row + 1) * count);
    repeated.present.fill(columns.present[row]!, row * count, (row + 1) * count);
    const histogram = columns.histograms?.get(row);
    if (histogram === undefined) continue;
    for (let step = 0; step < count; step++) repeated.histograms.set(row * count + step, histogram);
  }
  return { ...repeated, notes: columns.notes };
}
