// Rows of a result as JSON text, in threads that have no core: main and evaluators. The samples are written by a small
// module with a memory of its own (assembly/printer.ts).
//
//   openings   steps × 32 bytes: `[1435781430.781,"` of each step, made once
//   values     steps × f64, of the row being written
//   present    steps × u8, 1 where there is a value
//   text       row , row , row …     as long as it becomes
//
// A thread has one printer, which belongs to whoever calls, from begin() until take(), without waiting in between.

import { instantiateSync } from '@assemblyscript/loader';
import { PAGE_BYTES, SAMPLE_OPENING_BYTES, SAMPLE_TEXT_MAX, TEXT_SLACK } from '../../assembly/layout.js';
import type { __AdaptedExports } from '../../build/printer.js';
import { type CoreBuild, compile, defaultBuild, trapsOf } from './core.js';

/** Of the module's import. */
const PAGES_MIN = 4;
/** A character takes three bytes at most: those of four are two characters of JavaScript. */
const CHARACTER_BYTES = 3;
const COMMA = 0x2c;

/** Times of a row's cells: startMs + i × stepMs, whole milliseconds. */
export interface PrintedSteps {
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
}

let own: Printer | undefined;

/** This thread's printer, started when it is first wanted. */
export function printer(): Printer {
  own ??= new Printer();
  return own;
}

export class Printer {
  readonly #exports: typeof __AdaptedExports;
  readonly #memory = new WebAssembly.Memory<ArrayBuffer>({ initial: PAGES_MIN });
  readonly #free: number;
  #bytes: Buffer;
  #values = new Float64Array(0);
  #steps = 0;
  #valuesAt = 0;
  #present = 0;
  #text = 0;
  #end = 0;

  constructor(build: CoreBuild = defaultBuild()) {
    const imports = { env: { memory: this.#memory, abort: trapsOf(this.#memory) } };
    const { exports } = instantiateSync(compile('printer', build), imports as never);
    this.#exports = exports as unknown as typeof __AdaptedExports;
    this.#bytes = Buffer.from(this.#memory.buffer);
    this.#free = aligned(this.#exports.printer_free() >>> 0);
  }

  /** Forgets what was written. */
  begin({ startMs, stepMs, count }: PrintedSteps): void {
    this.#steps = count;
    this.#valuesAt = this.#free + count * SAMPLE_OPENING_BYTES;
    this.#present = this.#valuesAt + count * Float64Array.BYTES_PER_ELEMENT;
    this.#text = aligned(this.#present + count);
    this.#end = this.#text;
    if (!this.#reserve(0)) this.#look();
    this.#exports.printer_open(this.#free, startMs, stepMs, count);
  }

  /**
   * Writes a row: `before`, the samples of the cells from `cell` on whose mark is 1, `after`. One of them at least has
   * to have it.
   */
  row(before: string, values: Float64Array, present: Uint8Array, cell: number, after: string): void {
    const steps = this.#steps;
    this.#reserve((before.length + after.length) * CHARACTER_BYTES + steps * SAMPLE_TEXT_MAX + 1);
    const bytes = this.#bytes;
    const marks = this.#present;
    const openings = this.#free;
    let end = this.#end;
    if (end !== this.#text) bytes[end++] = COMMA;
    end += bytes.write(before, end);
    this.#values.set(values.subarray(cell, cell + steps));
    bytes.set(present.subarray(cell, cell + steps), marks);
    end = this.#exports.printer_samples(end, openings, this.#valuesAt, marks, steps) >>> 0;
    this.#end = end + bytes.write(after, end);
  }

  /** The rows since begin(): a copy. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer.slice(this.#text, this.#end));
  }

  /** Makes room for `bytes` more of text; false where there is enough. */
  #reserve(bytes: number): boolean {
    const missing = this.#end + bytes + TEXT_SLACK - this.#bytes.length;
    if (missing <= 0) return false;
    // Not page by page: growing makes all views anew.
    this.#memory.grow(Math.ceil(Math.max(missing, this.#bytes.length) / PAGE_BYTES));
    this.#look();
    return true;
  }

  /** Makes the views of the memory as it is now. */
  #look(): void {
    this.#bytes = Buffer.from(this.#memory.buffer);
    this.#values = new Float64Array(this.#memory.buffer, this.#valuesAt, this.#steps);
  }
}

function aligned(address: number): number {
  return (address + 15) & ~15;
}
