// Rows that shards rendered, put together: one text after the other for a vector, merged by
// labels for what is sorted. Bytes are only cut and passed on.

import { freeBuffer } from '../base/thread.js';
import type { RenderedRows } from '../promql/exec/source.js';
import { isSorted, type RenderedText, type RenderSpec, TextRows } from '../wasm/render.js';

/** Runs of rows shorter than this are gathered before they are handed on. */
const PIECE_BYTES = 64 * 1024;
/** Freeing a buffer takes 3 µs; smaller ones are not worth it. */
const FREED_BYTES_MIN = 16 * 1024;
const COMMA = Buffer.from(',');

/** `texts` in the order of shards and morsels. */
export function joinTexts(texts: readonly RenderedText[], form: RenderSpec['form']): RenderedRows {
  const parts = texts.filter(({ rowCount }) => rowCount > 0).map((text) => new TextRows(text, form));
  const rowCount = parts.reduce((sum, part) => sum + part.rowCount, 0);
  const runs = isSorted(form) && parts.length > 1 ? () => mergedRuns(parts) : () => wholeRuns(parts);
  const bytes = texts.reduce((sum, text) => sum + text.bytes.byteLength, 0);
  return {
    rowCount,
    bytes,
    pieces: (limit) => gather(textsOf(runs(), limit === 0 ? rowCount : limit)),
    free: () => {
      for (const text of texts) if (text.bytes.byteLength >= FREED_BYTES_MIN) freeBuffer(text.bytes);
    },
  };
}

/** Rows of one part that follow each other in the result. */
interface Run {
  readonly part: TextRows;
  readonly from: number;
  readonly to: number;
}

function* wholeRuns(parts: readonly TextRows[]): Generator<Run> {
  for (const part of parts) yield { part, from: 0, to: part.rowCount };
}

/** Merges sorted parts: the one whose next row comes first gives rows as long as they come before those of all others. */
function* mergedRuns(parts: readonly TextRows[]): Generator<Run> {
  const heap = new Heap(parts.map((part) => ({ part, at: 0 })));
  for (;;) {
    const first = heap.first;
    if (first === undefined) return;
    const { part, at: from } = first;
    do first.at++;
    while (first.at < part.rowCount && heap.isStillFirst());
    const to = first.at;
    if (to === part.rowCount) heap.removeFirst();
    else heap.sink();
    yield { part, from, to };
  }
}

interface Cursor {
  readonly part: TextRows;
  at: number;
}

/** Cursors by the row that they are at, the earliest at the top. */
class Heap {
  readonly #cursors: Cursor[];

  constructor(cursors: Cursor[]) {
    // Sorted is a heap.
    this.#cursors = cursors.sort(compareCursors);
  }

  get first(): Cursor | undefined {
    return this.#cursors[0];
  }

  /** Whether the first is still before all others, after it went on. */
  isStillFirst(): boolean {
    const [first, left, right] = this.#cursors;
    return (
      (left === undefined || compareCursors(first!, left) <= 0) &&
      (right === undefined || compareCursors(first!, right) <= 0)
    );
  }

  removeFirst(): void {
    const last = this.#cursors.pop()!;
    if (this.#cursors.length === 0) return;
    this.#cursors[0] = last;
    this.sink();
  }

  /** Brings the first to its place, after it went on. */
  sink(): void {
    const cursors = this.#cursors;
    const moved = cursors[0]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= cursors.length) break;
      if (child + 1 < cursors.length && compareCursors(cursors[child + 1]!, cursors[child]!) < 0) child++;
      if (compareCursors(moved, cursors[child]!) <= 0) break;
      cursors[at] = cursors[child]!;
      at = child;
    }
    cursors[at] = moved;
  }
}

function compareCursors(a: Cursor, b: Cursor): number {
  return a.part.compare(a.at, b.part, b.at);
}

/** The text of runs, `limit` rows in all. */
function* textsOf(runs: Iterable<Run>, limit: number): Generator<Uint8Array> {
  let left = limit;
  for (const { part, from, to } of runs) {
    const end = Math.min(to, from + left);
    yield part.text(from, end);
    left -= end - from;
    if (left === 0) return;
  }
}

/** Puts commas between texts, and short ones into one piece. */
function* gather(texts: Iterable<Uint8Array>): Generator<Uint8Array> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  let isFirst = true;
  for (const text of texts) {
    if (!isFirst) held.push(COMMA);
    isFirst = false;
    held.push(text);
    bytes += text.length + 1;
    if (bytes < PIECE_BYTES) continue;
    yield held.length === 1 ? text : Buffer.concat(held);
    held = [];
    bytes = 0;
  }
  if (held.length > 0) yield held.length === 1 ? held[0]! : Buffer.concat(held);
}
