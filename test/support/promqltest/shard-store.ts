// A store of shards in this thread, for query test scripts.

import { FloatHistogram } from '../../../src/model/histogram.js';
import { encodeHistograms } from '../../../src/model/histogram-table.js';
import type { Labels } from '../../../src/model/labels.js';
import type { Evaluators } from '../../../src/query/evaluator/pool.js';
import type { AppendedSeries } from '../../../src/shard/protocol.js';
import type { SideMessage } from '../../../src/shard/side-samples.js';
import { ShardSource } from '../../../src/shard/source.js';
import { anyOwner, packSamples, testShards } from '../shards.js';
import type { StoreFactory, TestStore } from './run.js';
import type { LoadedSample } from './script.js';

const MEMORY_BYTES = 64 * 2 ** 20;

/** With `evaluators`, these finish all queries. */
export function shardStores(count: number, evaluators?: Evaluators): StoreFactory {
  return async (): Promise<TestStore> => {
    const { shards, ingest } = await testShards(count, MEMORY_BYTES, { sideSamples: true });
    const loading = new Map<Labels, LoadedSample[]>();
    return {
      ...(evaluators && { evaluators }),
      wholeGroups: count === 1,
      open: () => new ShardSource(shards, 'adhoc'),
      append(labels, timeMs, value, startMs) {
        const samples = loading.get(labels) ?? [];
        if (samples.length === 0) loading.set(labels, samples);
        samples.push({ timeMs, value, startMs });
      },
      async commit() {
        const batch = [...loading].map(([labels, samples]) => packSeries(labels, samples));
        loading.clear();
        await ingest.append(batch, 0, anyOwner(count));
      },
      close: async () => shards.close(),
    };
  };
}

function packSeries(labels: Labels, samples: readonly LoadedSample[]): AppendedSeries {
  const floats = samples.flatMap(({ timeMs, value }) => (typeof value === 'bigint' ? [[timeMs, value] as const] : []));
  const side = packSide(samples);
  return { labels, samples: packSamples(floats), ...(side && { side }) };
}

function packSide(samples: readonly LoadedSample[]): SideMessage | undefined {
  const histograms = samples.filter(({ value }) => value instanceof FloatHistogram);
  const starts = samples.filter(({ value, startMs }) => typeof value === 'bigint' && startMs !== 0);
  if (histograms.length === 0 && starts.length === 0) return undefined;
  return {
    starts: Float64Array.from(starts.flatMap(({ timeMs, startMs }) => [timeMs, startMs])).buffer,
    histogramTimes: Float64Array.from(histograms, ({ timeMs }) => timeMs).buffer,
    histogramStarts: Float64Array.from(histograms, ({ startMs }) => startMs).buffer,
    histograms: encodeHistograms(histograms.map(({ value }) => value as FloatHistogram)),
  };
}
