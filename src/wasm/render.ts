// The façade of renderings: rows of a query that leave the core as the JSON text of its answer.
// What the text is: assembly/query/render.ts. How it travels: docs/formats/shard-messages.md.

import { RenderForm } from '../../assembly/layout.js';
import type { Core } from './core.js';
import { OutOfMemory } from './out-of-memory.js';

/** What rows are written as, and at which times. */
export interface RenderSpec {
  /**
   * `matrix`: all samples of a row, rows in the order of their labels. `vector`: the one of a single step. `labels`:
   * no samples, in the order of labels.
   */
  readonly form: 'matrix' | 'vector' | 'labels';
  /** The query's own times, whole milliseconds: those of windows are shifted by their offset. */
  readonly startMs: number;
  readonly stepMs: number;
}

/** Rows of one morsel. */
export interface RenderedText {
  readonly rowCount: number;
  /** Samples in all rows. */
  readonly cells: number;
  /** Bytes of text at the beginning of `bytes`. */
  readonly textBytes: number;
  readonly bytes: ArrayBuffer;
}

const FORMS = { vector: RenderForm.Vector, matrix: RenderForm.Matrix, labels: RenderForm.Labels };

/** A rendering in the core's memory: belongs to the query that it is given to. */
export type Rendering = number & { readonly __ref: 'Rendering' };

/** `dropped`: symbols of label names that rows lose. */
export function openRendering(core: Core, spec: RenderSpec, steps: number, dropped: readonly number[]): Rendering {
  const { exports } = core;
  const rendering = exports.render_open(spec.startMs, spec.stepMs, steps, FORMS[spec.form]) >>> 0;
  if (rendering === 0) throw new OutOfMemory();
  for (const name of dropped) {
    if (exports.render_drop(rendering, name)) continue;
    exports.render_close(rendering);
    throw new OutOfMemory();
  }
  return rendering as Rendering;
}

/** The rows of the last morsel: a copy. */
export function takeText(core: Core, rendering: Rendering, form: RenderSpec['form']): RenderedText {
  const { exports } = core;
  const rowCount = exports.render_rows(rendering) >>> 0;
  const textBytes = exports.render_text_bytes(rendering) >>> 0;
  const words = [exports.render_ends(rendering)];
  if (isSorted(form)) words.push(exports.render_order(rendering), exports.render_key_ends(rendering));
  const keysBytes = isSorted(form) ? exports.render_keys_bytes(rendering) >>> 0 : 0;
  let at = wordAligned(textBytes);
  // Not zeroed, and no part of a pool: it moves.
  const bytes: Uint8Array<ArrayBuffer> = Buffer.allocUnsafeSlow(at + words.length * rowCount * 4 + keysBytes);
  bytes.set(core.u8(exports.render_text(rendering), textBytes));
  for (const address of words) {
    bytes.set(core.u8(address, rowCount * 4), at);
    at += rowCount * 4;
  }
  bytes.set(core.u8(exports.render_keys(rendering), keysBytes), at);
  return { rowCount, cells: exports.render_cells(rendering) >>> 0, textBytes, bytes: bytes.buffer };
}

/** The rows of a text, as main reads them. */
export class TextRows {
  readonly rowCount: number;
  readonly #bytes: Buffer;
  readonly #ends: Uint32Array;
  readonly #order: Uint32Array;
  readonly #keyEnds: Uint32Array;
  readonly #keysAt: number;

  constructor({ rowCount, textBytes, bytes }: RenderedText, form: RenderSpec['form']) {
    this.rowCount = rowCount;
    this.#bytes = Buffer.from(bytes);
    const keyed = isSorted(form) ? rowCount : 0;
    const at = wordAligned(textBytes);
    this.#ends = new Uint32Array(bytes, at, rowCount);
    this.#order = new Uint32Array(bytes, at + rowCount * 4, keyed);
    this.#keyEnds = new Uint32Array(bytes, at + (rowCount + keyed) * 4, keyed);
    this.#keysAt = at + (rowCount + 2 * keyed) * 4;
  }

  /** Rows `from` up to but without `to`, commas between them: lends. */
  text(from: number, to: number): Uint8Array {
    // A comma is at the end of each row but the last.
    return this.#bytes.subarray(from === 0 ? 0 : this.#ends[from - 1]! + 1, this.#ends[to - 1]!);
  }

  /** Below, at or above 0 as this `row` is before, like or after that one of `other`, by labels. Of sorted forms only. */
  compare(row: number, other: TextRows, otherRow: number): number {
    const [from, to] = this.#key(row);
    const [otherFrom, otherTo] = other.#key(otherRow);
    return this.#bytes.compare(other.#bytes, otherFrom, otherTo, from, to);
  }

  #key(row: number): [from: number, to: number] {
    const found = this.#order[row]!;
    const from = found === 0 ? 0 : this.#keyEnds[found - 1]!;
    return [this.#keysAt + from, this.#keysAt + this.#keyEnds[found]!];
  }
}

/** Whether rows come in the order of their labels, each with a key. */
export function isSorted(form: RenderSpec['form']): boolean {
  return form !== 'vector';
}

/** Words stand at multiples of four; eight keeps the copy of the text fast. */
function wordAligned(bytes: number): number {
  return (bytes + 7) & ~7;
}
