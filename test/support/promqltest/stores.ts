// The stores that query test scripts run on: the model, and shards with the core's kernels, once with an
// evaluator that finishes all queries.

import { eagerEvaluators } from '../evaluators.js';
import { memoryStore, type StoreFactory } from './run.js';
import { shardStores } from './shard-store.js';

export const STORES: Readonly<Record<string, StoreFactory>> = {
  memory: memoryStore,
  'one shard': shardStores(1),
  'two shards': shardStores(2),
  'five shards': shardStores(5),
  'two shards and an evaluator': shardStores(2, eagerEvaluators()),
};
