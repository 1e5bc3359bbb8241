// A server whose configuration is read again and again under scrapes: none is missed, none is done twice, nothing leaks.
//
//   variant   0 and even   the same in other words        every target of jobs 0–7 goes on
//             1 mod 4      job 8 keeps another limit      its loops are others, its scrapes go on
//             3 mod 4      job 9 has half of its targets  those of the rest are as before

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { checkScrapes, unevenAsks } from '../scraping/scrapes.js';
import { Targets } from '../scraping/targets.js';
import { api, eventually, type Server, sleep, startNarthex } from '../servers.js';

const JOBS = 10;
const TARGETS_OF_JOB = 20;
const TARGETS = JOBS * TARGETS_OF_JOB;
/** Targets of the last job come and go; all others are always there. */
const STEADY = TARGETS - TARGETS_OF_JOB;
const INTERVAL_MS = 1000;
/** Reloads before memory is looked at for the first time: until then code is compiled and rooms are made. */
const WARM_SHARE = 0.2;
/** What memory may grow by behind that: samples are kept, and garbage is not collected at once. */
const GROWTH_BYTES_MAX = 64 * 2 ** 20;

export interface ReloadReport {
  readonly reloads: number;
  readonly scrapes: number;
  readonly growthBytes: number;
  readonly files: number;
}

interface Size {
  readonly rssBytes: number;
  readonly files: number;
}

/** `onTime`: as of hostile targets (hostile.ts). */
export async function runReloads(reloads: number, everyMs: number, onTime: boolean): Promise<ReloadReport> {
  const targets = await Targets.start('healthy', TARGETS);
  const [address] = targets.addresses;
  try {
    const server = await startNarthex({ config: configOf(address!, 0), flags: ['--web.enable-lifecycle'] });
    try {
      await eventually(async () => assert.ok((await targets.asked()).every((times) => times.length > 3)));
      const startMs = performance.now();
      const from = (await targets.asked()).map((times) => times.length);
      let warm: Size | undefined;
      for (let nth = 1; nth <= reloads; nth++) {
        await sleep(startMs + nth * everyMs - performance.now());
        await reload(server, configOf(address!, nth), nth);
        if (nth === Math.floor(reloads * WARM_SHARE)) warm = sizeOf(server);
      }
      await reload(server, configOf(address!, 0), 0);
      // The last loops end two intervals and a bit behind their successors' start.
      await sleep(4 * INTERVAL_MS);
      const seconds = Math.ceil((performance.now() - startMs) / 1000);
      const asked = (await targets.asked()).map((times, i) => times.slice(from[i]! - 1)).slice(0, STEADY);
      const end = sizeOf(server);
      const { activeTargets } = await api<{ activeTargets: unknown[] }>(server.url, 'targets', { state: 'active' });
      assert.equal(activeTargets.length, TARGETS);
      const scraped: string[] = [];
      let scrapes = 0;
      for (let job = 0; job < JOBS - 1; job++) {
        const found = await checkScrapes(server.url, `job${job}`, seconds);
        scraped.push(...found.faults);
        scrapes += found.scrapes;
      }
      const uneven = onTime ? unevenAsks(asked, INTERVAL_MS) : [];
      assert.deepEqual([...uneven, ...scraped], []);
      assert.ok(scrapes >= (STEADY * (seconds - 2)) / (onTime ? 1 : 2), `${scrapes} scrapes in ${seconds} s`);
      const loads = Number(await metricOf(server, 'prometheus_config_last_reload_successful'));
      assert.equal(loads, 1);
      const growthBytes = end.rssBytes - warm!.rssBytes;
      assert.ok(growthBytes <= GROWTH_BYTES_MAX, `memory grew by ${(growthBytes / 2 ** 20).toFixed(0)} MiB`);
      // Targets of the two jobs that change may have been without a connection at the first look.
      assert.ok(end.files <= warm!.files + 2 * TARGETS_OF_JOB, `${warm!.files} open files became ${end.files}`);
      return { reloads, scrapes, growthBytes, files: end.files };
    } finally {
      await server.stop();
    }
  } finally {
    targets.close();
  }
}

/** By signal and by request in turns. */
async function reload(server: Server, config: string, nth: number): Promise<void> {
  server.configure(config);
  if (nth % 2 === 0) {
    process.kill(server.pid, 'SIGHUP');
    return;
  }
  const response = await fetch(`${server.url}/-/reload`, { method: 'POST' });
  assert.equal(response.status, 200, await response.text());
}

async function metricOf({ url }: Server, name: string): Promise<string | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
}

function sizeOf({ pid }: Server): Size {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    rssBytes: Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024,
    files: readdirSync(`/proc/${pid}/fd`).length,
  };
}

function configOf(address: string, variant: number): string {
  const jobs = Array.from({ length: JOBS }, (_, job) => {
    const first = job * TARGETS_OF_JOB;
    const count = job === JOBS - 1 && variant % 4 === 3 ? TARGETS_OF_JOB / 2 : TARGETS_OF_JOB;
    const limit = job === JOBS - 2 && variant % 4 === 1 ? `sample_limit: ${10_000 + variant}` : 'sample_limit: 0';
    const targets = Array.from({ length: count }, (_, i) => {
      const labels = `{tid: '${first + i}', __metrics_path__: '/${first + i}'}`;
      return `      - {targets: ['${address}'], labels: ${labels}}\n`;
    });
    return `  - job_name: job${job}\n    ${limit}\n    static_configs:\n${targets.join('')}`;
  });
  return `
# variant ${variant}
global: {scrape_interval: ${INTERVAL_MS}ms, scrape_timeout: ${INTERVAL_MS}ms}
scrape_configs:
${jobs.join('')}`;
}
