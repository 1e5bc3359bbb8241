// The same question put otherwise, so that Prometheus and we must answer it alike.

import { type Expr, typeOf } from '../../../../src/promql/syntax/ast.js';
import { compareReplies } from './compare.js';
import { partsOf } from './parts.js';
import {
  type Answerer,
  askQuestion,
  type DataJson,
  type HistogramJson,
  type Point,
  type Question,
  type Reply,
  type SeriesJson,
} from './question.js';
import { type Compared, rulesFor } from './verdict.js';

/**
 * Without start() and end() in parameters of aggregations, where Prometheus does not look for them, all else in its
 * place; undefined where there are none.
 */
export function withoutPinnedParameters(question: Question, root: Expr): Question | undefined {
  let { text } = question;
  for (const { expr } of partsOf(root)) {
    if (expr.kind !== 'aggregate' || expr.param === undefined) continue;
    const { start, end } = expr.param.pos;
    const blank = (pin: string) => ' '.repeat(pin.length);
    const parameter = text.slice(start, end).replace(/@\s*(?:start|end)\s*\(\s*\)/gi, blank);
    text = text.slice(0, start) + parameter + text.slice(end);
  }
  return text === question.text ? undefined : { ...question, text };
}

/** Whether nothing differs once no quantile is -0: Prometheus and we have 0 and -0 in other orders. */
export async function sameButZeros(question: Question, root: Expr, { peer, ours }: Compared): Promise<boolean> {
  const isSame = async (asked: Question) => {
    const [theirs, own] = await Promise.all([peer, ours].map((server) => askQuestion(server, asked)));
    return compareReplies(theirs!, own!, rulesFor(asked)) === undefined;
  };
  const [signed, unsigned] = [' * 1', ' + 0'].map((change) => withQuantiles(question, root, change));
  return signed !== undefined && !(await isSame(signed)) && (await isSame(unsigned!));
}

/** With something done to each quantile; undefined where there are none. */
function withQuantiles(question: Question, root: Expr, change: string): Question | undefined {
  const quantiles = partsOf(root).flatMap(({ expr }) => (isQuantile(expr) ? [expr.pos] : []));
  if (quantiles.length === 0) return undefined;
  const inserts = quantiles.flatMap(({ start, end }) => [
    { at: start, text: '(' },
    { at: end, text: `${change})` },
  ]);
  let { text } = question;
  for (const insert of inserts.sort((a, b) => b.at - a.at)) {
    text = text.slice(0, insert.at) + insert.text + text.slice(insert.at);
  }
  return { ...question, text };
}

function isQuantile(expr: Expr): boolean {
  return expr.kind === 'call' ? expr.fn === 'quantile_over_time' : expr.kind === 'aggregate' && expr.op === 'quantile';
}

/**
 * Whether Prometheus says of each step of a range query, asked alone, what we say of all of them: it evaluates subqueries
 * up to the end, and pinned ones as far behind their time, and makes remarks on, or fails for, what no step sees.
 */
export async function sameByStep(question: Question, root: Expr, { peer, ours }: Compared): Promise<boolean> {
  if (!partsOf(root).some(({ expr }) => expr.kind === 'subquery')) return false;
  const asked = withTimes(question);
  const steps = stepsOf(asked);
  if (steps.length === 0) return false;
  const [own, theirs] = await Promise.all([askQuestion(ours, asked), askAllSteps(peer, steps)]);
  return compareReplies(joinSteps(theirs), own, rulesFor(asked)) === undefined;
}

/** With the times that start() and end() stand for in their place. */
export function withTimes(question: Question): Question {
  const { startMs, endMs } = question;
  const text = question.text.replace(/@\s*(start|end)\s*\(\s*\)/gi, (_, pin: string) => {
    return `@ ${(pin.toLowerCase() === 'start' ? startMs : endMs) / 1000}`;
  });
  return { ...question, text };
}

/** A first selector that finds nothing: 3.5 decides by the first one alone, for all of a query, where buckets are read. */
const NOTHING = 'nothing or (';

/**
 * Prometheus 3.5, reading the buckets of all histograms. It leaves out those of the first selector where statistics are
 * made of it, and has integers of schema 0 then, which cannot be combined with custom bounds of others.
 */
export function readingBuckets(peer: Answerer): Answerer {
  return {
    ask: (path, params) => askWithin(peer, path, params, NOTHING, ')'),
  };
}

