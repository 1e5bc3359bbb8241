// What happens in a side-by-side: the configuration and the discovered targets at each moment, and how they change.

import type { Prng } from '../../../src/base/prng.js';
import { type Kind, SAMPLES_MAX } from './pages.js';
import type { Client } from './world.js';

interface StaticTarget {
  readonly tid: number;
  readonly kind: Kind;
  readonly labels?: Readonly<Record<string, string>>;
  /** Instead of the world's. */
  readonly address?: string;
}

/** What the two servers are told at one moment. */
export interface Plot {
  /** How the job `toggled` is written. */
  readonly variant: number;
  /** Whether the job `coming` is there. */
  readonly isComing: boolean;
  /** What files say of targets: zone by number. */
  readonly discovered: ReadonlyMap<number, string>;
  readonly isFlappingUp: boolean;
}

export const FIRST_PLOT: Plot = {
  variant: 0,
  isComing: false,
  discovered: new Map([60, 61, 62, 63, 64, 65].map((tid) => [tid, 'a'])),
  isFlappingUp: true,
};

/** A change, and the targets that it is about. */
export interface Change {
  readonly why: string;
  readonly plot: Plot;
  readonly tids: readonly number[];
  /** What has to be done for it; a broken text is put right at once, and changes nothing. */
  readonly acts: readonly ('reload' | 'files' | 'port' | 'broken config' | 'broken file')[];
}

/** Its series come back with times before their stale markers, which are refused. */
export const TRACKED = 17;
const SHAKY = 35;
const TOGGLED = [40, 41, 42];
/** Of a job that comes and goes. */
export const COMING = [45, 46];
const FLAPPING = [50, 51];
const DISCOVERED = Array.from({ length: 20 }, (_, i) => 60 + i);
const ZONES = ['a', 'b', 'c'];

/** How the job `toggled` may be written. */
const VARIANTS = [
  '',
  '    sample_limit: 10000\n',
  '    metric_relabel_configs: [{action: drop, source_labels: [__name__], regex: churn}]\n',
  "    relabel_configs: [{target_label: generation, replacement: 'three'}]\n",
  '    scrape_interval: 2s\n    scrape_timeout: 500ms\n',
  '    honor_labels: true\n    honor_timestamps: false\n',
  '    label_limit: 40\n    enable_compression: false\n',
];

const CHANGES: readonly ((plot: Plot, prng: Prng) => Change)[] = [
  discoverOthers,
  (plot) => ({
    why: 'job toggled is written otherwise',
    plot: { ...plot, variant: (plot.variant + 1) % VARIANTS.length },
    tids: TOGGLED,
    acts: ['reload'],
  }),
  (plot) => ({ why: 'nothing', plot, tids: [], acts: ['reload', 'reload'] }),
  (plot) => ({
    why: plot.isFlappingUp ? 'the port is closed' : 'the port is open again',
    plot: { ...plot, isFlappingUp: !plot.isFlappingUp },
    tids: FLAPPING,
    acts: ['port'],
  }),
  (plot) => ({ why: 'a configuration that is wrong', plot, tids: [], acts: ['broken config'] }),
  (plot) => ({
    why: plot.isComing ? 'job coming is removed' : 'job coming is there',
    plot: { ...plot, isComing: !plot.isComing },
    tids: COMING,
    acts: ['reload'],
  }),
  (plot) => ({ why: 'a file that is wrong', plot, tids: [], acts: ['broken file'] }),
];

/** The n-th change, from 0. */
export function changeOf(plot: Plot, nth: number, prng: Prng): Change {
  return CHANGES[nth % CHANGES.length]!(plot, prng);
}

