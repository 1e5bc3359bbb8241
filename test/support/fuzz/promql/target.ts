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
import type { FuzzOptions, FuzzReport, FuzzTarget } from '../target.js';
import { type FuzzSeries, generateData } from './data.js';
import { Expressions } from './expressions.js';
import { type Compared, judge, type Verdict } from './judge.js';
import { batchesOf } from './load.js';
import { askQuestion, type Question, questionAbout, type Reply } from './question.js';
import { OurAnswerer, Peer } from './servers.js';
import { shrink } from './shrink.js';
import { Stability } from './stability.js';

const ROUND = 2000;

export const promqlTarget: FuzzTarget = {
  about: 'queries over generated series, compared with a real Prometheus',
  run,
};

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
    const delayed = index % 2 === 1;
    const data = generateData(random);
    const peer = await Peer.start(binary, delayed);
    try {
      const batches = batchesOf(data.series);
      for (const batch of batches) await peer.write(batch);
      const source = new MemorySource();
      fill(source, batches);
      const ours = new OurAnswerer(() => source, delayed);
      const round = { peer, ours, delayedNames: delayed, stability: new Stability(data.series, delayed, options.seed) };
      const expressions = new Expressions(random, data, await functionsOf(peer));
      for (let i = 0; i < ROUND && goesOn(); i++, cases++) {
        const question = questionAbout(random, expressions.expression());
        const { verdict, outcome } = await tryQuestion(round, question);
        count(outcome);
        if (verdict.kind === 'explained') count(`explained: ${verdict.by}`);
        if (verdict.kind !== 'different') continue;
        failures++;
        options.print(await describe(round, question, delayed));
      }
    } finally {
      await peer.stop();
    }
  }
  const summary = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, n]) => `${n} ${what}`);
  return { cases, failures, summary };
}

async function tryQuestion(round: Compared, question: Question): Promise<{ verdict: Verdict; outcome: string }> {
  const [a, b] = await Promise.all([askQuestion(round.peer, question), askQuestion(round.ours, question)]);
  return { verdict: await judge(question, a, b, round, true), outcome: outcomeOf(a) };
}

/** The smallest question that fails as this one does, with what differs. */
async function describe(round: Compared, question: Question, delayed: boolean): Promise<string> {
  const verdictOf = async (text: string) => (await tryQuestion(round, { ...question, text })).verdict;
  // The kind of a problem, such as `value` or `infos`, is to stay; of errors, the words.
  const kindOf = (verdict: Verdict) => {
    if (verdict.kind !== 'different') return undefined;
    return verdict.problem.startsWith('error')
      ? verdict.problem.replace(/\d+|"[^"]*"/g, '')
      : verdict.problem.slice(0, 5);
  };
  const kind = kindOf(await verdictOf(question.text));
  const text = await shrink(question.text, async (shorter) => kindOf(await verdictOf(shorter)) === kind);
  const verdict = await verdictOf(text);
  const problem = verdict.kind === 'different' ? verdict.problem : `gone; it was ${question.text}`;
  return `${JSON.stringify({ ...question, text })}${delayed ? ' delayed names' : ''}\n  ${problem}`;
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
async function functionsOf(peer: Peer): Promise<FunctionSignature[]> {
  const known: FunctionSignature[] = [];
  for (const signature of FUNCTIONS.values()) {
    // Without arguments, an unknown function is still told from a known one.
    const { body } = await peer.ask('parse_query', new URLSearchParams({ query: `${signature.name}()` }));
    if (body.status === 'success' || /argument\(s\)/.test(body.error!)) known.push(signature);
  }
  return known;
}
