// Annotations and errors of Prometheus 3.5 and of newer versions, as far as both say the same.

import { inNewWords } from '../../promql-reading.js';
import type { Question, Reply } from './question.js';

/** Of remarks of one such kind Prometheus makes some, by the order of series; we make all. */
const SOME_OF_MANY = [
  /incompatible (sample types|bucket layout) encountered/,
  /encountered a mix of|contains a mix of/,
];

/** Whether Prometheus makes another remark of the kind, at the same place. */
export function isOneOfMany(query: Question): (text: string, theirs: Reply) => boolean {
  const common = annotationInCommon(query);
  const place = (text: string) => /at \d+$/.exec(text)?.[0];
  return (text, { body }) => {
    const kind = SOME_OF_MANY.find((pattern) => pattern.test(text));
    const remarks = [...(body.warnings ?? []), ...(body.infos ?? [])];
    return kind !== undefined && remarks.some((one) => kind.test(one) && place(common(one)) === place(text));
  };
}

/** A remark that 3.5 does not make yet. */
export function isNewRemark(text: string): boolean {
  return /^PromQL warning: (sort is ineffective for range queries|conflicting counter resets during histogram)/.test(
    text,
  );
}

/** Annotations of 3.5 and of newer versions, as far as both say the same. */
export function annotationInCommon({ text: query }: Question): (text: string) => string {
  return (text) =>
    text
      // The last digits of a parameter may be the library's.
      .replace(/, got (-?\d[\d.e+-]*)/, (_, number) => `, got ${Number(Number(number).toPrecision(12))}`)
      // 3.5 does not tell which buckets were repaired.
      .replace(/, from buckets .*Z(?= \()/, '')
      .replace(/ for metric name ""/, '')
      .replace(/(#histogram_quantile\)) for metric name ".*"/, '$1')
      // 3.5 points at the quantile where newer versions point at the histograms.
      .replace(/(histogram_\w+ has NaN observations.*) \(\d+:\d+\)$/, '$1')
      // 3.5 points at a parenthesis where newer versions point at what is in it.
      .replace(/\((\d+):(\d+)\)$/, (_, line, column) => {
        const at = offsetOf(query, Number(line), Number(column));
        return `at ${at + /^(\(|\s|#[^\n]*)*/.exec(query.slice(at))![0].length}`;
      });
}

/** Columns count bytes. */
function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let n = 1; n < line; n++) start = text.indexOf('\n', start) + 1;
  const before = Buffer.from(text.slice(start)).subarray(0, column - 1);
  return start + before.toString().length;
}

/** Which of the duplicate series is named first depends on the order of series; and 3.5 words some things otherwise. */
export function errorInCommon(text: string, query: string): string {
  const common = inNewWords(
    text
      .replace(/: \[.*?\];/s, ': […];')
      .replace(/match group \{.*?\}/s, 'match group {…}')
      .replace(AT_OPERATOR, '$1')
      .replace('in subquery selector, expected number or duration or "]"', `in subquery selector, ${STEP_WISH}`),
  );
  return /\b(on|ignoring)\b/i.test(query) ? common.replace(BESIDE_MATCHING, '$1') : common;
}

/** Behind another operator's on() or ignoring(), 3.5 does not know where `time()` ends, and so what is behind it begins. */
const BESIDE_MATCHING = /\d+:\d+: (parse error: (comparisons between scalars must use BOOL|bool) modifier)/;

/** 3.5 looks for the operator behind the left side, whose end it does not know if it is `sum by (a) (b)`. */
const AT_OPERATOR = /\d+:\d+: (parse error: label ".*" must not occur in ON and GROUP clause at once)/;

const STEP_WISH = 'expected number, duration, step(), range(), or "]"';
