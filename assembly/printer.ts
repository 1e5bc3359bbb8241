// The exports of the printer module: rows of samples to JSON text, for threads that have results but no core. It is
// built apart from the core and has a memory of its own, small, of which all behind printer_free() is its caller's.

import { makeOpening, OPENING_BYTES, writeSamples } from './query/json';

/** Memory from here on is the caller's. */
export function printer_free(): usize {
  return __heap_base;
}

/** Makes the openings of all samples of a row, PRINTER_OPENING_BYTES each: those at startMs + i × stepMs. */
export function printer_open(openings: usize, startMs: f64, stepMs: f64, steps: u32): void {
  for (let i: u32 = 0; i < steps; i++) {
    makeOpening(openings + <usize>i * OPENING_BYTES, <i64>(startMs + <f64>i * stepMs));
  }
}

/** Writes the samples of a row that has some, at most PRINTER_SAMPLE_MAX bytes each; gives the address behind them. */
export function printer_samples(out: usize, openings: usize, values: usize, present: usize, steps: u32): usize {
  return writeSamples(out, openings, values, present, steps);
}
