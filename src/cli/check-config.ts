// Whether a configuration would work: it parses, the files it names are there, lists of targets
// in files can be read, its static targets come out of relabelling whole. What `check config` of promtool looks at.

import { type Disk, realDisk } from '../base/disk.js';
import { ConfigError } from '../config/error.js';
import type { HttpClientConfig } from '../config/http-client.js';
import { expandGlob, type LoadedConfig, type LoadOptions, loadConfig } from '../config/load.js';
import type { ScrapeConfig } from '../config/scrape.js';
import type { TargetGroup } from '../discovery/group.js';
import { staticGroupsOf } from '../discovery/static.js';
import { parseTargetFile } from '../discovery/target-list.js';
import type { Labels } from '../model/labels.js';
import { quote } from '../model/quote.js';
import { buildTarget } from '../scrape/target-labels.js';

/** Throws ConfigError with the first thing that is wrong. */
export function checkConfig(path: string, options: LoadOptions = {}): LoadedConfig {
  const disk = options.disk ?? realDisk;
  const loaded = loadConfig(path, options);
  const { config, jobs } = loaded;
  for (const glob of config.ruleFiles) {
    if (!glob.includes('*') && expandGlob(disk, glob).length === 0) {
      throw new ConfigError(`${quote(glob)} does not point to an existing file`);
    }
  }
  for (const job of jobs) {
    checkClientFiles(disk, job);
    for (const { section } of job.kubernetesSdConfigs) checkClientFiles(disk, section);
    for (const { targets, labels } of targetFilesOf(disk, job)) checkGroup(job, '', targets, labels);
    checkTargets(job);
  }
  for (const alertmanager of config.alerting.alertmanagers) targetFilesOf(disk, alertmanager);
  return loaded;
}

/** The same without a look at any other file. */
export function checkSyntax(path: string, options: LoadOptions = {}): LoadedConfig {
  const loaded = loadConfig(path, options);
  for (const job of loaded.config.scrapeConfigs) checkTargets(job);
  return loaded;
}

/** Of the files that a client reads, those that promtool looks for: others may come, such as passwords. */
function checkClientFiles(disk: Disk, { authorization, tlsConfig }: HttpClientConfig): void {
  const files = [
    ['authorization credentials or bearer token file', authorization?.credentialsFile ?? ''],
    ['client cert file', tlsConfig?.certFile ?? ''],
    ['client key file', tlsConfig?.keyFile ?? ''],
  ] as const;
  for (const [purpose, path] of files) {
    if (path === '' || disk.stat(path) !== undefined) continue;
    throw new ConfigError(`error checking ${purpose} ${quote(path)}: stat ${path}: no such file or directory`);
  }
}

type WithFiles = Pick<ScrapeConfig, 'fileSdConfigs'>;

/** What files of targets say that are there now; others may come. */
function targetFilesOf(disk: Disk, { fileSdConfigs }: WithFiles): readonly TargetGroup[] {
  const globs = fileSdConfigs.flatMap(({ section }) => section?.files ?? []);
  return globs
    .flatMap((glob) => expandGlob(disk, glob))
    .flatMap((path) => {
      try {
        return parseTargetFile(path, disk.readFile(path));
      } catch (error) {
        throw new ConfigError(`checking SD file ${quote(path)}: ${(error as Error).message}`);
      }
    });
}

function checkTargets(job: ScrapeConfig): void {
  for (const [index, { targets, labels }] of staticGroupsOf(job.staticConfigs).entries()) {
    checkGroup(job, String(index), targets, labels);
  }
}

function checkGroup(job: ScrapeConfig, name: string, targets: readonly Labels[], labels: Labels): void {
  for (const [instance, target] of targets.entries()) {
    const outcome = buildTarget(job, target, labels);
    if (outcome.kind === 'invalid') throw new ConfigError(`instance ${instance} in group ${name}: ${outcome.error}`);
  }
}
