// What Prometheus 3.5 does otherwise than we mean to: as a rule, because newer versions
// do. Each rule has its row in docs/differences/promql-results.md.

import type { Expr } from '../../../../src/promql/syntax/ast.js';
import type { Question, Reply } from './question.js';

export interface Difference {
  readonly question: Question;
  /** undefined where the text cannot be parsed. */
  readonly expr: Expr | undefined;
  readonly theirs: Reply;
  readonly ours: Reply;
}

/** By name: whether it explains all of a difference. */
const KNOWN: ReadonlyMap<string, (difference: Difference) => boolean> = new Map([
  ['reconciled custom buckets', reconcilesBuckets],
  ['explicit many-to-one', ({ ours }) => /many-to-one matching must be explicit/.test(ours.body.error ?? '')],
]);

/** The name of the rule that explains a difference; undefined where none does. */
export function knownDifference(difference: Difference): string | undefined {
  for (const [name, explains] of KNOWN) if (explains(difference)) return name;
  return undefined;
}

/** 3.5 refuses to combine histograms whose custom bounds differ; newer versions keep the bounds in common. */
function reconcilesBuckets({ theirs, ours }: Difference): boolean {
  const refused = (theirs.body.warnings ?? []).some((text) =>
    /incompatible custom buckets|incompatible bucket layout/.test(text),
  );
  return refused && (ours.body.infos ?? []).some((text) => /mismatched custom buckets were reconciled/.test(text));
}

/** A remark that 3.5 does not make yet. */
export function isNewRemark(text: string): boolean {
  return text.startsWith('PromQL warning: sort is ineffective for range queries since results are always ordered by');
}

/** Annotations of 3.5 and of newer versions, as far as both say the same. */
export function annotationInCommon({ text: query }: Question): (text: string) => string {
  return (text) =>
    text
      // 3.5 does not tell which buckets were repaired.
      .replace(/, from buckets .*Z(?= \()/, '')
      .replace(/ for metric name ""/, '')
      .replace(/(#histogram_quantile\)) for metric name ".*"/, '$1')
      // 3.5 points at a parenthesis where newer versions point at what is in it.
      .replace(/\((\d+):(\d+)\)$/, (_, line, column) => {
        let at = offsetOf(query, Number(line), Number(column));
        while (query[at] === '(') at++;
        return `at ${at}`;
      });
}

function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let n = 1; n < line; n++) start = text.indexOf('\n', start) + 1;
  return start + column - 1;
}

/** Which of the duplicate series is named first depends on the order of series; and 3.5 words some things otherwise. */
export function errorInCommon(text: string): string {
  return text
    .replace(/: \[.*?\];/s, ': […];')
    .replace(/match group \{.*?\}/s, 'match group {…}')
    .replace('"<Item 57400>" <op:@>', '<op:@>')
    .replace('in subquery selector, expected number or duration', `in subquery or range selector, ${WISH}`)
    .replace('in offset, expected number or duration', `in offset, ${WISH}`);
}

const WISH = 'expected number, duration, step(), or range()';
