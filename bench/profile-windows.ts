// When which query was asked, beside the processor profiles of a run: so that a profile can be read by query.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** From and to, microseconds of the clock that never goes back: the one of processor profiles. */
export type ProfileWindow = readonly [fromUs: number, toUs: number];

const FILE = 'windows.json';

export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

export function writeWindows(folder: string, windows: ReadonlyMap<string, ProfileWindow>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, FILE), JSON.stringify([...windows]));
}

export function readWindow(folder: string, id: string): ProfileWindow {
  const windows = new Map(JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as [string, ProfileWindow][]);
  const found = windows.get(id);
  if (found === undefined) throw new Error(`no window of ${id}; there are ${[...windows.keys()].join(', ')}`);
  return found;
}
