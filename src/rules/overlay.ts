// Labels over labels: what a rule says of its results.

import { type Labels, mergeLabels } from '../model/labels.js';

/** A label set with others over it, by name; an empty value takes a label away. */
export function overlay(labels: Labels, over: Labels): Labels {
  const merged = mergeLabels(labels, over);
  if (!merged.some((text, i) => i % 2 === 1 && text === '')) return merged;
  return merged.filter((_, i) => merged[i | 1] !== '');
}
