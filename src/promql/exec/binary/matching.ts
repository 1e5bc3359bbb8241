// How the rows of two vectors find each other.

import { filterLabels, keyOf, type Labels, labelsOf, METRIC_NAME, pairsOf, valueOf } from '../../../model/labels.js';
import type { VectorMatching } from '../../syntax/ast.js';
import { isMetadata } from '../value.js';

/** The labels of a row by which it is matched: those of `on`, or all but those of `ignoring` and the name. */
export function matchLabels(matching: VectorMatching): (row: Labels) => Labels {
  const names = new Set(matching.labels);
  if (matching.on) return (row) => filterLabels(row, (name) => names.has(name));
  return (row) => filterLabels(row, (name) => name !== METRIC_NAME && !names.has(name));
}

/** Rows of both sides that match. */
export interface MatchGroup {
  readonly left: number[];
  readonly right: number[];
}

/** Groups in the order in which they are first met, the left side first. */
export function groupMatches(
  left: readonly Labels[],
  right: readonly Labels[],
  matching: VectorMatching,
): MatchGroup[] {
  const groups = new Map<string, MatchGroup>();
  const labelsOfMatch = matchLabels(matching);
  const groupOf = (row: Labels): MatchGroup => {
    const key = keyOf(labelsOfMatch(row));
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { left: [], right: [] }));
    return group;
  };
  left.forEach((row, i) => {
    groupOf(row).left.push(i);
  });
  right.forEach((row, i) => {
    groupOf(row).right.push(i);
  });
  return [...groups.values()];
}

/**
 * The labels of a result: those of the "many" side, less what `on` and `ignoring` leave out in
 * one-to-one matching, with the labels that group_left or group_right takes from the "one" side.
 */
export function resultLabels(matching: VectorMatching, dropsName: boolean): (many: Labels, one: Labels) => Labels {
  const names = new Set(matching.labels);
  const oneToOne = matching.card === 'one-to-one';
  const included = new Set(matching.include);
  const keep = (name: string): boolean => {
    if (dropsName && isMetadata(name)) return false;
    return !oneToOne || names.has(name) === matching.on;
  };
  if (included.size === 0) return (many) => filterLabels(many, keep);
  return (many, one) => {
    const kept = [...pairsOf(many)].filter(([name]) => keep(name) && !included.has(name));
    return labelsOf([...kept, ...[...included].map((name): [string, string] => [name, valueOf(one, name)])]);
  };
}
