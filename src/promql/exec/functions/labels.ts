// label_replace and label_join: new labels, the same values.

import { type Labels, METRIC_NAME, valueOf, withLabel } from '../../../model/labels.js';
import { checkSize, PatternError } from '../../../model/matcher.js';
import { expand, Pattern } from '../../../relabel/pattern.js';
import { executionError } from '../../errors.js';
import { joinSameRows } from '../columns.js';
import { LabelIndex } from '../label-index.js';
import type { Pace } from '../operator.js';
import { type VectorValue, vector } from '../value.js';

export interface Replacement {
  readonly target: string;
  readonly template: string;
  readonly source: string;
  readonly pattern: string;
}

/** The pattern, compiled. Throws what Prometheus finds wrong with the texts before it looks at the vector. */
export function checkReplacement({ target, pattern }: Pick<Replacement, 'target' | 'pattern'>): Pattern {
  const regex = compile(pattern);
  if (!isLabelName(target)) throw executionError(`invalid destination label name in label_replace(): ${target}`);
  return regex;
}

/** The same for label_join. */
export function checkJoin(target: string, sources: readonly string[]): void {
  for (const source of sources) {
    if (!isLabelName(source)) throw executionError(`invalid source label name in label_join(): ${source}`);
  }
  if (!isLabelName(target)) throw executionError(`invalid destination label name in label_join(): ${target}`);
}

/** Where the pattern matches the whole source label, the target label becomes the template filled in. */
export function labelReplace(operand: VectorValue, replacement: Replacement, pace: Pace): VectorValue {
  const { target, template, source } = replacement;
  const regex = checkReplacement(replacement);
  const valueFor = (value: string): string | undefined => {
    const match = regex.match(value);
    return match && expand(template, match);
  };
  // Each value is matched once: rows share them.
  const known = new Map<string, string | undefined>();
  return relabel(operand, target, pace, (labels) => {
    const value = valueOf(labels, source);
    if (!known.has(value)) known.set(value, valueFor(value));
    return known.get(value);
  });
}

/** The target label becomes the source labels' values, joined. */
export function labelJoin(
  operand: VectorValue,
  target: string,
  separator: string,
  sources: readonly string[],
  pace: Pace,
): VectorValue {
  checkJoin(target, sources);
  return relabel(operand, target, pace, (labels) => sources.map((source) => valueOf(labels, source)).join(separator));
}

/** Any UTF-8 but none. The parser has put U+FFFD for bytes that are no UTF-8. */
export function isLabelName(name: string): boolean {
  return name !== '' && !name.includes('\ufffd');
}

function compile(pattern: string): Pattern {
  try {
    checkSize(pattern);
    return new Pattern(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw executionError(`invalid regular expression in label_replace(): ${pattern}`);
  }
}

/** A row that gets a metric name of its own keeps it. */
function relabel(
  operand: VectorValue,
  target: string,
  pace: Pace,
  valueFor: (labels: Labels) => string | undefined,
): VectorValue {
  const { columns } = operand;
  const drops = operand.drops?.slice();
  const labels = columns.labels.map((row, i) => {
    pace.spend(1);
    const value = valueFor(row);
    if (value === undefined) return row;
    if (target === METRIC_NAME && drops !== undefined) drops[i] = 0;
    return withLabel(row, target, value);
  });
  const joined = joinSameRows({ ...columns, labels });
  if (drops === undefined || joined.labels.length === labels.length) return vector(joined, drops);
  // Joined rows come in the order in which an index numbers them, and have the mark of the last.
  const index = new LabelIndex();
  const marks = new Uint8Array(joined.labels.length);
  labels.forEach((row, i) => {
    marks[index.add(row)] = drops[i]!;
  });
  return vector(joined, marks);
}
