// `npm run fuzz -- parse`: mutated query texts, each of which must be read or refused well.

import { Prng } from '../../../../src/base/prng.js';
import { corpusTexts, newerTexts } from '../../promql-corpus.js';
import type { FuzzOptions, FuzzReport, FuzzTarget } from '../target.js';
import { judge, type Verdict } from './judge.js';
import { Mutator } from './mutate.js';

/** Longest that reading a text may take. */
const READ_MS_MAX = 100;
/** A machine that is busy elsewhere makes any of them slow once. */
const TRIES = 5;
const FAILURES_MAX = 20;
const PROGRESS_EVERY = 1_000_000;

export const parseTarget: FuzzTarget = {
  about: 'damaged query texts: a tree that prints and reads back, or an error with a position, within 100 ms',
  run: async (options) => new ParseRun(options).run(),
};

class ParseRun {
  readonly #options: FuzzOptions;
  readonly #counts = { tree: 0, refused: 0 };
  #failures = 0;
  #slowest = { ms: 0, text: '' };

  constructor(options: FuzzOptions) {
    this.#options = options;
  }

  run(): FuzzReport {
    const { seed, count, endMs, print } = this.#options;
    const mutator = new Mutator([...corpusTexts(), ...newerTexts().map(({ text }) => text)], new Prng(seed));
    let cases = 0;
    while (cases < count && this.#failures < FAILURES_MAX) {
      if (cases % 1024 === 0 && Date.now() > endMs) break;
      if (cases % PROGRESS_EVERY === 0 && cases > 0) print(`${cases} cases, ${this.#failures} failures`);
      this.#try(mutator.text());
      cases++;
    }
    const { ms, text } = this.#slowest;
    const { tree, refused } = this.#counts;
    const summary = [`${tree} read, ${refused} refused`, `slowest ${ms.toFixed(1)} ms: ${shown(text)}`];
    return { cases, failures: this.#failures, summary };
  }

  #try(text: string): void {
    let verdict = judge(text);
    for (let tries = 1; verdict.ms > Math.max(READ_MS_MAX / 4, this.#slowest.ms) && tries < TRIES; tries++) {
      const again = judge(text);
      if (again.ms < verdict.ms) verdict = again;
    }
    this.#counts[verdict.outcome]++;
    if (verdict.ms > this.#slowest.ms) this.#slowest = { ms: verdict.ms, text };
    const problem = problemOf(verdict);
    if (problem === undefined) return;
    this.#failures++;
    const small = smaller(text);
    this.#options.print(`${shown(small)}\n  ${problemOf(judge(small)) ?? problem}`);
  }
}

function problemOf({ ms, problem }: Verdict): string | undefined {
  return problem ?? (ms > READ_MS_MAX ? `took ${ms.toFixed(0)} ms` : undefined);
}

/** A text with as much taken away as can be while it goes on to fail. */
function smaller(text: string): string {
  for (let size = Math.ceil(text.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < text.length; ) {
      const shorter = text.slice(0, at) + text.slice(at + size);
      if (problemOf(judge(shorter)) === undefined) at += size;
      else text = shorter;
    }
  }
  return text;
}

function shown(text: string): string {
  const json = JSON.stringify(text);
  return json.length <= 500 ? json : `${json.slice(0, 500)}… (${text.length} characters)`;
}
