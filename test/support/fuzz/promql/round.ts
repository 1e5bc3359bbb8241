// One round: generated series, in a real Prometheus, in memory, in shards and in files, and
// what each of them answers to a question.

import { Prng } from '../../../../src/base/prng.js';
import { MemorySource } from '../../../../src/promql/exec/memory-source.js';
import { shardStores } from '../../promqltest/shard-store.js';
import type { FuzzSeries } from './data.js';
import { judge, judgeSource } from './judge.js';
import { type Batch, batchesOf } from './load.js';
import { NewestSamples } from './newest.js';
import { type Answerer, askQuestion, type Question, type Reply } from './question.js';
import { OurAnswerer, Peer } from './servers.js';
import { Stability } from './stability.js';
import { StoredSeries } from './stored.js';
import type { Compared, Verdict } from './verdict.js';

/** Shards that have all in memory. */
const SHARDS: ReadonlyMap<string, number> = new Map([
  ['1 shard', 1],
  ['2 shards', 2],
  ['5 shards', 5],
]);
const FILES = 'files';
/** Where else the same series are: names. */
export const STORES: readonly string[] = [...SHARDS.keys(), FILES];

export interface Round extends Compared {
  readonly stores: ReadonlyMap<string, Answerer>;
  readonly newest: NewestSamples;
  readonly stored: StoredSeries;
  close(): Promise<void>;
}

/** What one question was answered. */
export interface Answers {
  readonly theirs: Reply;
  readonly memory: Reply;
  readonly stores: ReadonlyMap<string, Reply>;
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
  const shards = await Promise.all(
    [...SHARDS].map(async ([name, count]) => [name, await shardStores(count)()] as const),
  );
  const stores = new Map<string, Answerer>();
  for (const [name, store] of shards) {
    for (const { labels, samples } of series) {
      for (const { timeMs, value } of samples) store.append(labels, timeMs, value, 0);
    }
    await store.commit?.();
    const options = { delayedNames, wholeGroups: store.wholeGroups === true };
    stores.set(name, new OurAnswerer(() => store.open(), options));
  }
  const newest = await NewestSamples.start(random, series, delayedNames, seed);
  const stored = await StoredSeries.load(new Prng(random.u32()), batches);
  stores.set(FILES, stored.answerer(delayedNames));
  return {
    peer,
    ours: new OurAnswerer(() => source, { delayedNames }),
    stores,
    newest,
    stored,
    delayedNames,
    stability: new Stability(series, delayedNames, seed),
    close: async () => {
      for (const [, store] of shards) await store.close?.();
      await newest.close();
      await stored.close();
      await peer.stop();
    },
  };
}

/** Asks the peer, our memory source, and one of the stores; without a name all of them. */
export async function askAll({ peer, ours, stores }: Round, question: Question, name?: string): Promise<Answers> {
  const asked = [...stores].filter(([one]) => name === undefined || name === one);
  const [theirs, memory, ...rest] = await Promise.all(
    [peer, ours, ...asked.map(([, answerer]) => answerer)].map((answerer) => askQuestion(answerer, question)),
  );
  return { theirs: theirs!, memory: memory!, stores: new Map(asked.map(([one], i) => [one, rest[i]!])) };
}

/** On each way to ask. */
export async function judgeAll(
  round: Round,
  question: Question,
  { theirs, memory, stores }: Answers,
): Promise<Verdict[]> {
  const verdicts = [await judge(question, theirs, memory, round)];
  for (const [name, reply] of stores) {
    const sources = { memory: round.ours, other: round.stores.get(name)!, stability: round.stability };
    const verdict = await judgeSource(question, memory, reply, sources);
    verdicts.push(verdict.kind === 'different' ? { ...verdict, problem: `${verdict.problem} (${name})` } : verdict);
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
