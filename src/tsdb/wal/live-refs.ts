// The series that a log still needs, and up to which time their samples are on the disk elsewhere.

import type { RefTimes } from '../../wasm/sift.js';

/** A table by ref is made where it has at most so many entries for each ref; a Map of a million takes ten times as much. */
const SPARSE = 8;

/** Refs with times: pairs of f64. */
export const LIVE_REF_FIELDS = 2;

export class LiveRefs {
  /** elsewhereTo() of all refs, where these are dense; of others it is Infinity. */
  readonly times: RefTimes | undefined;
  readonly #find: (ref: number) => number | undefined;

  /** Of pairs (ref, time in ms), f64 each; the time is -Infinity where nothing is elsewhere. */
  constructor(buffers: readonly ArrayBuffer[]) {
    const parts = buffers.map((buffer) => new Float64Array(buffer));
    let [count, least, greatest] = [0, Number.POSITIVE_INFINITY, 0];
    for (const part of parts) {
      count += part.length / LIVE_REF_FIELDS;
      for (let i = 0; i < part.length; i += LIVE_REF_FIELDS) {
        least = Math.min(least, part[i]!);
        greatest = Math.max(greatest, part[i]!);
      }
    }
    const span = count === 0 ? 0 : greatest - least + 1;
    this.times =
      span <= count * SPARSE ? { least: count === 0 ? 0 : least, times: dense(parts, least, span) } : undefined;
    this.#find = this.times === undefined ? sparse(parts) : inTable(this.times);
  }

  has(ref: number): boolean {
    return this.#find(ref) !== undefined;
  }

  /**
   * The time of the last sample of a series that is on the disk elsewhere; -Infinity where none is. Infinity of a series that the
   * head does not have: all of it is in blocks, or deleted.
   */
  elsewhereTo(ref: number): number {
    return this.#find(ref) ?? Number.POSITIVE_INFINITY;
  }
}

function dense(parts: readonly Float64Array[], least: number, span: number): Float64Array {
  const times = new Float64Array(span).fill(Number.NaN);
  each(parts, (ref, time) => {
    times[ref - least] = time;
  });
  return times;
}

function inTable({ least, times }: RefTimes): (ref: number) => number | undefined {
  return (ref) => {
    const time = times[ref - least];
    return time === undefined || Number.isNaN(time) ? undefined : time;
  };
}

function sparse(parts: readonly Float64Array[]): (ref: number) => number | undefined {
  const times = new Map<number, number>();
  each(parts, (ref, time) => times.set(ref, time));
  return (ref) => times.get(ref);
}

function each(parts: readonly Float64Array[], visit: (ref: number, time: number) => void): void {
  for (const part of parts) for (let i = 0; i < part.length; i += LIVE_REF_FIELDS) visit(part[i]!, part[i + 1]!);
}