/** Some targets come, some go, some are in another zone: other labels, and so another target. */
function discoverOthers(plot: Plot, prng: Prng): Change {
  const discovered = new Map(plot.discovered);
  const tids: number[] = [];
  for (const tid of DISCOVERED) {
    if (prng.int(3) > 0) continue;
    tids.push(tid);
    if (discovered.has(tid) && prng.int(2) === 0) discovered.delete(tid);
    else discovered.set(tid, prng.pick(ZONES.filter((zone) => zone !== discovered.get(tid))));
  }
  return { why: 'files name other targets', plot: { ...plot, discovered }, tids, acts: ['files'] };
}

export interface Addresses {
  readonly steady: string;
  readonly flapping: string;
  /** Where nobody listens. */
  readonly closed: string;
}

const STATIC: readonly (readonly [job: string, options: string, targets: readonly StaticTarget[]])[] = [
  ['text', '', many('text', 1, 2, 3)],
  ['gzip', '', many('gzip', 4)],
  ['openmetrics', '', many('openmetrics', 5, 6)],
  ['protobuf', '', many('protobuf', 7, 8)],
  ['classic', '    always_scrape_classic_histograms: true\n', many('protobuf', 9)],
  // A job each: targets of one share kept connections in Prometheus, and a request on a kept one is tried again.
  ...[10, 11, 12, 13].map((tid) => [`flaky${tid}`, '', many('flaky', tid)] as const),
  ['shaky', '', many('shaky', SHAKY)],
  ['limited', `    sample_limit: ${SAMPLES_MAX}\n`, many('growing', 14)],
  ['honoured', '    honor_labels: true\n    honor_timestamps: false\n', many('owner', 15)],
  ['owner', '', many('owner', 16)],
  ['tracked', '    track_timestamps_staleness: true\n', many('owner', TRACKED)],
  [
    'relabelled',
    `    keep_dropped_targets: 3
    params: {a: [b, c]}
    relabel_configs:
      - {source_labels: [__address__], regex: '(.+):(\\d+)', target_label: instance, replacement: 'host-\${1}'}
      - {source_labels: [__param_a, job], separator: '/', target_label: param}
      - {action: keep, source_labels: [role], regex: 'a|b|c|d'}
      - {action: drop, source_labels: [role], regex: c}
      - {source_labels: [job], target_label: __tmp_job}
      - {action: keepequal, source_labels: [job], target_label: __tmp_job}
      - {action: dropequal, source_labels: [role], target_label: twin}
      - {action: hashmod, source_labels: [tid, role], modulus: 7, target_label: shard}
      - {action: labelmap, regex: 'meta_(.+)', replacement: 'mapped_$1'}
      - {action: labeldrop, regex: 'meta_.*'}
      - {action: uppercase, source_labels: [mapped_zone], target_label: upper}
      - {action: lowercase, source_labels: [mapped_zone], target_label: lower}
      - {action: labelkeep, regex: '__.*|job|instance|tid|role|param|shard|upper|lower|mapped_.*'}
      - {target_label: __param_x, replacement: y}
`,
    [
      { tid: 18, kind: 'text', labels: { role: 'a', meta_zone: 'Straße ÄÖ' } },
      { tid: 19, kind: 'openmetrics', labels: { role: 'b', meta_zone: 'İstanbul', meta_rack: '7' } },
      { tid: 20, kind: 'text', labels: { role: 'c' } },
      { tid: 21, kind: 'text', labels: { role: 'd', twin: 'd' } },
      { tid: 22, kind: 'text', labels: { role: 'e' } },
    ],
  ],
  [
    'metrics',
    `    metric_relabel_configs:
      - {action: drop, source_labels: [__name__, n], regex: 'to_drop;[01]'}
      - {source_labels: [__name__], regex: 'to_rename_(.)', target_label: __name__, replacement: renamed}
      - {action: keepequal, source_labels: [same], target_label: other}
      - {action: labeldrop, regex: same}
      - {action: hashmod, source_labels: [__name__, code], modulus: 7, target_label: bucket}
      - {action: uppercase, source_labels: [case], target_label: upper}
      - {action: lowercase, source_labels: [case], target_label: case}
      - {action: labelmap, regex: '(version)', replacement: 'the_$1'}
      - {action: dropequal, source_labels: [code], target_label: tid}
      - {action: keep, source_labels: [job], regex: metrics}
      - {action: labelkeep, regex: '__name__|job|instance|tid|le|quantile|code|path|n|bucket|upper|case|the_.*|kind|which|clock|other'}
`,
    [...many('text', 23), ...many('openmetrics', 24), ...many('protobuf', 25)],
  ],
  [
    'down',
    '',
    [
      ...many('missing', 26),
      ...many('html', 27),
      ...many('circle', 28),
      ...many('silent', 29),
      { tid: 30, kind: 'text', address: 'closed' },
      { tid: 31, kind: 'text', labels: { __scheme__: 'https' } },
    ],
  ],
  ['many', '    target_limit: 1\n', many('text', 32, 33)],
  ['fast', '    scrape_interval: 300ms\n    scrape_timeout: 300ms\n', many('text', 34)],
];

