// Runs the scripts of query tests against any store.

import { realClock } from '../../../src/base/clock.js';
import type { FloatHistogram } from '../../../src/model/histogram.js';
import type { Labels } from '../../../src/model/labels.js';
import { QueryError } from '../../../src/promql/errors.js';
import { MemorySource } from '../../../src/promql/exec/memory-source.js';
import type { Source } from '../../../src/promql/exec/source.js';
import { ParseError } from '../../../src/promql/syntax/errors.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../../src/promql/syntax/parse.js';
import { type EngineOptions, QueryEngine } from '../../../src/query/engine.js';
import type { Evaluators } from '../../../src/query/evaluator/pool.js';
import type { QueryAnswer } from '../../../src/query/result.js';
import { asksForContext, atForm, isTimed } from './at-form.js';
import { checkAnnotations, checkFailure, checkMiddleStep, checkResult, Mismatch } from './compare.js';
import { type EvalCommand, type LoadCommand, parseScript } from './script.js';

/** What scripts load into and query. */
export interface TestStore {
  /** What a query reads that begins now. */
  open(): Source;
  /** Samples of one series come with rising times. `startMs` is 0 where no start timestamp is known. */
  append(labels: Labels, timeMs: number, value: bigint | FloatHistogram, startMs: number): void;
  /** After the appends of one `load`: they are to be visible from here on. */
  commit?(): Promise<void>;
  close?(): Promise<void>;
  /** Whether all series of a group are in one place. */
  readonly wholeGroups?: boolean;
  /** What finishes queries, where that is not this very thread. */
  readonly evaluators?: Evaluators;
}

export type StoreFactory = () => Promise<TestStore>;

export async function memoryStore(): Promise<TestStore> {
  const source = new MemorySource();
  return { open: () => source, append: (...sample) => source.append(...sample) };
}

/** The settings that Prometheus runs these scripts with. */
export const SCRIPT_OPTIONS: EngineOptions = {
  timeoutMs: 100_000,
  samplesMax: 10_000,
  concurrency: 1,
  lookbackMs: 300_000,
  subqueryStepMs: 60_000,
  delayedNames: true,
  startTimestamps: true,
  parse: ALL_PARSE_OPTIONS,
};

export interface EvalOutcome {
  readonly line: number;
  readonly query: string;
  /** undefined where the eval passed. */
  readonly problem?: string;
}

/** Runs all commands of a script and gives the outcome of each eval. Throws for a script that cannot be parsed or loaded. */
export async function runScript(
  text: string,
  open: StoreFactory = memoryStore,
  options: EngineOptions = SCRIPT_OPTIONS,
): Promise<EvalOutcome[]> {
  const outcomes: EvalOutcome[] = [];
  let store = await open();
  try {
    for (const command of parseScript(text)) {
      if (command.kind === 'clear') {
        await store.close?.();
        store = await open();
      } else if (command.kind === 'load') {
        await load(command, store);
      } else {
        outcomes.push(await evaluate(command, engineOver(store, options)));
      }
    }
  } finally {
    await store.close?.();
  }
  return outcomes;
}

function engineOver(store: TestStore, options: EngineOptions): QueryEngine {
  const { wholeGroups = false, evaluators } = store;
  return new QueryEngine(() => store.open(), realClock, { ...options, wholeGroups }, undefined, evaluators);
}

async function load({ series }: LoadCommand, store: TestStore): Promise<void> {
  for (const { labels, samples } of series) {
    for (const { timeMs, value, startMs } of samples) store.append(labels, timeMs, value, startMs);
  }
  await store.commit?.();
}

async function evaluate(command: EvalCommand, engine: QueryEngine): Promise<EvalOutcome> {
  const { line, query } = command;
  try {
    await check(command, engine);
    return { line, query };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { line, query, problem: isExpected(error) ? error.message : (error.stack ?? error.message) };
  }
}

async function check(command: EvalCommand, engine: QueryEngine): Promise<void> {
  const { expect } = command;
  if (expect.fail !== undefined) {
    const error = await ask(command, engine).then(
      () => undefined,
      (reason: Error) => reason,
    );
    if (error === undefined) throw new Mismatch('expected an error');
    if (!isExpected(error)) throw error;
    checkFailure(expect.fail, error);
    return;
  }
  const answer = await ask(command, engine);
  checkResult(command, answer);
  checkAnnotations(command, answer);
  if (command.stepMs === 0) await checkOtherForms(command, engine);
}

function ask({ query, startMs, endMs, stepMs }: EvalCommand, engine: QueryEngine): Promise<QueryAnswer> {
  if (stepMs === 0) return engine.instant(query, startMs);
  const count = Math.max(0, Math.floor((endMs - startMs) / stepMs) + 1);
  return engine.range(query, { startMs, stepMs, count }, { endMs });
}

function isExpected(error: Error): boolean {
  return error instanceof Mismatch || error instanceof QueryError || error instanceof ParseError;
}

const MINUTE = 60_000;

/** An instant query as its `@` form at other times, and both as range queries around their time. */
async function checkOtherForms(command: EvalCommand, engine: QueryEngine): Promise<void> {
  const { query, startMs, expect } = command;
  const expr = parseExpr(query, ALL_PARSE_OPTIONS);
  const forms = [{ query, timeMs: startMs }];
  if (!isTimed(expr)) {
    const times = startMs === 0 ? [-1000, 0, 1000] : [-10, 0, 0.2, 1, 10].map((factor) => factor * startMs);
    const pinned = atForm(expr, startMs);
    for (const timeMs of times) forms.push({ query: pinned, timeMs });
  }
  const ranged = !expect.ordered && expect.string === undefined && expect.rangeVector === undefined;
  for (const form of forms) {
    await named(`as ${form.query} at ${form.timeMs} ms`, async () => {
      const answer = await engine.instant(form.query, form.timeMs);
      checkResult(command, answer);
      checkAnnotations(command, answer);
    });
    if (!ranged || asksForContext(expr)) continue;
    const { timeMs } = form;
    const steps = { startMs: timeMs - MINUTE, stepMs: MINUTE, count: 3 };
    await named(`as ${form.query} over a range around ${timeMs} ms`, async () => {
      checkMiddleStep(command, await engine.range(form.query, steps));
    });
  }
}

async function named(form: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof Error && isExpected(error)) throw new Mismatch(`${form}: ${error.message}`);
    throw error;
  }
}
