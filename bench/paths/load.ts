// Writing a fleet's samples to a server, what that cost, and whether the server really has them.

import type { Context } from '../bench.js';
import { scalar } from '../client.js';
import { CONNECTIONS, SAMPLES_PER_REQUEST, STEP_MS } from '../options.js';
import { headIsCut } from '../peers/kinds.js';
import type { Peer } from '../peers/peer.js';
import { Generator } from '../workloads/child.js';
import { Fleet, type FleetSize } from '../workloads/fleet.js';
import { generationOf, type LoadMessage, type WriteDone, type WriteSpec } from '../workloads/write-load.js';

/** How far a sum of floats may be from ours: the order of additions is the server's. */
export const SUM_TOLERANCE = 1e-9;
/** What is counted by itself, since functions over ranges drop the name, and then labels must still differ. */
const COUNTED = 'http_requests_total';
/** Instances whose samples are counted and summed one by one. */
const INSTANCES_CHECKED = 5;

export interface Written extends WriteDone {
  readonly spec: WriteSpec;
  readonly cpuSeconds: number;
}

export interface Loaded {
  readonly spec: WriteSpec;
  readonly samples: number;
  readonly checks: readonly string[];
}

export interface Load {
  readonly fleet: FleetSize;
  readonly steps: number;
  readonly firstStep?: number;
  readonly generation?: number;
  readonly churn?: WriteSpec['churn'];
  /** Time of the last step; now where there is none. */
  readonly endMs?: number;
  readonly stepMs?: number;
  /** One more sample of each series follows so much later: then servers have the load in blocks. */
  readonly followedMs?: number;
}

/** Writes a load. */
export async function write({ options, progress }: Context, peer: Peer, load: Load): Promise<Written> {
  const spec: WriteSpec = {
    firstStep: 0,
    // A server that was there before us may hold an earlier run's series, whose samples would be out of order now.
    generation: peer.process ? 0 : Math.floor(Date.now() / 1000),
    endMs: Math.floor(Date.now() / STEP_MS) * STEP_MS,
    stepMs: STEP_MS,
    ...load,
    url: peer.url,
    path: peer.writePath,
    seed: options.seed,
    samplesPerRequest: SAMPLES_PER_REQUEST,
    connections: CONNECTIONS,
  };
  const all = load.fleet.series * load.steps;
  progress.task(`${peer.name}: encoding ${load.fleet.series.toLocaleString('en')} series`);
  const generator = new Generator<LoadMessage>('write-load.js', spec);
  try {
    await generator.next();
    const before = await peer.meter.cpuSeconds();
    generator.say('go');
    progress.task(`${peer.name}: writing ${millions(all)} samples`);
    for (;;) {
      const message = await generator.next();
      if ('failed' in message) throw new Error(`the load failed: ${message.failed}`);
      if ('samples' in message) progress.at(`${millions(message.samples)} of ${millions(all)}`);
      if (!('done' in message)) continue;
      await peer.settle();
      return { ...message.done, spec, cpuSeconds: (await peer.meter.cpuSeconds()) - before };
    }
  } finally {
    generator.close();
  }
}

/** Writes and verifies a load, or finds it in a server that was kept. */
export async function writeOnce(context: Context, peer: Peer, load: Load): Promise<Loaded> {
  const kept = peer.process?.kept;
  const found = kept?.load as Loaded | undefined;
  if (found !== undefined) return { ...found, checks: [...found.checks, 'in an earlier run'] };
  const { followedMs, ...all } = load;
  const { spec, samples } = await write(context, peer, all);
  if (followedMs !== undefined) {
    await write(context, peer, { ...all, firstStep: all.steps, steps: 1, endMs: spec.endMs + followedMs });
  }
  await headIsCut(peer.url);
  const loaded = { spec, samples, checks: await verify(peer, spec) };
  if (kept) kept.load = loaded;
  return loaded;
}

