// The servers that a benchmark can start. Each runs as it comes, with nothing switched on or off but what a load
// needs at all; every exception says why.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PeerKind, Place } from './peer.js';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** After so long a peer's background work is left to go on beside the measurement. */
const SETTLE_MAX_MS = 120_000;

const MAIN = join(ROOT, 'dist/src/main.js');

export const narthex: PeerKind = {
  name: 'narthex',
  writePath: '/api/v1/write',
  version: () => versionOf(process.execPath, [MAIN, '--version']),
  build: ownBuild,
  command: (place) => {
    if (!existsSync(MAIN)) return undefined;
    const profile = place.profileFolder ? ['--cpu-prof', `--cpu-prof-dir=${place.profileFolder}`] : [];
    const shards = place.shards === undefined ? [] : [`--shards=${place.shards}`];
    // As `npm start` does it.
    const env = { MALLOC_ARENA_MAX: '2' };
    return { file: process.execPath, args: [...profile, MAIN, ...prometheusFlags(place), ...shards], env };
  },
  settle: () => pause(2000),
};

export const prometheus: PeerKind = {
  name: 'prometheus',
  writePath: '/api/v1/write',
  version: () => versionOf(installed('prometheus'), ['--version']),
  build: () => installed('prometheus') ?? '',
  command: (place) => {
    const file = installed('prometheus');
    return file === undefined ? undefined : { file, args: prometheusFlags(place) };
  },
  settle: async (url) => {
    await pause(2000);
    await headIsCut(url);
  },
};

export const victoria: PeerKind = {
  name: 'victoria',
  writePath: '/api/v1/write',
  version: () => versionOf(installed('victoria-metrics'), ['-version']),
  build: () => installed('victoria-metrics') ?? '',
  command: (place) => {
    const file = installed('victoria-metrics');
    if (file === undefined) return undefined;
    const args = [
      `-httpListenAddr=127.0.0.1:${place.port}`,
      `-storageDataPath=${place.dataFolder}`,
      `-promscrape.config=${place.configFile}`,
      // Without this the newest 30 s do not exist for queries, which the others answer.
      '-search.latencyOffset=0s',
      // A suite repeats each query: answers from the cache of answers would say nothing.
      '-search.disableCache',
      // It closes each connection after two minutes, and a load may take longer.
      '-http.connTimeout=1h',
      // Limits that would refuse the queries over a million series.
      '-search.maxUniqueTimeseries=10000000',
      '-search.maxFederateSeries=10000000',
      '-search.maxSeries=10000000',
    ];
    return { file, args };
  },
  settle: async (url) => {
    await (await fetch(`${url}/internal/force_flush`)).arrayBuffer();
    await pause(2000);
  },
};

export const KINDS: readonly PeerKind[] = [narthex, prometheus, victoria];

function prometheusFlags({ port, dataFolder, configFile }: Place): string[] {
  return [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${dataFolder}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver',
  ];
}

function installed(name: string): string | undefined {
  const file = join(process.env.PEERS_DIR ?? join(tmpdir(), 'peers'), 'x', name, 'usr/bin', name);
  return existsSync(file) ? file : undefined;
}

/** A digest of what a server of this checkout would run. */
function ownBuild(): string {
  const hash = createHash('sha256');
  const scripts = readdirSync(join(ROOT, 'dist/src'), { recursive: true, encoding: 'utf8' }).sort();
  const files = scripts.filter((name) => name.endsWith('.js')).map((name) => join('dist/src', name));
  for (const file of [...files, 'build/core.wasm', 'build/reader.wasm']) hash.update(readFileSync(join(ROOT, file)));
  return hash.digest('hex');
}

/** What it says in its first line; some builds say nothing. */
function versionOf(file: string | undefined, args: readonly string[]): string {
  if (file === undefined) return 'not installed';
  const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  const [line = ''] = `${stdout}${stderr}`.split('\n');
  return /v?\d+\.\d+[\w.+~-]*/.exec(line)?.[0] ?? 'unknown';
}

/**
 * Once a head spans three hours its first two become a block: Prometheus looks each minute, Narthex after 15 s. Servers
 * that do not speak of a head have none.
 */
export async function headIsCut(url: string): Promise<void> {
  const until = performance.now() + SETTLE_MAX_MS;
  while (performance.now() < until && (await headSpanMs(url)) > 3 * 3_600_000) await pause(1000);
}

async function headSpanMs(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const read = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
  return read('prometheus_tsdb_head_max_time') - read('prometheus_tsdb_head_min_time');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
