// `narthex check config`: whether a configuration would work, with the files that it names, in promtool's words.

import { discoveriesOf } from '../../config/discovery.js';
import { ConfigError } from '../../config/error.js';
import { expandGlob, type LoadedConfig, readText } from '../../config/load.js';
import { formatDuration } from '../../model/duration.js';
import { quote } from '../../model/quote.js';
import { checkConfig, checkSyntax } from '../check-config.js';
import { linesOf } from '../tool/caret.js';
import { SaidFailure, type ToolWorld } from '../tool/command.js';
import { checkRuleFile, LINT_CODE, type RuleOptions } from './check-rules.js';

export interface ConfigCheck extends RuleOptions {
  readonly files: readonly string[];
  /** Whether to look for jobs that are scraped too seldom. */
  readonly lintsIntervals: boolean;
  /** What a sample is visible for: a series that is scraped less often has gaps. */
  readonly lookbackMs: number;
  readonly isLintFatal: boolean;
  /** Files that the configuration names are not looked at. */
  readonly isSyntaxOnly: boolean;
  readonly isAgent: boolean;
}

/** Goes on behind a bad file; throws SaidFailure where something is wrong. */
export function checkConfigFiles(world: ToolWorld, request: ConfigCheck): void {
  const { lintsIntervals, isLintFatal, isSyntaxOnly } = request;
  let hasFaults = false;
  let hasLints = false;
  for (const file of request.files) {
    const loaded = checkOne(world, file, request);
    world.out.line('');
    hasFaults ||= loaded === undefined;
    if (loaded === undefined || isSyntaxOnly) continue;
    for (const rules of ruleFilesOf(world, loaded)) {
      world.out.line(`Checking ${rules}`);
      const found = checkRuleFile(world, rules, request);
      if (found !== 'faults') world.out.line('');
      hasFaults ||= found === 'faults';
      hasLints ||= found === 'lints';
    }
    if (lintsIntervals && warnOfIntervals(world, loaded, request.lookbackMs)) hasLints = true;
  }
  if (hasFaults) throw new SaidFailure('a configuration is wrong');
  if (hasLints && isLintFatal) throw new SaidFailure('a configuration is odd', LINT_CODE);
}

function checkOne(world: ToolWorld, file: string, { isSyntaxOnly, isAgent }: ConfigCheck): LoadedConfig | undefined {
  const { disk, out, warn, isWatched } = world;
  out.line(`Checking ${file}`);
  try {
    const options = { disk, agent: isAgent };
    const loaded = isSyntaxOnly ? checkSyntax(file, options) : checkConfig(file, options);
    if (!isSyntaxOnly) {
      warnOfTargetFiles(world, loaded);
      const rules = ruleFilesOf(world, loaded);
      if (rules.length > 0) out.line(`  SUCCESS: ${rules.length} rule files found`);
    }
    out.line(` SUCCESS: ${file} is valid prometheus config file syntax`);
    return loaded;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    warn(`  FAILED: ${error.message}`);
    // Of another file, which the message names, it has no line that is meant.
    const isOfIt = error.message.startsWith(`parsing YAML file ${file}: `);
    if (isWatched && isOfIt) for (const line of linesOf(readText(disk, file), error.message)) warn(line);
    return undefined;
  }
}

function ruleFilesOf({ disk }: ToolWorld, { config }: LoadedConfig): readonly string[] {
  return config.ruleFiles.flatMap((glob) => expandGlob(disk, glob));
}

/** Lists of targets that are not there may come. */
function warnOfTargetFiles({ disk, out }: ToolWorld, { config, jobs }: LoadedConfig): void {
  const sections = [
    ...jobs.map((job) => [`scrape job ${quote(job.jobName)}`, job] as const),
    ...config.alerting.alertmanagers.map((section) => ['alertmanager config', section] as const),
  ];
  for (const [where, section] of sections) {
    const globs = discoveriesOf(section).flatMap(({ kind, settings }) =>
      kind === 'file' ? ((settings.get('files') ?? []) as readonly string[]) : [],
    );
    for (const glob of globs) {
      if (expandGlob(disk, glob).length > 0) continue;
      out.line(`  WARNING: file ${quote(glob)} for file_sd in ${where} does not exist`);
    }
  }
}

/** Says whether a job is scraped so seldom that its series have gaps. */
function warnOfIntervals({ warn }: ToolWorld, { jobs }: LoadedConfig, lookbackMs: number): boolean {
  const seldom = jobs.filter(({ scrapeIntervalMs }) => (scrapeIntervalMs ?? 0) >= lookbackMs);
  for (const { jobName, scrapeIntervalMs } of seldom) {
    const what = 'too long scrape interval found, data point will be marked as stale';
    warn(`  FAILED: ${what} - job: ${jobName}, interval: ${formatDuration(scrapeIntervalMs!)}`);
  }
  return seldom.length > 0;
}