/** With something in front of the text and behind it; remarks are placed as without. */
async function askWithin(
  server: Answerer,
  path: string,
  params: URLSearchParams,
  before: string,
  behind: string,
): Promise<Reply> {
  const placed = (texts: readonly string[] = []) =>
    texts.map((text) => text.replace(/\(1:(\d+)\)/g, (_, column: string) => `(1:${Number(column) - before.length})`));
  const asked = new URLSearchParams(params);
  asked.set('query', before + params.get('query') + behind);
  const { status, body } = await server.ask(path, asked);
  return { status, body: { ...body, warnings: placed(body.warnings), infos: placed(body.infos) } };
}

/**
 * Whether Prometheus says what we say where no subquery begins at the very time of the evaluation. If one does,
 * Prometheus reads what is pinned inside of it at another time, that which the subquery's offset and pin make of it.
 */
export async function sameOffGrid(question: Question, root: Expr, { peer, ours }: Compared): Promise<boolean> {
  if (!partsOf(root).some(({ expr, around }) => around.length > 0 && isPinned(expr))) return false;
  const asked = withTimes(question);
  const isSame = async (answerer: Answerer, one: Question) => {
    const replies = await Promise.all([answerer, ours].map((server) => askQuestion(server, one)));
    return compareReplies(replies[0]!, replies[1]!, rulesFor(one)) === undefined;
  };
  // Subqueries are not made of these; but one that is pinned is the same a moment later.
  if (typeOf(root) === 'matrix') return isSame(peer, { ...asked, startMs: asked.startMs + 1, endMs: asked.endMs + 1 });
  const steps = asked.stepMs === 0 ? [asked] : stepsOf(asked);
  const same = await Promise.all(steps.map((step) => isSame(beginningEarlier(peer, step.startMs), step)));
  return same.every((one) => one);
}

function isPinned(expr: Expr): boolean {
  return 'at' in expr && expr.at !== undefined;
}

/** Answers instant queries from an evaluation that began a millisecond before. */
function beginningEarlier(server: Answerer, timeMs: number): Answerer {
  return {
    async ask(path, params) {
      const { status, body } = await askWithin(server, path, params, '(', ')[2ms:1ms]');
      if (body.data?.resultType !== 'matrix') return { status, body };
      const now = <T>(points: readonly Point<T>[] = []) => points.find(([seconds]) => seconds * 1000 === timeMs);
      const result = body.data.result.flatMap(({ metric, values, histograms }): SeriesJson[] => {
        const [value, histogram] = [now(values), now(histograms)];
        if (value !== undefined) return [{ metric, value }];
        return histogram === undefined ? [] : [{ metric, histogram }];
      });
      const data: DataJson = { resultType: 'vector', result };
      return { status, body: { ...body, data } };
    },
  };
}

/** The steps of a range query one by one; none of an instant query. */
export function stepsOf(question: Question): Question[] {
  const { startMs, endMs, stepMs } = question;
  const count = stepMs === 0 ? 0 : Math.floor((endMs - startMs) / stepMs) + 1;
  return Array.from({ length: count }, (_, i) => {
    const timeMs = startMs + i * stepMs;
    return { ...question, startMs: timeMs, endMs: timeMs, stepMs: 0 };
  });
}

export function askAllSteps(server: Answerer, steps: readonly Question[]): Promise<Reply[]> {
  return Promise.all(steps.map((step) => askQuestion(server, step)));
}

/** The answer to a range query that the steps' own ones make; the first error, where there is one. */
export function joinSteps(steps: readonly Reply[]): Reply {
  const failed = steps.find(({ body }) => body.status === 'error');
  if (failed !== undefined) return failed;
  const remarks = (field: 'warnings' | 'infos') => [...new Set(steps.flatMap(({ body }) => body[field] ?? []))];
  const series = new Map<string, Joined>();
  for (const { body } of steps) {
    for (const { metric, value, histogram } of elementsOf(body.data!)) {
      const key = JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));
      if (!series.has(key)) series.set(key, { metric, values: [], histograms: [] });
      if (value !== undefined) series.get(key)!.values.push(value);
      if (histogram !== undefined) series.get(key)!.histograms.push(histogram);
    }
  }
  const data: DataJson = { resultType: 'matrix', result: [...series.values()] };
  return { status: 200, body: { status: 'success', data, warnings: remarks('warnings'), infos: remarks('infos') } };
}

interface Joined extends SeriesJson {
  readonly values: Point[];
  readonly histograms: Point<HistogramJson>[];
}

function elementsOf({ resultType, result }: DataJson): readonly SeriesJson[] {
  if (resultType === 'scalar' || resultType === 'string') return [{ metric: {}, value: result as Point }];
  return result as readonly SeriesJson[];
}
