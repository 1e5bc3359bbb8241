// Exemplars: a measurement that stands for many, with labels that say where to look for its trace.

import { compareStrings, type Labels } from './labels.js';

export interface Exemplar {
  /** Sorted, none empty; they say nothing of the series. */
  readonly labels: Labels;
  readonly value: number;
  readonly timeMs: number;
}

/** Most characters of an exemplar's labels, names and values together: OpenMetrics's limit. */
export const EXEMPLAR_CHARACTERS_MAX = 128;

/** Labels as a sender has them: sorted, those without a value left out. */
export function exemplarLabels(pairs: readonly (readonly [name: string, value: string])[]): Labels {
  return pairs
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => compareStrings(a, b))
    .flat();
}

/** Whether the labels are longer than OpenMetrics allows, in code points. */
export function isTooLong(labels: Labels): boolean {
  // No string has more code points than UTF-16 units: those are counted first.
  if (labels.reduce((sum, { length }) => sum + length, 0) <= EXEMPLAR_CHARACTERS_MAX) return false;
  return labels.reduce((sum, text) => sum + [...text].length, 0) > EXEMPLAR_CHARACTERS_MAX;
}
