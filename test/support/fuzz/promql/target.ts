// Queries of all kinds over generated series: a real Prometheus 3.5 and we must give
// the same answers.
//
//   rounds of ROUND expressions ─ each with series, servers and a seed of its own,
//                                 every second one with delayed name removal

import './wobble.js';
import './go-library.js';
import { Prng } from '../../../../src/base/prng.js';
import { FUNCTIONS, type FunctionSignature } from '../../../../src/promql/functions.js';
import { missing, peerBinary } from '../../peers.js';
import { ExpressionGenerator } from '../../promql-generator.js';
import type { FuzzOptions, FuzzReport, FuzzTarget } from '../target.js';
import { type FuzzData, generateData } from './data.js';
import { Expressions } from './expressions.js';
import { type Answerer, type Question, questionAbout, type Reply } from './question.js';
import { askAll, judgeAll, openRound, type Round, STORES } from './round.js';
import { shrink } from './shrink.js';
import { compareTexts } from './texts.js';
import type { Verdict } from './verdict.js';

const ROUND = 2000;
/** Questions that are asked together: Prometheus and we compute at the same time. */
const BATCH = 16;

export const promqlTarget: FuzzTarget = {
  about: 'queries over generated series, compared with a real Prometheus',
  run,
};

async function run(options: FuzzOptions): Promise<FuzzReport> {
  const binary = peerBinary('prometheus');
  if (binary === undefined) throw new Error(missing('prometheus'));
  const tally = new Tally(options);
  for (let index = 0; tally.goesOn; index++) {
    const random = new Prng(options.seed * 1000 + index);
    const data = generateData(random);
    const delayedNames = index % 2 === 1;
    // Of its own, so that the questions stay the same whatever it draws.
    const others = new Prng(2 ** 48 + options.seed * 1000 + index);
    const round = await openRound({ binary, series: data.series, delayedNames, random: others, seed: options.seed });
    try {
      const expressions = new Expressions(
        random,
        about(data, options.more.get('kinds')),
        await functionsOf(round.peer),
      );
      const damages = new ExpressionGenerator(random, []);
      for (let asked = 0; asked < ROUND && tally.goesOn; asked += BATCH) {
        const batch = Array.from({ length: Math.min(BATCH, tally.left) }, () => {
          const question = questionAbout(random, expressions.expression());
          return { question, texts: [question.text, damages.damaged(question.text)] };
        });
        await tryBatch(round, batch, tally);
        await tryNewest(round, batch, others, tally);
      }
      tally.count('readings of newest samples by main', round.newest.reads);
      const { blockSamples, headChunks } = round.stored.held;
      tally.count('samples in blocks', blockSamples);
      tally.count('chunks in chunks_head', headChunks);
      tally.tellProgress();
    } finally {
      await round.close();
    }
  }
  return tally.report();
}

interface Case {
  readonly question: Question;
  /** To be parsed: what is asked, and something damaged. */
  readonly texts: readonly string[];
}

/** Asks everything at once, then judges case after case: that asks again, with results that wobble for everyone. */
async function tryBatch(round: Round, batch: readonly Case[], tally: Tally): Promise<void> {
  const answered = await Promise.all(
    batch.map(async ({ question, texts }, i) => {
      const answers = askAll(round, question, STORES[i % STORES.length]);
      const problems = texts.map((text) => compareTexts(round.peer, text));
      return [await answers, await Promise.all(problems)] as const;
    }),
  );
  for (const [i, { question, texts }] of batch.entries()) {
    const [answers, problems] = answered[i]!;
    const verdicts = await judgeAll(round, question, answers);
    tally.case(outcomeOf(answers.theirs), verdicts);
    if (verdicts.some(({ kind }) => kind === 'different')) tally.failure(await describe(round, question));
    texts.forEach((text, at) => {
      tally.text(text, problems[at]);
    });
  }
}

/** Asks for newest samples: of each batch again and again, because main reads what was asked for before. */
async function tryNewest({ newest }: Round, batch: readonly Case[], random: Prng, tally: Tally): Promise<void> {
  for (const { question } of batch) {
    const asked = newest.questionAbout(random, question);
    const verdict = await newest.judge(asked);
    tally.newest(verdict);
    if (verdict.kind === 'different') tally.failure(`newest samples: ${JSON.stringify(asked)}\n  ${verdict.problem}`);
  }
}

/** What a run has met so far. */
class Tally {
  readonly #options: FuzzOptions;
  readonly #counts = new Map<string, number>();
  #cases = 0;
  #failures = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
  }

  get goesOn(): boolean {
    return this.left > 0 && Date.now() < this.#options.endMs;
  }

  get left(): number {
    return this.#options.count - this.#cases;
  }

  case(outcome: string, verdicts: readonly Verdict[]): void {
    this.#cases++;
    this.count(outcome);
    for (const verdict of verdicts) if (verdict.kind === 'explained') this.count(`explained: ${verdict.by}`);
  }

  newest(verdict: Verdict): void {
    this.count('questions about newest samples');
    if (verdict.kind === 'explained') this.count(`explained: ${verdict.by}`);
  }

  text(text: string, problem: string | undefined): void {
    this.count(problem === 'newer' ? 'texts that newer versions read otherwise' : 'texts read');
    if (problem !== undefined && problem !== 'newer') this.failure(`${JSON.stringify(text)}\n  ${problem}`);
  }

  /** Every ten thousand, about. */
  tellProgress(): void {
    if (this.#cases % (5 * ROUND) === 0) this.#options.print(`${this.#cases} of ${this.#options.count}`);
  }

  failure(description: string): void {
    this.#failures++;
    this.#options.print(description);
  }

  report(): FuzzReport {
    const share = (100 * (this.#counts.get('answers') ?? 0)) / Math.max(1, this.#cases);
    const summary = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, n]) => `${n} ${what}`);
    summary.push(`${share.toFixed(1)} % of the answers were not empty`);
    return { cases: this.#cases, failures: this.#failures, summary };
  }

  count(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }
}

/** With `--kinds native,mixed`, of all families only those are asked about. */
function about(data: FuzzData, kinds: string | undefined): FuzzData {
  if (kinds === undefined) return data;
  const wanted = new Set(kinds.split(','));
  const families = data.families.filter(({ kind }) => wanted.has(kind));
  if (!families.some(({ kind }) => kind === 'native')) throw new Error(`--kinds ${kinds}: native ones are needed`);
  return { ...data, families };
}

/** The smallest question that fails as this one does, with what differs. */
async function describe(round: Round, question: Question): Promise<string> {
  const problemOf = async (text: string) => {
    const asked = { ...question, text };
    const verdicts = await judgeAll(round, asked, await askAll(round, asked));
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