function many(kind: Kind, ...tids: number[]): StaticTarget[] {
  return tids.map((tid) => ({ tid, kind }));
}

export function configOf(client: Client, plot: Plot, at: Addresses, folder: string): string {
  const jobs = STATIC.map(([job, options, targets]) => jobText(job, options, targets, at));
  const toggled = jobText('toggled', VARIANTS[plot.variant]!, many('text', ...TOGGLED), at);
  const coming = plot.isComing ? jobText('coming', '', many('openmetrics', ...COMING), at) : '';
  const flapping = FLAPPING.map((tid): StaticTarget => ({ tid, kind: 'text', address: 'flapping' }));
  // Of the version before that key, which has a flag.
  const natives = client === 'narthex' ? ', scrape_native_histograms: true' : '';
  return `
global: {scrape_interval: 1s, scrape_timeout: 500ms${natives}}
storage: {exemplars: {max_exemplars: 200000}}
scrape_configs:
${jobs.join('')}${toggled}${coming}${jobText('flapping', '', flapping, at)}
  - job_name: files
    file_sd_configs: [{files: ['${folder}/*.json', '${folder}/more.yml']}]
`;
}

function jobText(job: string, options: string, targets: readonly StaticTarget[], at: Addresses): string {
  const groups = targets.map(({ tid, kind, labels = {}, address }) => {
    const all = { tid: `${tid}`, __metrics_path__: `/${kind}/${tid}`, ...labels };
    const where = address === undefined ? at.steady : at[address as keyof Addresses];
    return `      - {targets: ['${where}'], labels: ${JSON.stringify(all)}}\n`;
  });
  return `  - job_name: ${job}\n${options}    static_configs:\n${groups.join('')}`;
}

/** What the files say: JSON of the even targets, YAML of the odd ones. */
export function filesOf({ discovered }: Plot, { steady }: Addresses): ReadonlyMap<string, string> {
  const groups = [...discovered].map(([tid, zone]) => ({
    targets: [steady],
    labels: { tid: `${tid}`, zone, __metrics_path__: `/${tid % 4 === 0 ? 'openmetrics' : 'text'}/${tid}` },
  }));
  const half = (rest: number) => JSON.stringify(groups.filter(({ labels }) => Number(labels.tid) % 2 === rest));
  return new Map([
    ['even.json', half(0)],
    // JSON is YAML.
    ['more.yml', half(1)],
  ]);
}

/** What a target of the static jobs is. */
export function kindOf(tid: number): Kind | undefined {
  return STATIC.flatMap(([, , targets]) => targets).find((target) => target.tid === tid)?.kind;
}

/** Those of targets that fail in ways that depend on how often they were asked are left out of lists. */
export function hasSteadyHealth(tid: number): boolean {
  const isFlaky = (tid >= 10 && tid <= 14) || tid === SHAKY;
  return !isFlaky && !FLAPPING.includes(tid);
}
