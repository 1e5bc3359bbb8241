// Narthex and a real Prometheus side by side: the same configuration, targets and changes, and afterwards the same data.
//
//   both start ─► change ─► both show the same targets ─► change ─► … ─► exemplars ─► stop ─► promtool dumps both ─► compare
//
// A change comes once both are at rest, and opens a window for its targets until they are at rest again (compare.ts);
// all others are compared page by page, whatever happens to those.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Prng } from '../../../src/base/prng.js';
import { peerBinary } from '../peers.js';
import { freePort, type Server, sleep, startNarthex, startPeer } from '../servers.js';
import { compareTarget, type Window } from './compare.js';
import { type DumpedSeries, dump } from './dump.js';
import { type Listed, listOf } from './lists.js';
import { pageOf } from './pages.js';
import {
  type Addresses,
  type Change,
  COMING,
  changeOf,
  configOf,
  FIRST_PLOT,
  filesOf,
  kindOf,
  type Plot,
  TRACKED,
} from './story.js';
import { CLIENTS, type Client, World } from './world.js';

export interface SideReport {
  readonly changes: number;
  readonly targets: number;
  readonly pages: number;
  readonly samples: number;
  readonly markers: number;
  /** Pages that one server, on a machine with much to do, did not get in time. */
  readonly missed: number;
  readonly differences: readonly string[];
}

export interface SideOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Where there are differences, leave both directories there. */
  readonly keep?: boolean;
  tell?(line: string): void;
}

const FLAGS = ['--web.enable-lifecycle', '--enable-feature=exemplar-storage', '--scrape.discovery-reload-interval=1s'];
/** Between a change that is taken and the next. */
const CALM_MS = 2500;
/** How long both may need until they show the same targets, asked since the change. */
const SETTLE_MS = 30_000;
/** A series that comes back with a time that is refused is new to us, not to Prometheus: docs/differences/scrape.md. */
const ADDED: ReadonlySet<string> = new Set(['scrape_series_added']);
const NOTHING: ReadonlySet<string> = new Set();
/** Pages behind the moment at which both show the same: the stale markers of what went come two intervals later. */
const PAGES_BEHIND = 4;

export async function runSideBySide({
  seconds,
  seed,
  keep = false,
  tell = () => {},
}: SideOptions): Promise<SideReport> {
  const side = await Side.start(tell);
  try {
    const endMs = Date.now() + seconds * 1000;
    const prng = new Prng(seed);
    let plot = FIRST_PLOT;
    let changes = 0;
    await side.settled(Date.now(), 'the start');
    while (Date.now() < endMs) {
      await sleep(CALM_MS);
      const change = changeOf(plot, changes++, prng);
      tell(`${change.why}: ${change.tids.join(' ')}`);
      await side.apply(change);
      plot = change.plot;
    }
    await sleep(CALM_MS);
    const report = { changes, ...(await side.compare()) };
    await side.close(keep && report.differences.length > 0);
    return report;
  } catch (error) {
    await side.close(false);
    throw error;
  }
}

class Side {
  readonly #folder: string;
  readonly #tell: (line: string) => void;
  readonly #world: World;
  readonly #at: Addresses;
  readonly #servers: Readonly<Record<Client, Server>>;
  readonly #windows = new Map<number, Window[]>();
  readonly #differences: string[] = [];

  private constructor(
    folder: string,
    world: World,
    at: Addresses,
    servers: Readonly<Record<Client, Server>>,
    tell: (line: string) => void,
  ) {
    this.#tell = tell;
    this.#folder = folder;
    this.#world = world;
    this.#at = at;
    this.#servers = servers;
  }

  static async start(tell: (line: string) => void): Promise<Side> {
    const folder = mkdtempSync(join(tmpdir(), 'narthex-side-'));
    mkdirSync(join(folder, 'targets'));
    const world = await World.open();
    const at = { steady: world.steady, flapping: world.flapping, closed: `127.0.0.1:${await freePort()}` };
    writeFiles(folder, FIRST_PLOT, at);
    const launch = (client: Client, more: string) => ({
      config: configOf(client, FIRST_PLOT, at, join(folder, 'targets')),
      data: join(folder, client),
      flags: [...FLAGS, more],
    });
    const [narthex, prometheus] = await Promise.all([
      startNarthex(launch('narthex', '--shards=2')),
      startPeer(peerBinary('prometheus')!, launch('prometheus', '--enable-feature=native-histograms')),
    ]);
    return new Side(folder, world, at, { narthex, prometheus }, tell);
  }

