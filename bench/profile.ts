// Where the time of each thread went: the processor profiles that `--profile folder` leaves, as a table.
//
//   node dist/bench/profile.js folder [functions] [query]
//
// With the id of a query, only of the time in which the suite asked that one.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readWindow } from './profile-windows.js';
import { wasmNames } from './wasm-names.js';

interface Profile {
  readonly nodes: readonly Node[];
  /** Of the clock that never goes back, as the times of windows. */
  readonly startTime: number;
  readonly samples: readonly number[];
  /** Microseconds between samples. */
  readonly timeDeltas: readonly number[];
}

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface Cost {
  selfUs: number;
  /** With what it calls; a recursive call counts once. */
  totalUs: number;
}

/** What a thread without work shows. */
const WAITING = new Set(['(idle)', '(root)', '(program)', 'atomicsWaitLoop']);

const NAMES = wasmNames(fileURLToPath(new URL('../../build/core.named.wasm', import.meta.url)));

function costs({ nodes, samples, timeDeltas }: Profile): Map<string, Cost> {
  const names = new Map(nodes.map((node) => [node.id, nameOf(node)]));
  const parents = new Map<number, number>();
  for (const { id, children } of nodes) for (const child of children ?? []) parents.set(child, id);
  const byName = new Map<string, Cost>();
  const cost = (name: string) => {
    const found = byName.get(name) ?? { selfUs: 0, totalUs: 0 };
    byName.set(name, found);
    return found;
  };
  for (const [i, sample] of samples.entries()) {
    const deltaUs = timeDeltas[i] ?? 0;
    const self = names.get(sample)!;
    cost(self).selfUs += deltaUs;
    if (isWaiting(self)) continue;
    const seen = new Set<string>();
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) seen.add(names.get(id)!);
    for (const name of seen) cost(name).totalUs += deltaUs;
  }
  return byName;
}

function isWaiting(name: string): boolean {
  return WAITING.has(name.split(' ')[0]!);
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: Node): string {
  const index = /^wasm-function\[(\d+)\]$/.exec(functionName)?.[1];
  if (index !== undefined) return NAMES.get(Number(index)) ?? functionName;
  const file = url.replace(/^.*\/(dist|node_modules)\//, '');
  const name = functionName || '(nameless)';
  return file === '' ? name : `${name} ${file}:${lineNumber + 1}`;
}

/** The functions that cost most by themselves, with their shares of the time the thread worked. */
export function summary(profile: Profile, functions = 25): string {
  const all = costs(profile);
  const waitingUs = [...all].reduce((sum, [name, { selfUs }]) => sum + (isWaiting(name) ? selfUs : 0), 0);
  const wholeUs = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0);
  const workedUs = wholeUs - waitingUs;
  const lines = [
    `  ${(wholeUs / 1e6).toFixed(1)} s, of which ${(workedUs / 1e6).toFixed(2)} s at work`,
    '    self   total',
  ];
  const share = (us: number) => `${((100 * us) / workedUs).toFixed(1)}%`.padStart(6);
  const worked = [...all].filter(([name]) => !isWaiting(name));
  worked.sort(([, a], [, b]) => b.selfUs - a.selfUs);
  for (const [name, { selfUs, totalUs }] of worked.slice(0, functions)) {
    lines.push(`  ${share(selfUs)}  ${share(totalUs)}  ${name}`);
  }
  return lines.join('\n');
}

/** The samples of a window. */
export function within(profile: Profile, [fromUs, toUs]: readonly [fromUs: number, toUs: number]): Profile {
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  let nowUs = profile.startTime;
  for (const [i, sample] of profile.samples.entries()) {
    const deltaUs = profile.timeDeltas[i] ?? 0;
    nowUs += deltaUs;
    if (nowUs < fromUs || nowUs > toUs) continue;
    samples.push(sample);
    timeDeltas.push(deltaUs);
  }
  return { ...profile, startTime: fromUs, samples, timeDeltas };
}

/** All profiles of a folder, by thread, oldest first. */
export function summaries(folder: string, functions?: number, query?: string): string {
  const window = query === undefined ? undefined : readWindow(folder, query);
  const files = readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'));
  const parts = files.sort().map((file) => {
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
    return `${file}\n${summary(window ? within(profile, window) : profile, functions)}\n`;
  });
  return parts.join('\n');
}

const [, script, folder, functions, query] = process.argv;
if (script?.endsWith('profile.js') && folder !== undefined) {
  console.log(summaries(folder, functions === undefined ? undefined : Number(functions), query));
}
