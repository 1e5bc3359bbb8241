// The same question put otherwise, so that Prometheus and we must answer it alike.

import type { Expr } from '../../../../src/promql/syntax/ast.js';
import { partsOf } from './parts.js';
import type { Question } from './question.js';

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

/**
 * Up to the last step: Prometheus evaluates subqueries up to the end, and makes remarks on what nobody sees. undefined
 * where there is no subquery, or the last step is the end.
 */
export function upToLastStep(question: Question, root: Expr): Question | undefined {
  const { startMs, endMs, stepMs } = question;
  if (stepMs === 0 || !partsOf(root).some(({ expr }) => expr.kind === 'subquery')) return undefined;
  const behindMs = (endMs - startMs) % stepMs;
  return behindMs === 0 ? undefined : { ...question, endMs: endMs - behindMs };
}
