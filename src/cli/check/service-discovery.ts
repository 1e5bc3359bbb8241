// `narthex check service-discovery`: what discovery finds for a job, and what relabelling makes of it.

import { discoveriesOf } from '../../config/discovery.js';
import { ConfigError } from '../../config/error.js';
import { type LoadedConfig, loadConfig } from '../../config/load.js';
import type { ScrapeConfig } from '../../config/scrape.js';
import type { TargetGroup } from '../../discovery/group.js';
import { DiscoveryManager } from '../../discovery/manager.js';
import { staticGroupsOf } from '../../discovery/static.js';
import { type Labels, pairsOf } from '../../model/labels.js';
import { buildTarget } from '../../scrape/target-labels.js';
import { createLogger } from '../../telemetry/log.js';
import { stringJson } from '../query/values.js';
import { command, SaidFailure, type ToolWorld } from '../tool/command.js';
import { goDurationFlag } from '../tool/flags.js';
import { checkFlags } from './check-flags.js';

export const serviceDiscovery = command({
  path: ['check', 'service-discovery'],
  help: 'Discover the targets of a job, and print their labels before and after relabelling.',
  flags: {
    ...checkFlags,
    timeoutMs: goDurationFlag('timeout', 30_000, 'How long to wait for what is found.', { placeholder: '30s' }),
  },
  words: ['<config-file>', '<job>'],
  files: ([file]) => (file === undefined ? [] : [file]),
  run: async (world, { values: { timeoutMs }, words }) => {
    const [file, name] = words as [string, string];
    const job = jobOf(world, load(world, file), name);
    const groups = await discover(world, job, timeoutMs);
    const found = new Set(groups.flatMap(({ targets, labels }) => targets.map((own) => resultJson(job, own, labels))));
    world.out.text(found.size === 0 ? '[]' : `[\n${[...found].join(',\n')}\n]`);
  },
});

function load(world: ToolWorld, file: string): LoadedConfig {
  try {
    return loadConfig(file, { disk: world.disk });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    world.warn(`Cannot load config ${error.message}`);
    throw new SaidFailure('no configuration');
  }
}

function jobOf(world: ToolWorld, { jobs }: LoadedConfig, name: string): ScrapeConfig {
  const job = jobs.find(({ jobName }) => jobName === name);
  if (job !== undefined) return job;
  world.warn(`Job ${name} not found. Select one of:`);
  for (const { jobName } of jobs) world.warn(`\t${jobName}`);
  throw new SaidFailure('no such job');
}

/** What is known when the time is over. Lists of the configuration itself need no time. */
async function discover(world: ToolWorld, job: ScrapeConfig, timeoutMs: number): Promise<readonly TargetGroup[]> {
  const staticGroups = staticGroupsOf(job.staticConfigs);
  const sections = discoveriesOf(job);
  if (sections.length === 0) return staticGroups;
  const log = createLogger({ level: 'info', format: 'logfmt' });
  const manager = new DiscoveryManager({ name: 'scrape', tools: world.discoveryTools(), log, onTargets: () => {} });
  try {
    manager.apply([{ name: job.jobName, staticGroups, sections }]);
    await new Promise<void>((resolve) => void world.clock.after(timeoutMs, resolve));
    return manager.groupsOf(job.jobName);
  } finally {
    manager.stop();
  }
}

/** One target as indented JSON: Go's, in which an error is an object without anything. */
function resultJson(job: ScrapeConfig, target: Labels, group: Labels): string {
  const outcome = buildTarget(job, target, group);
  const labels = outcome.kind === 'target' ? outcome.internal : [];
  const fields = [
    `    "discoveredLabels": ${labelsJson(outcome.discovered)}`,
    `    "labels": ${labelsJson(labels)}`,
    ...(outcome.kind === 'invalid' ? ['    "error": {}'] : []),
  ];
  return `  {\n${fields.join(',\n')}\n  }`;
}

function labelsJson(labels: Labels): string {
  const lines = [...pairsOf(labels)].map(([name, value]) => `      ${stringJson(name)}: ${stringJson(value)}`);
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n    }`;
}
