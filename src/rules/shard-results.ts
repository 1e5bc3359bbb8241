// Results of rules into the shards: one append, with one number.

import { storedHistogramOf } from '../model/stored-histogram.js';
import type { Ingest } from '../shard/ingest.js';
import type { RecordedSample } from '../shard/recording.js';
import type { RefusedSamples, ResultSample, ResultStore, RuleResults } from './results.js';

export class ShardResults implements ResultStore {
  readonly #ingest: Ingest;

  constructor(ingest: Ingest) {
    this.#ingest = ingest;
  }

  append({ timeMs, results, ended }: RuleResults): Promise<readonly RefusedSamples[]> {
    return this.#ingest.record({ timeMs, results: results.map((samples) => samples.map(recordedOf)), ended });
  }
}

function recordedOf({ series, value, histogram }: ResultSample): RecordedSample {
  if (histogram === undefined) return { series, value };
  return { series, value, histogram: storedHistogramOf(histogram) };
}
