// Bugs on purpose. A simulation that does not find each of them proves nothing.

import type { LogTask, WireCommit, WirePart } from '../../../src/shard/log-worker.js';
import type { Job } from '../../../src/shard/protocol.js';
import type { CompactorTask } from '../../../src/tsdb/compact/protocol.js';
import { RecordType } from '../../../src/tsdb/wal/record.js';
import type { SimulationOptions } from './simulation.js';

export interface PlantedBug {
  readonly name: string;
  readonly options: SimulationOptions;
}

const HOUR = 3_600_000;
const KEPT_TOO_SHORT = { timeMs: HOUR, bytes: 0, percentage: 0 };

/** Records of main's own making begin with their type; those of new series are a shard's alone. */
function typeOf([head]: readonly WirePart[]): RecordType | undefined {
  return head instanceof Uint8Array ? head[0] : undefined;
}

/** Changes the commits of a task. */
function commits(change: (commit: WireCommit) => WireCommit): (task: LogTask) => LogTask {
  return (task) => (task.op === 'commit' ? { ...task, commits: task.commits.map(change) } : task);
}

/** Changes what shards are asked for by one name. */
function job<K extends Job['op']>(
  op: K,
  change: (request: Extract<Job, { op: K }>['request']) => Extract<Job, { op: K }>['request'],
): (one: Job) => Job {
  return (one) => (one.op === op ? ({ ...one, request: change(one.request as never) } as Job) : one);
}

/** Answers one kind of task without having it done. */
function answer(op: CompactorTask['op'], reply: unknown) {
  return (task: CompactorTask, run: (task: CompactorTask) => unknown) => (task.op === op ? reply : run(task));
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'commits are not synced',
    options: { habits: [{ skips: 'fdatasync', path: /wal\/\d+$/ }] },
  },
  { name: 'writes are acknowledged before the sync', options: { sync: { mode: 'never' } } },
  {
    name: 'the name of a new segment is not synced',
    options: { habits: [{ skips: 'syncFolder', path: /wal$/ }] },
  },
  {
    name: 'blocks are not synced before they have their name',
    options: { habits: [{ skips: 'fdatasync', path: /tmp-for-creation/ }] },
  },
  {
    name: 'samples stand before their series in the log',
    options: { meddling: { log: commits((one) => ({ ...one, records: [...one.records].reverse() })) } },
  },
  {
    name: 'a part of a batch is not logged',
    options: {
      meddling: {
        log: commits((one) => ({
          ...one,
          records: one.records.map((parts) => (parts.length > 2 ? parts.slice(0, -1) : parts)),
        })),
      },
    },
  },
  {
    name: 'late samples are not logged',
    options: { meddling: { log: commits((one) => ({ ...one, late: [] })) } },
  },
  {
    name: 'the write-behind log is dropped a segment too far',
    options: {
      meddling: { log: (task) => (task.op === 'dropLate' ? { ...task, last: task.last + 1 } : task) },
    },
  },
  {
    name: 'deletions are not logged',
    options: {
      meddling: {
        log: commits((one) => ({
          ...one,
          records: one.records.filter((parts) => typeOf(parts) !== RecordType.Tombstones),
        })),
      },
    },
  },
  {
    name: 'deletions from blocks are said to be done',
    options: { meddling: { compactor: answer('deleteFromBlocks', { changed: [] }) } },
  },
  {
    name: 'the head is truncated beyond the block',
    options: {
      meddling: { shard: job('truncate', ({ minTimeMs }) => ({ minTimeMs: minTimeMs + HOUR / 2 })) },
    },
  },
  {
    name: 'the log is cut beyond the block',
    options: {
      meddling: {
        log: (task) => (task.op === 'checkpoint' ? { ...task, minTimeMs: task.minTimeMs + HOUR / 2 } : task),
      },
    },
  },
  {
    name: 'a checkpoint forgets a series',
    options: {
      meddling: {
        log: (task) => (task.op === 'checkpoint' ? { ...task, refs: task.refs.map((refs) => refs.slice(8)) } : task),
      },
    },
  },
  {
    name: "the copy of the log's series never counts",
    options: { habits: [{ skips: 'rename', path: /series\/checkpoint/ }] },
  },
  {
    name: 'a replay begins an hour behind the blocks',
    options: {
      meddling: {
        shard: job('replay', (request) => ({ ...request, minTimeMs: Math.max(request.minTimeMs, 0) + HOUR })),
      },
    },
  },
  {
    name: 'shards do not hear of new blocks',
    options: { meddling: { shard: job('setBlocks', (request) => ({ ...request, blocks: [] })) } },
  },
  {
    name: 'a cut leaves out the last hour',
    options: {
      meddling: {
        shard: job('exportChunks', ({ range, series }) => ({
          series,
          range: { ...range, maxTimeMs: range.maxTimeMs - HOUR },
        })),
      },
    },
  },
  {
    name: 'retention removes what is to be kept',
    options: {
      meddling: {
        compactor: (task, run) =>
          run(task.op === 'expireBlocks' ? { op: task.op, request: { retention: KEPT_TOO_SHORT } } : task),
      },
    },
  },
];
