// The same question put otherwise, so that Prometheus and we must answer it alike.

import type { Expr } from '../../../../src/promql/syntax/ast.js';
import { partsOf } from './parts.js';
import type { DataJson, HistogramJson, Point, Question, Reply, SeriesJson } from './question.js';

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

/** With no quantile -0: Prometheus and we have 0 and -0 in other orders. undefined where there are no quantiles. */
export function withoutZeroSigns(question: Question, root: Expr): Question | undefined {
  const inserts = partsOf(root).flatMap(({ expr }) =>
    isQuantile(expr)
      ? [
          { at: expr.pos.start, text: '(' },
          { at: expr.pos.end, text: ' + 0)' },
        ]
      : [],
  );
  if (inserts.length === 0) return undefined;
  const pieces = inserts
    .sort((a, b) => a.at - b.at)
    .map(({ at, text }, i) => text + question.text.slice(at, inserts[i + 1]?.at));
  return { ...question, text: question.text.slice(0, inserts[0]!.at) + pieces.join('') };
}

function isQuantile(expr: Expr): boolean {
  return expr.kind === 'call' ? expr.fn === 'quantile_over_time' : expr.kind === 'aggregate' && expr.op === 'quantile';
}

/** With the times that start() and end() stand for in their place. */
export function withTimes(question: Question): Question {
  const { startMs, endMs } = question;
  const text = question.text.replace(/@\s*(start|end)\s*\(\s*\)/gi, (_, pin: string) => {
    return `@ ${(pin.toLowerCase() === 'start' ? startMs : endMs) / 1000}`;
  });
  return { ...question, text };
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
