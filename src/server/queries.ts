// The query engine with its limits and its evaluators, from the flags.

import type { Clock } from '../base/clock.js';
import { queryFeatures } from '../cli/features.js';
import type { Flags } from '../cli/flags.js';
import { formatBytes } from '../config/values.js';
import { slowQueryLog } from '../query/ended.js';
import { QueryEngine } from '../query/engine.js';
import { Evaluators } from '../query/evaluator/pool.js';
import { QueryMetrics } from '../query/metrics.js';
import type { Shards } from '../shard/shards.js';
import { ShardSource } from '../shard/source.js';
import type { Logger } from '../telemetry/log.js';
import type { Registry } from '../telemetry/metrics.js';

/** Of the memory limit, what all running queries may take outside the shards. */
const QUERY_SHARE = 0.4;
/** The same for rules. */
const RULE_SHARE = 0.1;

export interface QueriesOptions {
  readonly flags: Flags;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly log: Logger;
  readonly shards: Shards;
  /** What --storage.memory-limit comes to here. */
  readonly memoryLimitBytes: number;
  /** The step of subqueries that name none. */
  readonly subqueryStepMs: number;
}

export interface Queries {
  readonly engine: QueryEngine;
  /** undefined where main evaluates everything. */
  readonly evaluators: Evaluators | undefined;
}

export function openQueries(options: QueriesOptions): Queries {
  const { flags, clock, registry, log, shards, memoryLimitBytes, subqueryStepMs } = options;
  const share = (of: number) => ({
    bytes: memoryLimitBytes * of,
    name: `${100 * of}% of --storage.memory-limit, ${formatBytes(Math.floor(memoryLimitBytes * of))}`,
  });
  const memoryOfOne = {
    bytes: flags.queryMaxMemory,
    name: `--query.max-memory, ${formatBytes(flags.queryMaxMemory)}`,
  };
  const evaluators =
    flags.queryWorkers === 0 ? undefined : new Evaluators({ workers: flags.queryWorkers, heap: memoryOfOne }, clock);
  const engine = new QueryEngine(
    (priority) => new ShardSource(shards, priority === 'rules' ? 'rules' : 'adhoc'),
    clock,
    {
      timeoutMs: flags.queryTimeoutMs,
      samplesMax: flags.queryMaxSamples,
      memory: share(QUERY_SHARE),
      ruleMemory: share(RULE_SHARE),
      memoryOfOne,
      concurrency: flags.queryMaxConcurrency,
      lookbackMs: flags.queryLookbackDeltaMs,
      subqueryStepMs,
      wholeGroups: shards.handles.length === 1,
      ...queryFeatures(flags.enableFeature),
      onEnd: slowQueryLog(log, flags.querySlowThresholdMs),
    },
    new QueryMetrics(registry, flags.queryMaxConcurrency),
    evaluators,
  );
  const gauge = (name: string, help: string, read: () => number) =>
    registry.collect(name, help, { type: 'gauge' }, read);
  gauge('narthex_query_memory_bytes', 'Memory that queries hold outside of the shards.', () => engine.memoryBytes);
  gauge('narthex_query_evaluators', 'Threads there are for large queries.', () => evaluators?.threads ?? 0);
  return { engine, evaluators };
}
