// Bugs on purpose. Loops that do not find each of them prove nothing.

import type { Habit } from '../sim-disk.js';
import { DELETING, SNAPSHOTTING, WRITING_BLOCK } from './block-scenarios.js';
import { appending, CHECKPOINTING, MENDING } from './log-scenarios.js';
import { type Looped, looped } from './loops.js';
import { MERGING } from './merge-scenarios.js';

export interface Planted {
  readonly name: string;
  readonly scenario: Looped;
  readonly habits: readonly Habit[];
}

export const PLANTED: readonly Planted[] = [
  {
    name: 'commits are not synced',
    scenario: looped(appending()),
    habits: [{ skips: 'fdatasync', path: /wal\/\d+$/ }],
  },
  { name: 'acknowledged before the sync', scenario: looped(appending({ mode: 'never' })), habits: [] },
  {
    name: 'the name of a new segment is not synced',
    scenario: looped(appending()),
    habits: [{ skips: 'syncFolder', path: /wal$/ }],
  },
  {
    name: 'a segment that failed is not cut',
    scenario: looped(appending()),
    habits: [{ skips: 'truncate', path: /wal\/\d+$/ }],
  },
  {
    name: 'a checkpoint is renamed before its files are synced',
    scenario: looped(CHECKPOINTING),
    habits: [{ skips: 'fdatasync', path: /checkpoint\.\d+\.tmp/ }],
  },
  {
    name: 'the names in a checkpoint are not synced',
    scenario: looped(CHECKPOINTING),
    habits: [{ skips: 'syncFolder', path: /checkpoint\.\d+\.tmp$/ }],
  },
  {
    name: 'segments go before the checkpoint is sure to be there',
    scenario: looped(CHECKPOINTING),
    habits: [{ skips: 'syncFolder', path: /wal$/ }],
  },
  {
    name: 'unfinished checkpoints are left lying',
    scenario: looped(CHECKPOINTING),
    habits: [{ skips: 'unlink', path: /\.tmp/ }],
  },
  {
    name: 'a block has its name before its files are synced',
    scenario: looped(WRITING_BLOCK),
    habits: [{ skips: 'fdatasync', path: /tmp-for-creation/ }],
  },
  {
    name: 'the name of a block is not synced',
    scenario: looped(WRITING_BLOCK),
    habits: [{ skips: 'syncFolder', path: /^data$/ }],
  },
  {
    name: 'tombstones are not synced before they are renamed',
    scenario: looped(DELETING),
    habits: [{ skips: 'fdatasync', path: /tombstones\.tmp/ }],
  },
  {
    name: 'the names in a snapshot are not synced',
    scenario: looped(SNAPSHOTTING),
    habits: [{ skips: 'syncFolder', path: /snapshots\/[^/]*\.tmp\/[^/]*$/ }],
  },
  {
    name: 'a merged block has its name before its files are synced',
    scenario: looped(MERGING),
    habits: [{ skips: 'fdatasync', path: /tmp-for-creation/ }],
  },
  {
    name: 'blocks go before the name of the merged one is synced',
    scenario: looped(MERGING),
    habits: [{ skips: 'syncFolder', path: /^data$/ }],
  },
  { name: 'a torn end is not cut off', scenario: looped(MENDING), habits: [{ skips: 'truncate', path: /wal/ }] },
];
