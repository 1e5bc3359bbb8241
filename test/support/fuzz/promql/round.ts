// One round: generated series, in a real Prometheus, in memory and in shards, and what
// each of them answers to a question.

import type { Prng } from '../../../../src/base/prng.js';
import { MemorySource } from '../../../../src/promql/exec/memory-source.js';
import { shardStores } from '../../promqltest/shard-store.js';
import type { FuzzSeries } from './data.js';
import { type Compared, judge, judgeSource, type Verdict } from './judge.js';
import { type Batch, batchesOf } from './load.js';
import { NewestSamples } from './newest.js';
import { type Answerer, askQuestion, type Question, type Reply } from './question.js';
import { OurAnswerer, Peer } from './servers.js';
import { Stability } from './stability.js';

export const SHARDS = [1, 2, 5] as const;

export interface Round extends Compared {
  /** The same series in shards, by how many. */
  readonly shards: ReadonlyMap<number, Answerer>;
  readonly newest: NewestSamples;
  close(): Promise<void>;
}

/** What one question was answered. */
export interface Answers {
  readonly theirs: Reply;
  readonly memory: Reply;
  /** By the number of shards. */
  readonly shards: ReadonlyMap<number, Reply>;
}

export interface RoundOptions {
  /** Of Prometheus. */
  readonly binary: string;
  readonly series: readonly FuzzSeries[];
  readonly delayedNames: boolean;
  readonly random: Prng;
  readonly seed: number;
}

export async function openRound(options: RoundOptions): Promise<Round> {
  const { binary, series, delayedNames, random, seed } = options;
  const peer = await Peer.start(binary, delayedNames);
  const batches = batchesOf(series);
  for (const batch of batches) await peer.write(batch);
  const source = new MemorySource();
  fill(source, batches);
  const stores = await Promise.all(SHARDS.map((shards) => shardStores(shards)()));
  const shards = new Map<number, Answerer>();
  for (const [i, store] of stores.entries()) {
    for (const { labels, samples } of series) {
      for (const { timeMs, value } of samples) store.append(labels, timeMs, value, 0);
    }
    await store.commit?.();
    shards.set(
      SHARDS[i]!,
      new OurAnswerer(() => store.open(), { delayedNames, wholeGroups: store.wholeGroups === true }),
    );
  }
  const newest = await NewestSamples.start(random, series, delayedNames, seed);
  return {
    peer,
    ours: new OurAnswerer(() => source, { delayedNames }),
    shards,
    newest,
    delayedNames,
    stability: new Stability(series, delayedNames, seed),
    close: async () => {
      for (const store of stores) await store.close?.();
      await newest.close();
      await peer.stop();
    },
  };
}

/** Asks the peer, our memory source, and one of the sets of shards; without a number all of them. */
export async function askAll({ peer, ours, shards }: Round, question: Question, number?: number): Promise<Answers> {
  const asked = [...shards].filter(([one]) => number === undefined || number === one);
  const [theirs, memory, ...rest] = await Promise.all(
    [peer, ours, ...asked.map(([, answerer]) => answerer)].map((answerer) => askQuestion(answerer, question)),
  );
  return { theirs: theirs!, memory: memory!, shards: new Map(asked.map(([one], i) => [one, rest[i]!])) };
}

/** On each way to ask. */
export async function judgeAll(
  round: Round,
  question: Question,
  { theirs, memory, shards }: Answers,
): Promise<Verdict[]> {
  const verdicts = [await judge(question, theirs, memory, round)];
  for (const [number, other] of shards) {
    const sources = { memory: round.ours, other: round.shards.get(number)!, stability: round.stability };
    verdicts.push(await judgeSource(question, memory, other, sources));
  }
  return verdicts;
}

function fill(source: MemorySource, batches: readonly Batch[]): void {
  for (const batch of batches) {
    for (const [{ labels }, samples] of batch) {
      for (const { timeMs, value } of samples) source.append(labels, timeMs, value);
    }
  }
}