  async close(isKept: boolean): Promise<void> {
    await Promise.all(CLIENTS.map((client) => this.#servers[client].stop()));
    this.#world.close();
    if (isKept) this.#tell(`what both hold is in ${this.#folder}`);
    else rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Makes a change on both sides, waits until both have taken it, and leaves a window behind. */
  async apply(change: Change): Promise<void> {
    const from = new Map(change.tids.map((tid) => [tid, Math.min(...this.#asked(tid)) - 1]));
    const startMs = Date.now();
    for (const act of change.acts) await this.#act(act, change.plot);
    await this.settled(startMs, change.why);
    for (const tid of change.tids) {
      const window = { from: from.get(tid)!, to: Math.max(...this.#asked(tid)) + PAGES_BEHIND, why: change.why };
      this.#windows.set(tid, [...(this.#windows.get(tid) ?? []), window]);
    }
  }

  /** Waits until both list the same targets, all of which were scraped since. What still differs then is a difference. */
  async settled(sinceMs: number, why: string): Promise<void> {
    const untilMs = sinceMs + SETTLE_MS;
    let [ours, theirs] = await this.#lists();
    while (!isSame(ours, theirs, sinceMs) && Date.now() < untilMs) {
      await sleep(250);
      [ours, theirs] = await this.#lists();
    }
    for (const line of new Set([...ours.lines, ...theirs.lines])) {
      if (!theirs.lines.has(line)) this.#differences.push(`after ${why}: ${line} is listed, and should not be`);
      if (!ours.lines.has(line)) this.#differences.push(`after ${why}: ${line} is not listed`);
    }
  }

  #lists(): Promise<[Listed, Listed]> {
    const { narthex, prometheus } = this.#servers;
    return Promise.all([listOf(narthex.url), listOf(prometheus.url)]);
  }

  #asked(tid: number): number[] {
    return CLIENTS.map((client) => this.#world.asked(client, tid));
  }

  async #act(act: Change['acts'][number], plot: Plot): Promise<void> {
    switch (act) {
      case 'files':
        return writeFiles(this.#folder, plot, this.#at);
      case 'port':
        return plot.isFlappingUp ? this.#world.raise() : this.#world.lower();
      case 'reload':
        return this.#reload((client) => configOf(client, plot, this.#at, join(this.#folder, 'targets')), 200);
      case 'broken config':
        await this.#reload(() => 'scrape_configs: [{job_name: x, scrape_interval: often}]', 500);
        return this.#act('reload', plot);
      case 'broken file':
        writeFile(this.#folder, 'even.json', '[{"targets": ');
        await sleep(CALM_MS);
        return writeFiles(this.#folder, plot, this.#at);
    }
  }

  async #reload(config: (client: Client) => string, status: number): Promise<void> {
    await Promise.all(
      CLIENTS.map(async (client) => {
        const server = this.#servers[client];
        server.configure(config(client));
        const response = await fetch(`${server.url}/-/reload`, { method: 'POST' });
        assert.equal(response.status, status, `${client}: ${await response.text()}`);
      }),
    );
  }

  /** Stops both and compares all they hold. */
  async compare(): Promise<Omit<SideReport, 'changes'>> {
    const promtool = peerBinary('promtool')!;
    await Promise.all(CLIENTS.map((client) => this.#servers[client].end('SIGTERM')));
    const none: DumpedSeries[] = [];
    const [ours, theirs] = [
      await dump(promtool, join(this.#folder, 'narthex')),
      await dump(promtool, join(this.#folder, 'prometheus')),
    ];
    const tids = [...new Set([...ours.keys(), ...theirs.keys()])].sort((a, b) => a - b);
    const report = {
      targets: tids.length,
      pages: 0,
      samples: 0,
      markers: 0,
      missed: 0,
      differences: this.#differences,
    };
    for (const tid of tids) {
      const windows = this.#windows.get(tid) ?? [];
      const [narthex, prometheus] = [ours.get(tid) ?? none, theirs.get(tid) ?? none];
      const kind = kindOf(tid);
      const apart = tid === TRACKED ? ADDED : NOTHING;
      const isRefused = (n: number) => kind !== undefined && pageOf(kind, tid, n).isRefused === true;
      const found = compareTarget({
        ...{ tid, windows, apart, isRefused, narthex, prometheus },
        lingers: COMING.includes(tid),
      });
      report.pages += found.pages;
      report.samples += found.samples;
      report.markers += found.markers;
      report.missed += found.missed;
      report.differences.push(...found.differences);
    }
    return report;
  }
}

function isSame(ours: Listed, theirs: Listed, sinceMs: number): boolean {
  const all = [ours, theirs];
  return (
    all.every(({ oldestMs }) => oldestMs > sinceMs) &&
    ours.lines.size === theirs.lines.size &&
    [...ours.lines].every((line) => theirs.lines.has(line))
  );
}

function writeFiles(folder: string, plot: Plot, at: Addresses): void {
  for (const [name, text] of filesOf(plot, at)) writeFile(folder, name, text);
}

/** By a rename: nobody reads half of it. */
function writeFile(folder: string, name: string, text: string): void {
  const temporary = join(folder, name);
  writeFileSync(temporary, text);
  renameSync(temporary, join(folder, 'targets', name));
}
