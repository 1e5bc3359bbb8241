// A million series in memory: what they take, federating all of them, and starting again after a crash.

import {
  type Context,
  type Group,
  less,
  more,
  type Outcome,
  pause,
  QUIET_CONFIG,
  type Server,
  said,
} from '../bench.js';
import { fetchAll, scalar } from '../client.js';
import { quantile } from '../measure.js';
import { STEP_MS } from '../options.js';
import type { Peer } from '../peers/peer.js';
import { Fleet } from '../workloads/fleet.js';
import type { WriteSpec } from '../workloads/write-load.js';
import { active, countOf, expect, millions, SUM_TOLERANCE, sumOfAll, verify, type Written, write } from './load.js';

/** A server is at rest when its memory has changed by so little for so long: garbage of the load is gone, what goes to files has gone. */
const REST_MS = 10_000;
const REST_CHANGE = 0.01;
const REST_MAX_MS = 120_000;
/** Of the series that are replaced in a load with churn, a third each time. */
const CHURN_SHARE = 1 / 2;
const CHURN_TIMES = 3;
/** Of all series, those that the first rate after a restart reads. */
const RATE_SHARE = 0.01;
const RATE_METRIC = 'http_requests_total';
const FEDERATE_TIMES = 3;
const MEMORY_EVERY_MS = 20;
const ALL = '{__name__!=""}';

type Result = Pick<Outcome, 'title' | 'measures' | 'checks'>;

export const headGroups: readonly Group[] = [
  { paths: ['memory', 'federate', 'restart'], run: (...args) => run(false, ...args) },
  { paths: ['memory-churn'], run: (...args) => run(true, ...args) },
];

async function run(
  isChurning: boolean,
  context: Context,
  server: Server,
  wanted: ReadonlySet<string>,
  done: (outcome: Outcome) => void,
): Promise<void> {
  const peer = await server.start(QUIET_CONFIG);
  const report = (path: string, result: Result) => {
    if (!wanted.has(path)) return;
    done({ path, ...result, server: peer.name, version: peer.version, failure: undefined });
  };
  try {
    const idleBytes = (await peer.meter.memory()).rssBytes;
    const { fleet, steps } = context.options.sizes.head;
    const churn = isChurning ? churnOf(steps) : undefined;
    const written = await write(context, peer, { fleet, steps, churn });
    const steadyBytes = await atRest(context, peer);
    report(churn ? 'memory-churn' : 'memory', await memory(peer, written, idleBytes));
    if (churn) return;
    const last = wanted.has('federate') ? await refresh(context, peer, written.spec) : written.spec;
    if (wanted.has('federate')) report('federate', await federate(context, peer, last));
    if (wanted.has('restart')) report('restart', await restart(context, peer, last, steadyBytes));
  } finally {
    await peer.close();
  }
}

/** Pods are replaced at equal distances. */
function churnOf(steps: number): NonNullable<WriteSpec['churn']> {
  const nth = (n: number) => Math.round(((n + 1) * steps) / (CHURN_TIMES + 1));
  return { afterSteps: Array.from({ length: CHURN_TIMES }, (_, n) => nth(n)), parts: CHURN_TIMES / CHURN_SHARE };
}

/** Waits until a server is at rest; gives its memory then. */
async function atRest({ progress }: Context, peer: Peer): Promise<number> {
  progress.task(`${peer.name}: coming to rest`);
  const until = performance.now() + REST_MAX_MS;
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    await pause(REST_MS);
    const { rssBytes } = await peer.meter.memory();
    progress.at(`${Math.round(rssBytes / 1e6)} MB`);
    if (Math.abs(before - rssBytes) < REST_CHANGE * rssBytes || performance.now() > until) return rssBytes;
    before = rssBytes;
  }
}

async function memory(peer: Peer, written: Written, idleBytes: number): Promise<Result> {
  const { spec, samples, seconds, cpuSeconds } = written;
  const { rssBytes, peakBytes } = await peer.meter.memory();
  const series = spec.fleet.series;
  const diskBytes = peer.process?.dataBytes() ?? Number.NaN;
  return {
    title: `memory: ${millions(series)} active series of ${spec.steps} samples${spec.churn ? ', churn' : ''}`,
    measures: [
      less('rss', 'memory per active series', 'B/series', rssBytes / series),
      less('net', 'the same without that of an empty server', 'B/series', (rssBytes - idleBytes) / series),
      less('peak', 'most memory per active series', 'B/series', peakBytes / series),
      more('rate', 'samples acknowledged', '/s', samples / seconds),
      less('cpu', 'CPU per million samples', 's', cpuSeconds / (samples / 1e6)),
      said('disk', 'disk, with the log', 'B/sample', diskBytes / samples),
    ],
    checks: await verify(peer, spec),
  };
}

/** Writes one more step, of now: what is federated must be younger than five minutes. */
async function refresh(context: Context, peer: Peer, last: WriteSpec): Promise<WriteSpec> {
  const nextMs = last.endMs + STEP_MS;
  while (Date.now() < nextMs) await pause(100);
  const { spec } = await write(context, peer, {
    fleet: last.fleet,
    steps: 1,
    firstStep: last.firstStep + last.steps,
    generation: last.generation,
  });
  return spec;
}

