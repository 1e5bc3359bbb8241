// Queries of all kinds over generated series: a real Prometheus 3.5 and we must give
// the same answers.
//
//   rounds of ROUND expressions ─ each with series, servers and a seed of its own,
//                                 every second one with delayed name removal

import { Prng } from '../../../../src/base/prng.js';
import { MemorySource } from '../../../../src/promql/exec/memory-source.js';
import { FUNCTIONS, type FunctionSignature } from '../../../../src/promql/functions.js';
import { missing, peerBinary } from '../../peers.js';
import type { FuzzOptions, FuzzReport, FuzzTarget } from '../target.js';
import { compareReplies, type Rules } from './compare.js';
import { type FuzzSeries, generateData } from './data.js';
import { Expressions } from './expressions.js';
import { annotationInCommon, errorInCommon } from './known.js';
import { batchesOf } from './load.js';
import { askQuestion, type Question, questionAbout, type Reply } from './question.js';
import { OurAnswerer, Peer } from './servers.js';

const ROUND = 2000;

export const promqlTarget: FuzzTarget = {
  about: 'queries over generated series, compared with a real Prometheus',
  run,
};

async function run(options: FuzzOptions): Promise<FuzzReport> {
  const binary = peerBinary('prometheus');
  if (binary === undefined) throw new Error(missing('prometheus'));
  let cases = 0;
  let failures = 0;
  const counts = { answers: 0, empty: 0, errors: 0 };
  for (let round = 0; cases < options.count && Date.now() < options.endMs; round++) {
    const random = new Prng(options.seed * 1000 + round);
    const delayed = round % 2 === 1;
    const data = generateData(random);
    const peer = await Peer.start(binary, delayed);
    try {
      const batches = batchesOf(data.series);
      for (const batch of batches) await peer.write(batch);
      const source = new MemorySource();
      fill(source, batches);
      const ours = new OurAnswerer(() => source, delayed);
      const expressions = new Expressions(random, data, await functionsOf(peer));
      for (let i = 0; i < ROUND && cases < options.count && Date.now() < options.endMs; i++, cases++) {
        const question = questionAbout(random, expressions.expression());
        const [a, b] = await Promise.all([askQuestion(peer, question), askQuestion(ours, question)]);
        counts[outcomeOf(a)]++;
        const problem = compareReplies(a, b, rulesFor(question));
        if (problem === undefined) continue;
        failures++;
        options.print(`${JSON.stringify(question)}\n  ${problem}`);
      }
    } finally {
      await peer.stop();
    }
  }
  return { cases, failures, summary: [JSON.stringify(counts)] };
}

function outcomeOf({ body }: Reply): 'answers' | 'empty' | 'errors' {
  if (body.status === 'error') return 'errors';
  return body.data!.result.length === 0 ? 'empty' : 'answers';
}

function rulesFor({ text }: Question): Rules {
  return {
    tolerance: 1e-12,
    ordered: /^\s*(sort|topk|bottomk)/.test(text),
    annotation: annotationInCommon(text),
    error: errorInCommon,
  };
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
