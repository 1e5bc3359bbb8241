// Trials of whole servers on real files: kills, power cuts, damage, full disks. Minutes; a part of each is in `npm test`.
//
//   npm run trials -- [kill] [power] [damage] [full] [limits] [hostile] [reloads] [--rounds N] [--seed N]
//
// Rounds of `hostile` are seconds. Power cuts and full disks need mount(8) and the right to use it: without, they are skipped, and say so. The exit code says
// whether a promise was broken.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peerBinary } from '../test/support/peers.js';
import { DamageTrials, KINDS, PLACES } from '../test/support/trials/damage.js';
import { runFull } from '../test/support/trials/full.js';
import { runHostile } from '../test/support/trials/hostile.js';
import { fewDescriptors, type LimitReport, outOfNames, smallFiles } from '../test/support/trials/limits.js';
import { runReloads } from '../test/support/trials/reloads.js';
import { runRounds } from '../test/support/trials/rounds.js';
import { type FileSystem, Volume } from '../test/support/trials/volume.js';

interface Settings {
  readonly rounds: number | undefined;
  readonly seed: number;
}

const KILL_ROUNDS = 50;
const POWER_ROUNDS = 20;
const DAMAGE_TRIALS = 10;
const HOSTILE_SECONDS = 60;
const RELOADS = 1000;
const RELOAD_EVERY_MS = 300;

const TRIALS: ReadonlyMap<string, (settings: Settings) => Promise<string>> = new Map([
  ['kill', kill],
  ['power', power],
  ['damage', damage],
  ['full', full],
  ['limits', limits],
  ['hostile', hostile],
  ['reloads', reloads],
]);

const { names, settings } = readArguments(process.argv.slice(2));
let broken = 0;
for (const name of names.length > 0 ? names : TRIALS.keys()) {
  const startMs = Date.now();
  let said: string;
  try {
    said = await TRIALS.get(name)!(settings);
  } catch (error) {
    broken++;
    said = `BROKEN: ${(error as Error).stack}`;
  }
  console.log(`trials: ${name.padEnd(7)} ${((Date.now() - startMs) / 1000).toFixed(0)} s, ${said}`);
}
process.exitCode = broken === 0 ? 0 : 1;

async function kill({ rounds = KILL_ROUNDS, seed }: Settings): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-trials-'));
  try {
    const { acknowledged, blocks, hours } = await runRounds({
      ...{ data: join(folder, 'data'), rounds, seed, tell },
      peer: peerBinary('prometheus'),
    });
    return `${rounds} kills over ${hours.toFixed(0)} h of samples: ${acknowledged} acknowledged, 0 lost, ${blocks} blocks`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function power({ rounds = POWER_ROUNDS, seed }: Settings): Promise<string> {
  const lack = Volume.lack('ext4');
  if (lack !== undefined) return lack;
  const all: string[] = [];
  // Every second round the metadata may overtake the data.
  for (const options of ['', 'data=writeback']) {
    const volume = Volume.make('ext4', 1500, options);
    try {
      const report = await runRounds({
        ...{ data: join(volume.path, 'data'), rounds: Math.ceil(rounds / 2), seed, tell },
        afterKill: () => volume.cutPower(),
      });
      all.push(`${report.acknowledged} acknowledged (${options || 'data=ordered'})`);
    } finally {
      volume.remove();
    }
  }
  return `${rounds} power cuts: ${all.join(', ')}, 0 lost`;
}

async function damage({ rounds = DAMAGE_TRIALS, seed }: Settings): Promise<string> {
  const trials = new DamageTrials();
  const broken: string[] = [];
  let [count, silent, most] = [0, 0, 0];
  try {
    await trials.prepare();
    const places = [...PLACES.keys()];
    for (const [k, kind] of [...KINDS.keys()].entries()) {
      for (let i = 0; i < rounds; i++) {
        const place = places[(i + k) % places.length]!;
        try {
          const report = await trials.run(kind, place, seed + k * rounds + i);
          if (report === undefined) continue;
          count++;
          if (report.missing === 0) silent++;
          most = Math.max(most, report.missing / report.samples);
          tell(`${report.what}: ${report.missing} of ${report.samples} lost, ${report.revived} revived`);
        } catch (error) {
          broken.push((error as Error).message);
          tell(`BROKEN: ${(error as Error).message}`);
        }
      }
    }
  } finally {
    trials.close();
  }
  if (broken.length > 0) throw new Error(`${broken.length} of ${count + broken.length} trials broken`);
  return `${count} trials: 0 wrong values, all start, ${silent} lost nothing, the worst ${(100 * most).toFixed(1)} %`;
}

async function hostile({ rounds = HOSTILE_SECONDS }: Settings): Promise<string> {
  const { peakBytes, hostile, scrapes } = await runHostile(rounds, true);
  return `${hostile} hostile targets for ${rounds} s: ${mebibytes(peakBytes)} at the most, ${scrapes} healthy scrapes, 0 missed`;
}

async function reloads({ rounds = RELOADS }: Settings): Promise<string> {
  const { scrapes, growthBytes, files } = await runReloads(rounds, RELOAD_EVERY_MS, true);
  const grew = `memory grew by ${mebibytes(growthBytes)}, ${files} files open`;
  return `${rounds} reloads: ${scrapes} scrapes, 0 missed, 0 twice, ${grew}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

/** Names, sizes of files, open files. */
async function limits(): Promise<string> {
  const said: string[] = [];
  const tell = (what: string, { acknowledged, refused }: LimitReport) =>
    said.push(`${what}: ${acknowledged} acknowledged, ${refused} writes refused, 0 lost`);
  const lack = Volume.lack('tmpfs');
  if (lack !== undefined) said.push(lack);
  else {
    const volume = Volume.make('tmpfs', 400, 'nr_inodes=200');
    try {
      tell('no names', await outOfNames(volume));
    } finally {
      volume.remove();
    }
  }
  for (const [what, trial] of [
    ['small files', smallFiles],
    ['few descriptors', fewDescriptors],
  ] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'narthex-trials-'));
    try {
      tell(what, await trial(join(folder, 'data')));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return said.join('; ');
}

async function full(): Promise<string> {
  const said: string[] = [];
  for (const kind of ['tmpfs', 'ext4'] as const satisfies FileSystem[]) {
    const lack = Volume.lack(kind);
    if (lack !== undefined) {
      said.push(lack);
      continue;
    }
    const volume = Volume.make(kind, 48);
    try {
      const { acknowledged, refused, resumedMs } = await runFull(volume, 16 * 2 ** 20);
      said.push(
        `${kind}: ${acknowledged} acknowledged, ${refused} writes refused, again after ${resumedMs} ms, 0 lost`,
      );
    } finally {
      volume.remove();
    }
  }
  return said.join('; ');
}

function tell(line: string): void {
  console.log(`  ${line}`);
}

function readArguments(args: string[]): { names: string[]; settings: Settings } {
  const names: string[] = [];
  let rounds: number | undefined;
  let seed = 1;
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--rounds') rounds = Number(args[++i]);
    else if (args[i] === '--seed') seed = Number(args[++i]);
    else if (TRIALS.has(args[i]!)) names.push(args[i]!);
    else throw new Error(`what is ${args[i]}? There are ${[...TRIALS.keys()].join(', ')}, --rounds and --seed`);
  }
  return { names, settings: { rounds, seed } };
}
