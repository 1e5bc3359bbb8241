// Newest samples as main reads them by itself (src/shard/known-series.ts): shards that hold
// the floats up to some moment, asked at or shortly behind it; a source in memory with
// the same must agree.
//
// The shards of the other questions have native histograms, and samples later than nearly
// every time that is asked about: there main never reads.

import type { Prng } from '../../../../src/base/prng.js';
import { MemorySource } from '../../../../src/promql/exec/memory-source.js';
import type { Shards } from '../../../../src/shard/shards.js';
import { ShardSource } from '../../../../src/shard/source.js';
import { anyOwner, packSamples, testShards } from '../../shards.js';
import { DATA_MS, DATA_START_MS, type FuzzSeries } from './data.js';
import { judgeSource } from './judge.js';
import { askQuestion, type Question } from './question.js';
import { OurAnswerer } from './servers.js';
import { Stability } from './stability.js';
import type { Verdict } from './verdict.js';

const MEMORY_BYTES = 64 * 2 ** 20;
/** How long behind the last sample questions are asked: within the lookback, mostly. */
const BEHIND_MS = 360_000;

export class NewestSamples {
  readonly #series: readonly FuzzSeries[];
  readonly #endMs: number;
  readonly #delayedNames: boolean;
  readonly #memory: OurAnswerer;
  readonly #stability: Stability;
  readonly #shards: Shards[] = [];
  #asked: OurAnswerer | undefined;

  private constructor(all: readonly FuzzSeries[], endMs: number, delayedNames: boolean, seed: number) {
    this.#series = floatsUntil(all, endMs);
    this.#endMs = endMs;
    this.#delayedNames = delayedNames;
    const source = new MemorySource();
    for (const { labels, samples } of this.#series) {
      for (const { timeMs, value } of samples) source.append(labels, timeMs, value);
    }
    this.#memory = new OurAnswerer(() => source, { delayedNames });
    this.#stability = new Stability(this.#series, delayedNames, seed);
  }

  static async start(
    random: Prng,
    series: readonly FuzzSeries[],
    delayedNames: boolean,
    seed: number,
  ): Promise<NewestSamples> {
    const endMs = DATA_START_MS + DATA_MS / 2 + random.int(DATA_MS / 2);
    const newest = new NewestSamples(series, endMs, delayedNames, seed);
    newest.#asked = await newest.#open(random.pick([1, 2, 5]));
    return newest;
  }

  async #open(count: number): Promise<OurAnswerer> {
    const { shards, ingest } = await testShards(count, MEMORY_BYTES);
    this.#shards.push(shards);
    const batch = this.#series.map(({ labels, samples }) => {
      return { labels, samples: packSamples(samples.map(({ timeMs, value }) => [timeMs, value as bigint])) };
    });
    await ingest.append(batch, 0, anyOwner(count));
    const options = { delayedNames: this.#delayedNames, wholeGroups: count === 1 };
    return new OurAnswerer(() => new ShardSource(shards, 'adhoc'), options);
  }

  /** The same text, asked of the newest samples. */
  questionAbout(random: Prng, { text }: Question): Question {
    const timeMs = this.#endMs + random.int(BEHIND_MS);
    return { text, startMs: timeMs, endMs: timeMs, stepMs: 0, lookbackMs: 0 };
  }

  async judge(question: Question): Promise<Verdict> {
    const sources = { memory: this.#memory, other: this.#asked!, stability: this.#stability };
    const [memory, shards] = await Promise.all(
      [sources.memory, sources.other].map((source) => askQuestion(source, question)),
    );
    return judgeSource(question, memory!, shards!, sources);
  }

  /** How many readings main has answered. */
  get reads(): number {
    return this.#shards.reduce((sum, { known }) => sum + known.reads, 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#shards.map((shards) => shards.close()));
  }
}

function floatsUntil(series: readonly FuzzSeries[], endMs: number): FuzzSeries[] {
  return series.flatMap(({ samples, ...one }) => {
    const floats = samples.filter(({ timeMs, value }) => typeof value === 'bigint' && timeMs <= endMs);
    return floats.length === 0 ? [] : [{ ...one, samples: floats }];
  });
}
