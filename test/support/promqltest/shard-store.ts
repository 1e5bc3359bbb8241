// A store of shards in this thread, for query test scripts.

import type { Labels } from '../../../src/model/labels.js';
import { ShardSource } from '../../../src/shard/source.js';
import { anyOwner, packSamples, testShards } from '../shards.js';
import type { StoreFactory, TestStore } from './run.js';

const MEMORY_BYTES = 64 * 2 ** 20;

export function shardStores(count: number): StoreFactory {
  return async (): Promise<TestStore> => {
    const { shards, ingest } = await testShards(count, MEMORY_BYTES);
    const loading = new Map<Labels, [timeMs: number, bits: bigint][]>();
    let last: Labels | undefined;
    return {
      open: () => new ShardSource(shards, 'adhoc'),
      append(labels, timeMs, value, startMs) {
        // Histograms and start timestamps have no place in the head yet.
        if (typeof value !== 'bigint' || startMs !== 0) return false;
        if (last === undefined || labels !== last) loading.set((last = labels), []);
        loading.get(labels)!.push([timeMs, value]);
        return true;
      },
      async commit() {
        const batch = [...loading].map(([labels, samples]) => ({ labels, samples: packSamples(samples) }));
        loading.clear();
        last = undefined;
        await ingest.append(batch, 0, anyOwner(count));
      },
      close: async () => shards.close(),
    };
  };
}
