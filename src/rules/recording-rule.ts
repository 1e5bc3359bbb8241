// A recording rule: the vector of its expression under its own name and labels.

import { keyOf, type Labels, METRIC_NAME, mergeLabels } from '../model/labels.js';
import { KeptLabels } from './kept-labels.js';
import { overlay } from './overlay.js';
import type { VectorSample } from './query.js';
import { type EvaluationContext, type LabelledSamples, Rule } from './rule.js';
import type { RuleSpec } from './spec.js';

export class RecordingRule extends Rule {
  /** By the labels of what the expression gives. */
  readonly #named: KeptLabels<{ readonly labels: Labels; readonly key: string }>;

  constructor(spec: RuleSpec) {
    super(spec);
    const over = mergeLabels([METRIC_NAME, spec.name], spec.labels);
    this.#named = new KeptLabels((given) => {
      const labels = overlay(given, over);
      return { labels, key: keyOf(labels) };
    });
  }

  override async evaluate({ timeMs, offsetMs, limit, query }: EvaluationContext): Promise<LabelledSamples> {
    const vector = await query(this.spec.expr, timeMs - offsetMs);
    const samples = new Map<string, VectorSample>();
    this.#named.beginRound();
    for (const { value, histogram, ...sample } of vector) {
      const { labels, key } = this.#named.of(sample.labels);
      samples.set(key, histogram === undefined ? { labels, value } : { labels, value, histogram });
    }
    if (samples.size < vector.length) {
      throw new Error('vector contains metrics with the same labelset after applying rule labels');
    }
    if (limit > 0 && samples.size > limit) throw new Error(`exceeded limit of ${limit} with ${samples.size} series`);
    return samples;
  }
}
