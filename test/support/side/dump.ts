// What a data directory holds, as the real promtool prints it: the judge of both servers.
//
//   {__name__="page", instance="…", tid="3"} 17 1763769600123
//   {__name__="native_seconds", tid="3"} {count:7, sum:0.25, …} 1763769600123

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The samples of one series in the order of their times. */
export interface DumpedSeries {
  readonly name: string;
  /** All labels, as promtool prints them. */
  readonly labels: string;
  readonly times: number[];
  /** Numbers; NaN is a stale marker. Histograms are texts. */
  readonly values: (number | string)[];
}

const LINE = /^(\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\}) (.*) (-?\d+)$/;
const TARGET = /[{ ]tid="(\d+)"/;
const NAME = /__name__="((?:[^"\\]|\\.)*)"/;

/** Series by target: those without a `tid` are left out. Rejects where promtool does not get to the end. */
export async function dump(promtool: string, folder: string): Promise<Map<number, DumpedSeries[]>> {
  const targets = new Map<number, DumpedSeries[]>();
  const child = spawn(promtool, ['tsdb', 'dump', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes) => (said += String(bytes)));
  const ended = once(child, 'exit');
  let last: DumpedSeries | undefined;
  for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
    const [, labels, value, time] = LINE.exec(line) ?? [];
    if (labels === undefined) throw new Error(`promtool printed ${line}`);
    if (last?.labels !== labels) last = seriesOf(targets, labels);
    if (last === undefined) continue;
    last.times.push(Number(time));
    last.values.push(value!.startsWith('{') ? value! : numberOf(value!));
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`promtool ended with ${code}: ${said.slice(-2000)}`);
  return targets;
}

function seriesOf(targets: Map<number, DumpedSeries[]>, labels: string): DumpedSeries | undefined {
  const tid = TARGET.exec(labels)?.[1];
  if (tid === undefined) return undefined;
  const series = { name: NAME.exec(labels)?.[1] ?? '', labels, times: [], values: [] };
  const known = targets.get(Number(tid));
  if (known === undefined) targets.set(Number(tid), [series]);
  else known.push(series);
  return series;
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return Number(text);
}
