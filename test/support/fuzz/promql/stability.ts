// What of an answer does not depend on chance: on the order in which series are summed
// or tie, and on the last bit of library functions. Only that can be compared.

import { Prng } from '../../../../src/base/prng.js';
import { MemorySource } from '../../../../src/promql/exec/memory-source.js';
import { type Cells, sameCell } from './compare.js';
import type { FuzzSeries } from './data.js';
import { askQuestion, type Question, type Reply } from './question.js';
import { OurAnswerer } from './servers.js';
import { wobbling } from './wobble.js';

/** Orders of series, and by how many units library functions are off with each. */
const TRIES = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, -4, 1, -1] as const;
/** Of ten that tie, all have been chosen by one order or another. */
const MORE_TRIES = 100;
/** What changes by less is still compared, but not as closely. */
const STABLE = 1e-13;

/** Who has them. */
export type Circumstances = Pick<Stability, 'replies' | 'moreReplies'>;

/** Our own answers to the same question in other circumstances, as many as tell. */
export class Stability {
  readonly #series: readonly FuzzSeries[];
  readonly #delayedNames: boolean;
  readonly #random: Prng;
  /** Filled when first asked. */
  #answerers: readonly OurAnswerer[] | undefined;

  constructor(series: readonly FuzzSeries[], delayedNames: boolean, seed: number) {
    this.#series = series;
    this.#delayedNames = delayedNames;
    this.#random = new Prng(seed);
  }

  async replies(question: Question): Promise<Reply[]> {
    this.#answerers ??= TRIES.map((_, i) => this.#answerer(i === TRIES.length - 1));
    const replies: Reply[] = [];
    for (const [i, units] of TRIES.entries()) {
      replies.push(await wobbling(units, () => askQuestion(this.#answerers![i]!, question)));
    }
    return replies;
  }

  /** In many more orders, made for this question alone. */
  async moreReplies(question: Question): Promise<Reply[]> {
    const replies: Reply[] = [];
    for (let i = 0; i < MORE_TRIES; i++) replies.push(await askQuestion(this.#answerer(false), question));
    return replies;
  }

  #answerer(ordered: boolean): OurAnswerer {
    const source = inOrder(ordered ? this.#series : shuffled(this.#random, this.#series));
    return new OurAnswerer(() => source, { delayedNames: this.#delayedNames });
  }
}

function shuffled<T>(random: Prng, items: readonly T[]): T[] {
  const keyed = items.map((item) => ({ item, key: random.float() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

function inOrder(series: readonly FuzzSeries[]): MemorySource {
  const source = new MemorySource();
  for (const { labels, samples } of series) {
    for (const { timeMs, value } of samples) source.append(labels, timeMs, value);
  }
  return source;
}

/** Whether errors, or remarks, are the same in all replies: if not, nothing can be said of them. */
export function sameOutcome(replies: readonly Reply[]): boolean {
  const outcomes = replies.map(({ body }) => `${body.status} ${body.data?.resultType}`);
  return outcomes.every((outcome) => outcome === outcomes[0]);
}

/** Leaves the cells alone that all replies agree on; those that one of them lacks, or has otherwise, go. */
export function stableCells(cells: Cells, others: readonly Cells[]): Cells {
  const keys = new Set([cells, ...others].flatMap((one) => [...one.keys()]));
  const stable: Cells = new Map();
  for (const key of keys) {
    const points = cells.get(key);
    if (points === undefined) continue;
    const kept = [...points].filter(([time]) => isStable(others, key, time));
    if (kept.length > 0) stable.set(key, new Map(kept));
  }
  return stable;
}

function isStable(replies: readonly Cells[], key: string, time: string): boolean {
  const found = replies.map((cells) => cells.get(key)?.get(time));
  const [first] = found;
  if (first === undefined) return found.every((cell) => cell === undefined);
  return found.every((cell) => cell !== undefined && sameCell(first, cell, STABLE));
}
