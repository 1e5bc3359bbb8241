// A recording rule: the vector of its expression under its own name and labels.

import { keyOf, type Labels, METRIC_NAME, mergeLabels } from '../model/labels.js';
import { overlay } from './overlay.js';
import type { VectorSample } from './query.js';
import { type EvaluationContext, type LabelledSamples, Rule } from './rule.js';
import type { RuleSpec } from './spec.js';

export class RecordingRule extends Rule {
  /** What results get. */
  readonly #over: Labels;

  constructor(spec: RuleSpec) {
    super(spec);
    this.#over = mergeLabels([METRIC_NAME, spec.name], spec.labels);
  }

  override async evaluate({ timeMs, offsetMs, limit, query }: EvaluationContext): Promise<LabelledSamples> {
    const vector = await query(this.spec.expr, timeMs - offsetMs);
    const samples = new Map<string, VectorSample>();
    for (const sample of vector) {
      const labels = overlay(sample.labels, this.#over);
      samples.set(keyOf(labels), { ...sample, labels });
    }
    if (samples.size < vector.length) {
      throw new Error('vector contains metrics with the same labelset after applying rule labels');
    }
    if (limit > 0 && samples.size > limit) throw new Error(`exceeded limit of ${limit} with ${samples.size} series`);
    return samples;
  }
}
