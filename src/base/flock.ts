// The door to flock(2), which Node does not have.
//
// An flock belongs to the open file, not to the process that asked for it. So
// flock(1) of util-linux, started with our descriptor as its number 3, takes the
// lock for us and ends; we hold it until we close the file or die.

import { spawnSync } from 'node:child_process';
import type { FileHandle } from './disk.js';

const CHILD_DESCRIPTOR = 3;
/** What flock(1) is told to exit with when another process holds the lock. */
const HELD_EXIT = 75;

/** `held`: by another process. `unsupported`: there is no flock(1), or the file system has no locks. */
export type Flocked = 'locked' | 'held' | 'unsupported';

/** Takes the exclusive lock of an open file, without waiting. */
export function flockExclusive(file: FileHandle): Flocked {
  const args = ['--exclusive', '--nonblock', '--conflict-exit-code', String(HELD_EXIT), String(CHILD_DESCRIPTOR)];
  const { status } = spawnSync('flock', args, { stdio: ['ignore', 'ignore', 'ignore', file] });
  if (status === 0) return 'locked';
  return status === HELD_EXIT ? 'held' : 'unsupported';
}
