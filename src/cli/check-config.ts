// Whether a configuration would work: it parses, the files it names are there, lists of targets
// in files can be read, its static targets come out of relabelling whole. What `check config` of promtool looks at.

import { type Disk, realDisk } from '../base/disk.js';
import { ConfigError } from '../config/error.js';
import { filesOf, type HttpClientConfig } from '../config/http-client.js';
import { expandGlob, type LoadedConfig, type LoadOptions, loadConfig } from '../config/load.js';
import type { ScrapeConfig } from '../config/scrape.js';
import { parseTargetFile } from '../discovery/target-list.js';
import { labelsOf } from '../model/labels.js';
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
    checkTargetFiles(disk, job);
    checkTargets(job);
  }
  for (const alertmanager of config.alerting.alertmanagers) checkClientFiles(disk, alertmanager);
  return loaded;
}

function checkClientFiles(disk: Disk, client: HttpClientConfig): void {
  for (const [purpose, path] of filesOf(client)) {
    if (disk.stat(path) !== undefined) continue;
    throw new ConfigError(`error checking ${purpose} ${quote(path)}: stat ${path}: no such file or directory`);
  }
}

/** Files of targets that are there now; others may come. */
function checkTargetFiles(disk: Disk, job: ScrapeConfig): void {
  const globs = job.fileSdConfigs.flatMap(({ section }) => section?.files ?? []);
  for (const path of globs.flatMap((glob) => expandGlob(disk, glob))) {
    try {
      parseTargetFile(path, disk.readFile(path));
    } catch (error) {
      throw new ConfigError(`checking SD file ${quote(path)}: ${(error as Error).message}`);
    }
  }
}

function checkTargets(job: ScrapeConfig): void {
  for (const [group, { targets, labels }] of job.staticConfigs.entries()) {
    for (const [instance, address] of targets.entries()) {
      const outcome = buildTarget(job, labelsOf([['__address__', address]]), labels);
      if (outcome.kind === 'invalid') {
        throw new ConfigError(`instance ${instance} in group ${group}: ${outcome.error}`);
      }
    }
  }
}
