// Queries of all kinds over generated series: a real Prometheus 3.5 and we must give
// the same answers.
//
//   rounds of ROUND expressions ─ each with series, servers and a seed of its own,
//                                 every second one with delayed name removal

import './wobble.js';
import { Prng } from '../../../../src/base/prng.js';
import { MemorySource } from '../../../../src/promql/exec/memory-source.js';
import { FUNCTIONS, type FunctionSignature } from '../../../../src/promql/functions.js';
import { missing, peerBinary } from '../../peers.js';
import { ExpressionGenerator } from '../../promql-generator.js';
import { shardStores } from '../../promqltest/shard-store.js';
import type { FuzzOptions, FuzzReport, FuzzTarget } from '../target.js';
import { type FuzzData, type FuzzSeries, generateData } from './data.js';
import { Expressions } from './expressions.js';
import { type Compared, judge, judgeSource, type Verdict } from './judge.js';
import { batchesOf } from './load.js';
import { type Answerer, askQuestion, type Question, questionAbout, type Reply } from './question.js';
import { OurAnswerer, Peer } from './servers.js';
import { shrink } from './shrink.js';
import { Stability } from './stability.js';
import { compareTexts } from './texts.js';

const ROUND = 2000;
const SHARDS = [1, 2, 5] as const;

export const promqlTarget: FuzzTarget = {
  about: 'queries over generated series, compared with a real Prometheus',
  run,
};

interface Round extends Compared {
  /** The same series in shards, by how many. */
  readonly shards: ReadonlyMap<number, Answerer>;
  close(): Promise<void>;
}

/** A verdict on each way to ask about one text, and what the peer's answer was. */
interface Tried {
  readonly verdicts: readonly Verdict[];
  readonly outcome: string;
}

async function run(options: FuzzOptions): Promise<FuzzReport> {
  const binary = peerBinary('prometheus');
  if (binary === undefined) throw new Error(missing('prometheus'));
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  let cases = 0;
  let failures = 0;
  const goesOn = () => cases < options.count && Date.now() < options.endMs;
  for (let index = 0; goesOn(); index++) {
    const random = new Prng(options.seed * 1000 + index);
    const data = generateData(random);
    const round = await openRound(binary, data.series, index % 2 === 1, options.seed);
    try {
      const expressions = new Expressions(
        random,
        about(data, options.more.get('kinds')),
        await functionsOf(round.peer),
      );
      const damages = new ExpressionGenerator(random, []);
      for (let i = 0; i < ROUND && goesOn(); i++, cases++) {
        const question = questionAbout(random, expressions.expression());
        const texts = [question.text, damages.damaged(question.text)];
        const [{ verdicts, outcome }, ...problems] = await Promise.all([
          tryQuestion(round, question, SHARDS[i % SHARDS.length]),
          ...texts.map((text) => compareTexts(round.peer, text)),
        ]);
        count(outcome);
        for (const verdict of verdicts) if (verdict.kind === 'explained') count(`explained: ${verdict.by}`);
        if (verdicts.some(({ kind }) => kind === 'different')) {
          failures++;
          options.print(await describe(round, question));
        }
        for (const [text, problem] of texts.map((text, at) => [text, problems[at]] as const)) {
          count(problem === 'newer' ? 'texts that newer versions read otherwise' : 'texts read');
          if (problem === undefined || problem === 'newer') continue;
          failures++;
          options.print(`${JSON.stringify(text)}\n  ${problem}`);
        }
      }
    } finally {
      await round.close();
    }
  }
  const share = (100 * (counts.get('answers') ?? 0)) / Math.max(1, cases);
  const summary = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, n]) => `${n} ${what}`);
  return { cases, failures, summary: [...summary, `${share.toFixed(1)} % of the answers were not empty`] };
}

/** With `--kinds native,mixed`, of all families only those are asked about. */
function about(data: FuzzData, kinds: string | undefined): FuzzData {
  if (kinds === undefined) return data;
  const wanted = new Set(kinds.split(','));
  const families = data.families.filter(({ kind }) => wanted.has(kind));
  if (!families.some(({ kind }) => kind === 'native')) throw new Error(`--kinds ${kinds}: native ones are needed`);
  return { ...data, families };
}

async function openRound(
  binary: string,
  series: readonly FuzzSeries[],
  delayedNames: boolean,
  seed: number,
): Promise<Round> {
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
    shards.set(SHARDS[i]!, new OurAnswerer(() => store.open(), delayedNames));
  }
  return {
    peer,
    ours: new OurAnswerer(() => source, delayedNames),
    shards,
    delayedNames,
    stability: new Stability(series, delayedNames, seed),
    close: async () => {
      for (const store of stores) await store.close?.();
      await peer.stop();
    },
  };
}

/** Asks the peer, our memory source, and one of the sets of shards; without a number all of them. */
async function tryQuestion(round: Round, question: Question, shards?: number): Promise<Tried> {
  const others = [...round.shards].filter(([number]) => shards === undefined || shards === number);
  const answerers = [round.peer, round.ours, ...others.map(([, answerer]) => answerer)];
  const replies = await Promise.all(answerers.map((answerer) => askQuestion(answerer, question)));
  const [theirs, memory, ...rest] = replies as [Reply, Reply, ...Reply[]];
  const verdicts = [await judge(question, theirs, memory, round)];
  for (const other of rest) verdicts.push(await judgeSource(question, memory, other, round.stability));
  return { verdicts, outcome: outcomeOf(theirs) };
}

/** The smallest question that fails as this one does, with what differs. */
async function describe(round: Round, question: Question): Promise<string> {
  const problemOf = async (text: string) => {
    const { verdicts } = await tryQuestion(round, { ...question, text });
    const different = verdicts.find((verdict) => verdict.kind === 'different');
    return different?.kind === 'different' ? different.problem : '';
  };
  // The kind of a problem, such as `value` or `infos`, is to stay; of errors, the words.
  const kindOf = (problem: string) => {
    return problem.startsWith('error') ? problem.replace(/\d+|"[^"]*"/g, '') : problem.slice(0, 5);
  };
  const whole = await problemOf(question.text);
  const text = await shrink(question.text, async (shorter) => kindOf(await problemOf(shorter)) === kindOf(whole));
  const problem = (await problemOf(text)) || `gone; it was ${question.text}`;
  return `${JSON.stringify({ ...question, text })}${round.delayedNames ? ' delayed names' : ''}\n  ${problem}`;
}

function outcomeOf({ body }: Reply): 'answers' | 'empty' | 'errors' {
  if (body.status === 'error') return 'errors';
  return body.data!.result.length === 0 ? 'empty' : 'answers';
}

function fill(source: MemorySource, batches: readonly ReadonlyMap<FuzzSeries, FuzzSeries['samples']>[]): void {
  for (const batch of batches) {
    for (const [{ labels }, samples] of batch) {
      for (const { timeMs, value } of samples) source.append(labels, timeMs, value);
    }
  }
}

/** The functions that the peer has too. */
async function functionsOf(peer: Answerer): Promise<FunctionSignature[]> {
  const known: FunctionSignature[] = [];
  for (const signature of FUNCTIONS.values()) {
    // Without arguments, an unknown function is still told from a known one.
    const { body } = await peer.ask('parse_query', new URLSearchParams({ query: `${signature.name}()` }));
    if (body.status === 'success' || /argument\(s\)/.test(body.error!)) known.push(signature);
  }
  return known;
}