/** Compares with what was written: the number of series, where no others can be, and samples and values of some instances. */
export async function verify(peer: Peer, spec: WriteSpec): Promise<string[]> {
  const fleet = new Fleet(spec.fleet, spec.seed);
  const checks: string[] = [];
  if (peer.process) {
    const count = await scalar(peer.url, 'count({__name__!=""})', spec.endMs);
    expect('series', count, active(spec), 0);
    checks.push(`${count} series`);
  }
  const windowMs = spec.steps * spec.stepMs;
  let samples = 0;
  const instances = Math.min(INSTANCES_CHECKED, fleet.instances);
  for (let nth = 0; nth < instances; nth++) {
    const instance = Math.floor((nth * fleet.instances) / instances);
    const { pod, steps } = lastPod(fleet, spec, instance);
    const selector = `{instance="${fleet.instance(instance)}",pod="${pod}"}`;
    const counter = `${COUNTED}${selector}`;
    const counted = await scalar(peer.url, `sum(count_over_time(${counter}[${windowMs}ms]))`, spec.endMs);
    expect(`samples of ${counter}`, counted, countOf(fleet, instance, COUNTED) * steps, 0);
    const sum = await scalar(peer.url, `sum(${selector})`, spec.endMs);
    expect(`sum over ${selector}`, sum, sumAt(fleet, instance, spec.firstStep + spec.steps - 1), SUM_TOLERANCE);
    samples += counted;
  }
  return [...checks, `${samples} samples and the sums of ${instances} instances`];
}

/** Series that a query at the end sees: those replaced within the lookback of five minutes are still seen. */
export function active(spec: WriteSpec): number {
  if (!spec.churn) return spec.fleet.series;
  const lookbackSteps = 300_000 / spec.stepMs;
  const batches = Math.ceil(spec.fleet.series / spec.samplesPerRequest);
  let series = 0;
  for (let batch = 0; batch < batches; batch++) {
    const generations = new Set<number>();
    for (let step = Math.max(0, spec.steps - lookbackSteps); step < spec.steps; step++) {
      generations.add(generationOf(spec, batch, step));
    }
    series += generations.size * Math.min(spec.samplesPerRequest, spec.fleet.series - batch * spec.samplesPerRequest);
  }
  return series;
}

/** The pod that an instance is in the end, and for how many steps. */
function lastPod(fleet: Fleet, spec: WriteSpec, instance: number): { pod: string; steps: number } {
  const batch = Math.floor((instance * spec.fleet.perInstance) / spec.samplesPerRequest);
  const at = (step: number) => generationOf(spec, batch, step);
  let first = spec.steps - 1;
  while (first > 0 && at(first - 1) === at(spec.steps - 1)) first--;
  const [, pod] = fleet.target(instance, at(spec.steps - 1)).find(([name]) => name === 'pod')!;
  return { pod, steps: spec.steps - first };
}

/** Series of a metric that an instance has. */
export function countOf(fleet: Fleet, instance: number, metric: string): number {
  const first = instance * fleet.size.perInstance;
  let count = 0;
  for (let index = first; index < first + fleet.size.perInstance; index++) {
    if (fleet.pageLabels(index)[0][1] === metric) count++;
  }
  return count;
}

function sumAt(fleet: Fleet, instance: number, step: number): number {
  let sum = 0;
  const first = instance * fleet.size.perInstance;
  for (let index = first; index < first + fleet.size.perInstance; index++) sum += fleet.values.at(index, step);
  return sum;
}

/** The sum over all series at the last step. */
export function sumOfAll({ fleet: size, seed, firstStep, steps }: WriteSpec): number {
  const fleet = new Fleet(size, seed);
  let sum = 0;
  for (let instance = 0; instance < fleet.instances; instance++) sum += sumAt(fleet, instance, firstStep + steps - 1);
  return sum;
}

export function expect(what: string, got: number, want: number, tolerance: number): void {
  if (Math.abs(got - want) <= tolerance * Math.abs(want)) return;
  throw new Error(`${what}: got ${got}, but ${want} was acknowledged`);
}

export function millions(count: number): string {
  return count < 1e5 ? count.toLocaleString('en') : `${(count / 1e6).toFixed(1)} M`;
}
