// `npm run bench -- <name> …`: runs paths against servers one after the other, and writes down what they did.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context, Group, Outcome, Server } from './bench.js';
import { type Options, parseOptions, USAGE } from './options.js';
import { deathGroup } from './paths/death.js';
import { headGroups } from './paths/head.js';
import { headCutGroup } from './paths/head-cut.js';
import { idleGroup } from './paths/idle.js';
import { queriesGroups } from './paths/queries.js';
import { rulesGroups } from './paths/rules.js';
import { scrapeGroups } from './paths/scrape.js';
import { writeGroup } from './paths/write.js';
import { KeptFolder, keptFolders, ofCheckout } from './peers/kept.js';
import { KINDS, narthex, ROOT } from './peers/kinds.js';
import type { PeerKind } from './peers/peer.js';
import { isInstalled, startProcess } from './peers/process.js';
import { remotePeer } from './peers/remote.js';
import { Progress } from './progress.js';
import { chart, markdown, table } from './report.js';
import { sizes } from './sizes.js';

const GROUPS: readonly Group[] = [
  ...scrapeGroups,
  writeGroup,
  ...headGroups,
  ...queriesGroups,
  deathGroup,
  headCutGroup,
  ...rulesGroups,
  idleGroup,
];

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  const [first] = options.names;
  if (first === undefined) {
    console.log(USAGE);
    return 1;
  }
  if (first === 'table') return printTables(options.names.slice(1));
  if (first === 'drop') return drop(options);
  if (first === 'kernels') return kernels(options.filter);
  if (first === 'sizes') return sizes();
  const context = { startMs: Date.now(), options, progress: new Progress() };
  const outcomes: Outcome[] = [];
  for (const group of GROUPS) {
    const wanted = new Set(group.paths.filter((path) => options.names.includes(path) || options.names.includes('all')));
    if (wanted.size === 0) continue;
    const all = await runGroup(context, group, wanted);
    const found = group.compare?.(all) ?? all;
    outcomes.push(...found);
    for (const path of wanted) console.log(table(found.filter((outcome) => outcome.path === path)));
  }
  if (outcomes.length === 0) throw new Error(`there is no benchmark ${options.names.join(', ')}\n\n${USAGE}`);
  // A few queries of the suite are to try something out.
  if (options.only.length === 0) save(options, outcomes);
  return outcomes.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

/** A group on every server. A server that fails has that as its outcome, and the next one runs. */
async function runGroup(context: Context, group: Group, wanted: ReadonlySet<string>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const server of servers(context.options)) {
    const left = new Set(wanted);
    const done = (outcome: Outcome) => {
      left.delete(outcome.path);
      outcomes.push(outcome);
      context.progress.clear();
    };
    try {
      await group.run(context, server, wanted, done);
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      for (const path of left) {
        outcomes.push({ path, title: path, server: server.name, version: '', measures: [], checks: [], failure });
      }
    }
    context.progress.clear();
  }
  return outcomes;
}

function servers({ servers: names, urls, profileFolder, shards, keep, seed }: Options): Server[] {
  const unknown = names?.find((name) => !KINDS.some((kind) => kind.name === name));
  if (unknown) throw new Error(`there is no server ${unknown}; give --url ${unknown}=http://… if it runs already`);
  const kinds = KINDS.filter((kind) => (names ? names.includes(kind.name) : isInstalled(kind)));
  return [
    ...kinds.map((kind) => ({
      name: kind.name,
      start: (config: string, load?: string) => {
        const kept = keep && load !== undefined ? keptFolder(kind, `${load}-${seed}`) : undefined;
        return startProcess(kind, { config, profileFolder, shards, kept });
      },
    })),
    ...[...urls].map(([name, url]) => ({ name, start: async () => remotePeer(name, url) })),
  ];
}

/** Peers are shared by the checkouts of a machine, our own servers are not. */
function keptFolder({ name }: PeerKind, load: string): KeptFolder {
  return new KeptFolder(name === narthex.name ? ofCheckout(`${name}-${load}`, ROOT) : `${name}-${load}`);
}

async function drop({ servers: names }: Options): Promise<number> {
  const folders = keptFolders(names ?? KINDS.map(({ name }) => name), ROOT);
  for (const folder of folders) await folder.drop();
  console.log(`dropped: ${folders.map(({ path }) => path).join(', ') || 'nothing was kept'}`);
  return 0;
}

/** The kernels run in a process of their own, with the compiler that the server uses. */
function kernels(filter: string): number {
  const file = fileURLToPath(new URL('kernels/all.js', import.meta.url));
  return spawnSync(process.execPath, ['--no-liftoff', file, filter], { stdio: 'inherit' }).status ?? 1;
}

/** What earlier runs wrote down, as docs/performance.md wants it. */
function printTables(files: readonly string[]): number {
  for (const file of files) {
    // What was no number was written as null.
    const { outcomes } = JSON.parse(readFileSync(file, 'utf8'), (_, value) => value ?? Number.NaN) as {
      outcomes: readonly Outcome[];
    };
    for (const path of new Set(outcomes.map((outcome) => outcome.path))) {
      console.log(markdown(outcomes.filter((outcome) => outcome.path === path)));
    }
  }
  return 0;
}

function save({ names, seed, sizes }: Options, outcomes: readonly Outcome[]): void {
  const date = new Date();
  const folder = join(ROOT, 'bench/results');
  const stem = join(
    folder,
    `${names.join('+')}-${date
      .toISOString()
      .replace(/\.\d+Z$/, 'Z')
      .replaceAll(':', '')}`,
  );
  const [cpu] = cpus();
  const machine = { cpus: cpus().length, model: cpu?.model ?? '', memoryBytes: totalmem(), node: process.version };
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${stem}.json`, `${JSON.stringify({ date, names, seed, sizes, machine, outcomes }, undefined, 2)}\n`);
  writeFileSync(
    `${stem}.svg`,
    chart(outcomes, `${names.join(', ')} (${sizes.name}), ${machine.cpus} × ${machine.model}`),
  );
  console.log(`written: ${stem}.json, ${stem}.svg`);
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});
