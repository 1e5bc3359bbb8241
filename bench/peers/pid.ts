// Processes by their number: those that an earlier run started are not our children.

import { existsSync, readFileSync } from 'node:fs';

const STOP_TIMEOUT_MS = 60_000;
const POLL_MS = 5;

/** Whether it is there and not a zombie; numbers are used again, so what its command line holds may be asked as well. */
export function isRunning(pid: number, argument = ''): boolean {
  const folder = `/proc/${pid}`;
  if (!existsSync(folder)) return false;
  const stat = readFileSync(`${folder}/stat`, 'latin1');
  if (stat[stat.lastIndexOf(')') + 2] === 'Z') return false;
  return readFileSync(`${folder}/cmdline`, 'utf8').includes(argument);
}

/** Returns once it is gone; a process that does not end is killed. */
export async function endProcess(pid: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isRunning(pid)) return;
  process.kill(pid, signal);
  const until = performance.now() + STOP_TIMEOUT_MS;
  while (isRunning(pid)) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (performance.now() < until) continue;
    process.kill(pid, 'SIGKILL');
    return;
  }
}