async function federate({ progress }: Context, peer: Peer, last: WriteSpec): Promise<Result> {
  const url = `${peer.url}/federate?${new URLSearchParams({ 'match[]': ALL })}`;
  const totals: number[] = [];
  const firsts: number[] = [];
  let bodyBytes = 0;
  let checks: string[] = [];
  await pause(2000);
  const peaks = peer.meter.resetPeak();
  const { rssBytes } = await peer.meter.memory();
  const cpuBefore = await peer.meter.cpuSeconds();
  let mostBytes = rssBytes;
  const watch = setInterval(async () => {
    mostBytes = Math.max(mostBytes, (await peer.meter.memory()).rssBytes);
  }, MEMORY_EVERY_MS);
  let cpuSeconds = 0;
  try {
    for (let time = 1; time <= FEDERATE_TIMES; time++) {
      progress.task(`${peer.name}: federating, ${time} of ${FEDERATE_TIMES}`);
      const answer = await fetchAll(url);
      if (answer.status !== 200) throw new Error(`federate: HTTP ${answer.status} ${answer.body.subarray(0, 300)}`);
      cpuSeconds = (await peer.meter.cpuSeconds()) - cpuBefore;
      totals.push(answer.totalMs / 1000);
      firsts.push(answer.firstByteMs / 1000);
      bodyBytes = answer.body.length;
      if (time === FEDERATE_TIMES && peer.process) checks = checkExposition(answer.body, last);
    }
  } finally {
    clearInterval(watch);
  }
  const { peakBytes } = await peer.meter.memory();
  return {
    title: `federate: all of ${millions(last.fleet.series)} series, median of ${FEDERATE_TIMES}`,
    measures: [
      less('total', 'until the last byte', 's', quantile(totals, 0.5)),
      less('first', 'until the first byte', 's', quantile(firsts, 0.5)),
      less('cpu', 'CPU', 's', cpuSeconds / FEDERATE_TIMES),
      less('growth', 'growth of memory at the most', 'B', (peaks ? peakBytes : mostBytes) - rssBytes),
      said('size', 'bytes a series', 'B/series', bodyBytes / last.fleet.series),
    ],
    checks,
  };
}

/** All series are there, once, and the sum of their values is right. */
function checkExposition(body: Buffer, last: WriteSpec): string[] {
  let lines = 0;
  let sum = 0;
  for (let at = 0; at < body.length; ) {
    let end = body.indexOf(10, at);
    if (end < 0) end = body.length;
    if (body[at] !== 35 && end > at) {
      // … } value timestamp; no label value of ours holds a blank.
      const [, value] = body.toString('latin1', at, end).split(' ');
      lines++;
      sum += Number(value);
    }
    at = end + 1;
  }
  expect('series in /federate', lines, last.fleet.series, 0);
  expect('sum over /federate', sum, sumOfAll(last), SUM_TOLERANCE);
  return [`${lines} series and their sum`];
}

async function restart({ progress }: Context, peer: Peer, last: WriteSpec, steadyBytes: number): Promise<Result> {
  if (!peer.process) throw new Error('a server given by its URL is not killed');
  progress.task(`${peer.name}: killed, starting again`);
  await peer.process.kill();
  const readySeconds = await peer.process.restart();
  const started = performance.now();
  const count = await scalar(peer.url, `count(${ALL})`, last.endMs);
  const firstSeconds = (performance.now() - started) / 1000;
  expect('series after kill -9', count, active(last), 0);
  const { selector, series } = shareOf(last, RATE_SHARE);
  const startedRate = performance.now();
  const rates = await scalar(peer.url, `count(rate(${selector}[5m]))`, last.endMs);
  const rateSeconds = (performance.now() - startedRate) / 1000;
  if (last.steps > 1) expect(`rates of ${selector}`, rates, series, 0);
  await pause(REST_MS / 2);
  const cpuSeconds = await peer.meter.cpuSeconds();
  const { rssBytes, peakBytes } = await peer.meter.memory();
  return {
    title: `restart: after kill -9 with ${millions(last.fleet.series)} series`,
    measures: [
      less('ready', 'until ready', 's', readySeconds),
      less('first', 'first count over all', 's', firstSeconds),
      less('rate', `first rate over ${series.toLocaleString('en')} series`, 's', rateSeconds),
      less('both', 'together', 's', readySeconds + firstSeconds),
      less('cpu', 'CPU', 's', cpuSeconds),
      less('growth', 'most memory above that before', 'B', peakBytes - steadyBytes),
      less('rss', 'memory afterwards', 'B', rssBytes),
    ],
    checks: [`${count} series`, `${rates} rates`],
  };
}

/** About a share of a load's series: those of one metric, of as many instances as that takes. */
function shareOf({ fleet: size, seed }: WriteSpec, share: number): { selector: string; series: number } {
  const fleet = new Fleet(size, seed);
  const instances: string[] = [];
  let series = 0;
  for (let instance = 0; instance < fleet.instances && series < share * size.series; instance++) {
    instances.push(fleet.instance(instance));
    series += countOf(fleet, instance, RATE_METRIC);
  }
  return { selector: `${RATE_METRIC}{instance=~"${instances.join('|')}"}`, series };
}
