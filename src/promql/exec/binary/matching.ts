// How the rows of two vectors find each other.

import { type Labels, METRIC_NAME, mergeLabels } from '../../../model/labels.js';
import type { VectorMatching } from '../../syntax/ast.js';
import { LabelIndex } from '../label-index.js';
import { type Keep, Projection } from '../projection.js';
import { isMetadata } from '../value.js';

/** The labels by which rows are matched: those of `on`, or all but those of `ignoring` and the name. */
export function matchLabels(matching: VectorMatching): Keep {
  const names = new Set(matching.labels);
  if (matching.on) return (name) => names.has(name);
  return (name) => name !== METRIC_NAME && !names.has(name);
}

/** Rows of the same number match. Numbers are given in the order in which rows are first met, the left side first. */
export interface Matches {
  readonly ofLeft: Int32Array;
  readonly ofRight: Int32Array;
  readonly count: number;
}

export function matchRows(left: readonly Labels[], right: readonly Labels[], matching: VectorMatching): Matches {
  const index = new LabelIndex(matchLabels(matching));
  const numbersOf = (rows: readonly Labels[]): Int32Array => {
    const numbers = new Int32Array(rows.length);
    for (let row = 0; row < rows.length; row++) numbers[row] = index.add(rows[row]!);
    return numbers;
  };
  return { ofLeft: numbersOf(left), ofRight: numbersOf(right), count: index.size };
}

/**
 * The labels of a result: those of the "many" side, less what `on` and `ignoring` leave out in
 * one-to-one matching, with the labels that group_left or group_right takes from the "one" side.
 */
export function resultLabels(matching: VectorMatching, dropsName: boolean): (many: Labels, one: Labels) => Labels {
  const names = new Set(matching.labels);
  const oneToOne = matching.card === 'one-to-one';
  const included = new Set(matching.include);
  const own = new Projection((name) => {
    if (included.has(name) || (dropsName && isMetadata(name))) return false;
    return !oneToOne || names.has(name) === matching.on;
  });
  if (included.size === 0) return (many) => own.of(many);
  const taken = new Projection((name) => included.has(name));
  return (many, one) => mergeLabels(own.of(many), taken.of(one));
}
