// What a micro-benchmark of a kernel is, and a small runner for a list of them.

import { performance } from 'node:perf_hooks';

export interface Micro {
  readonly name: string;
  /** What one operation is: a sample, a step, a line. */
  readonly unit: string;
  /** Sets up, with a fixed seed, and gives a function that does the work and says how many operations it was. */
  readonly prepare: () => () => number;
}

export interface MicroResult {
  readonly name: string;
  readonly unit: string;
  /** Nanoseconds per operation: the best and the median of the rounds. */
  readonly best: number;
  readonly median: number;
}

/** Runs one benchmark for about `budgetMs` after warming up. */
export function measure(micro: Micro, budgetMs = 400): MicroResult {
  const run = micro.prepare();
  const warmUntil = performance.now() + budgetMs / 2;
  while (performance.now() < warmUntil) run();
  const rounds: number[] = [];
  const until = performance.now() + budgetMs;
  while (performance.now() < until || rounds.length < 5) {
    const started = performance.now();
    const operations = run();
    rounds.push(((performance.now() - started) * 1e6) / operations);
  }
  rounds.sort((a, b) => a - b);
  return { name: micro.name, unit: micro.unit, best: rounds[0]!, median: rounds[rounds.length >> 1]! };
}

export function printAll(micros: readonly Micro[], filter = process.argv[2] ?? ''): void {
  for (const micro of micros) {
    if (!micro.name.includes(filter)) continue;
    const { name, unit, best, median } = measure(micro);
    console.log(`${name.padEnd(44)} ${best.toFixed(2).padStart(8)} ${median.toFixed(2).padStart(8)} ns/${unit}`);
  }
}
