// Results of rules into the shards: one append each, with one number.

import type { Labels } from '../model/labels.js';
import { storedHistogramOf } from '../model/stored-histogram.js';
import { STALE_HIGH, STALE_LOW } from '../model/value.js';
import type { Ingest } from '../shard/ingest.js';
import type { AppendedSeries } from '../shard/protocol.js';
import type { VectorSample } from './query.js';
import type { RefusedSamples, ResultStore, RuleResult } from './results.js';

export class ShardResults implements ResultStore {
  readonly #ingest: Ingest;

  constructor(ingest: Ingest) {
    this.#ingest = ingest;
  }

  async append({ timeMs, samples, ended }: RuleResult): Promise<RefusedSamples> {
    const series = samples.map((sample) => seriesOf(sample, timeMs));
    const markers = Array.from(ended, (labels) => staleMarker(labels, timeMs));
    const { outcome, error } = await this.#ingest.record(series, markers, timeMs);
    const { outOfOrder, tooOld, duplicate, refusedSeries, noMemory, firstRefused } = outcome;
    const isRefused = refusedSeries + noMemory > 0 ? 'the memory limit is reached' : undefined;
    return { outOfOrder, tooOld, duplicates: duplicate, reason: firstRefused ?? error ?? isRefused };
  }
}

function seriesOf({ labels, value, histogram }: VectorSample, timeMs: number): AppendedSeries {
  if (histogram === undefined) return { labels, samples: Float64Array.of(timeMs, value).buffer };
  return { labels, samples: new ArrayBuffer(0), stored: [{ timeMs, histogram: storedHistogramOf(histogram) }] };
}

function staleMarker(labels: Labels, timeMs: number): AppendedSeries {
  const samples = new DataView(new ArrayBuffer(16));
  samples.setFloat64(0, timeMs, true);
  samples.setUint32(8, STALE_LOW, true);
  samples.setUint32(12, STALE_HIGH, true);
  return { labels, samples: samples.buffer };
}
