// Parts of label sets: what an operator keeps of each row's labels.
//
// Rows mostly have the same names, so names are looked at once for each list of them
// (a shape), not once a row: telling that a row has the shape of the one before is
// a few comparisons of pointers.

import { keyOf, type Labels } from '../../model/labels.js';

/** The names of some rows, and where the values stand that are kept of them. */
export interface Shape {
  /** Names and values alternate in a row, and so does this: values are left empty. */
  readonly row: Labels;
  /** Indices of the values kept, and of those dropped. */
  readonly kept: readonly number[];
  readonly dropped: readonly number[];
  /** Equal for shapes of which the same names are kept. */
  readonly keptNames: number;
  readonly droppedNames: number;
}

export type Keep = (name: string) => boolean;

/** Shapes tried before one is looked up by its names: rows of a few metrics may alternate. */
const RECENT = 4;

export class Projection {
  readonly #keep: Keep;
  readonly #shapes = new Map<string, Shape>();
  readonly #recent: Shape[] = [];
  readonly #names = new Map<string, number>();

  constructor(keep: Keep) {
    this.#keep = keep;
  }

  shapeOf(row: Labels): Shape {
    const recent = this.#recent;
    for (let i = 0; i < recent.length; i++) {
      const shape = recent[i]!;
      if (!hasShape(row, shape.row)) continue;
      if (i > 0) {
        recent[i] = recent[0]!;
        recent[0] = shape;
      }
      return shape;
    }
    return this.#find(row);
  }

  /** What is kept of a row: the row itself, where that is all. */
  of(row: Labels): Labels {
    const { kept, dropped } = this.shapeOf(row);
    return dropped.length === 0 ? row : pickPairs(row, kept);
  }

  #find(row: Labels): Shape {
    const key = keyOf(row.filter((_, i) => i % 2 === 0));
    let shape = this.#shapes.get(key);
    if (shape === undefined) this.#shapes.set(key, (shape = this.#shape(row)));
    this.#recent.unshift(shape);
    if (this.#recent.length > RECENT) this.#recent.pop();
    return shape;
  }

  #shape(row: Labels): Shape {
    const kept: number[] = [];
    const dropped: number[] = [];
    for (let i = 0; i < row.length; i += 2) (this.#keep(row[i]!) ? kept : dropped).push(i + 1);
    return {
      row: row.map((text, i) => (i % 2 === 0 ? text : '')),
      kept,
      dropped,
      keptNames: this.#numberOf(row, kept),
      droppedNames: this.#numberOf(row, dropped),
    };
  }

  #numberOf(row: Labels, values: readonly number[]): number {
    const key = keyOf(values.map((at) => row[at - 1]!));
    let number = this.#names.get(key);
    if (number === undefined) this.#names.set(key, (number = this.#names.size));
    return number;
  }
}

function hasShape(row: Labels, shape: Labels): boolean {
  if (row.length !== shape.length) return false;
  for (let i = 0; i < row.length; i += 2) if (row[i] !== shape[i]) return false;
  return true;
}

/** The pairs whose values are at the given indices, which rise. */
export function pickPairs(row: Labels, values: readonly number[]): Labels {
  const count = values.length;
  if (count > 0 && values[count - 1]! - values[0]! === 2 * (count - 1)) {
    return row.slice(values[0]! - 1, values[count - 1]! + 1);
  }
  const picked: string[] = new Array(2 * count);
  for (let i = 0; i < count; i++) {
    const at = values[i]!;
    picked[2 * i] = row[at - 1]!;
    picked[2 * i + 1] = row[at]!;
  }
  return picked;
}
