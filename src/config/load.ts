// Loading: the configuration file and the files of jobs it names, from disk.

import { basename, dirname, join } from 'node:path';
import { type Disk, DiskError, realDisk } from '../base/disk.js';
import { quote } from '../model/quote.js';
import { type Config, checkAgent, type ParseOptions, parseConfig, parseJobs } from './config.js';
import { ConfigError } from './error.js';
import type { ScrapeConfig } from './scrape.js';

export interface LoadedConfig {
  /** As in the file: what the status page shows. */
  readonly config: Config;
  /** Its jobs and those of the files of scrape_config_files. */
  readonly jobs: readonly ScrapeConfig[];
  /** Every file that was read: what to watch for changes. */
  readonly files: readonly string[];
}

export interface LoadOptions extends Omit<ParseOptions, 'folder'> {
  readonly disk?: Disk;
  readonly agent?: boolean;
}

/** Loads a configuration; relative paths in it start at its folder. Throws ConfigError in Prometheus's words. */
export function loadConfig(path: string, options: LoadOptions = {}): LoadedConfig {
  const disk = options.disk ?? realDisk;
  const environment = options.environment ?? ((name) => process.env[name]);
  const text = readText(disk, path);
  const config = prefixed(`parsing YAML file ${path}`, () =>
    parseConfig(text, { ...options, environment, folder: dirname(path) }),
  );
  if (options.agent) checkAgent(config);
  const jobs = [...config.scrapeConfigs];
  const files = [path];
  const firstFoundIn = new Map(jobs.map(({ jobName }) => [jobName, 'main config file']));
  for (const file of config.scrapeConfigFiles.flatMap((glob) => expandGlob(disk, glob))) {
    files.push(file);
    for (const job of prefixed(quote(file), () => parseJobs(readText(disk, file), config.global, dirname(file)))) {
      const first = firstFoundIn.get(job.jobName);
      if (first !== undefined) {
        const twice = `found multiple scrape configs with job name ${quote(job.jobName)}, first found in ${first}`;
        throw new ConfigError(`${quote(file)}: ${twice}`);
      }
      firstFoundIn.set(job.jobName, quote(file));
      jobs.push(job);
    }
  }
  return { config, jobs, files };
}

/** Sections that are read and checked, but that nothing acts on yet: for a log line, so that nobody waits for them. */
export function pendingSections({ config }: LoadedConfig): string[] {
  const pending: [isGiven: boolean, name: string][] = [
    [config.remoteWrite.length > 0, 'remote_write'],
    [config.remoteRead.length > 0, 'remote_read'],
    [config.tracing !== undefined, 'tracing'],
  ];
  return pending.filter(([isGiven]) => isGiven).map(([, name]) => name);
}

/** Files a path with stars in its last part stands for, by name; a path without is itself, whether it is there or not. */
export function expandGlob(disk: Disk, glob: string): string[] {
  if (!/[*?[]/.test(basename(glob))) return disk.stat(glob) === undefined ? [] : [glob];
  const folder = dirname(glob);
  if (disk.stat(folder)?.isDirectory !== true) return [];
  return disk
    .list(folder)
    .filter(globMatcher(basename(glob)))
    .map((name) => (glob.startsWith('./') ? `./${join(folder, name)}` : join(folder, name)));
}

/** `*`, `?` and `[a-z]` as in Go's filepath.Match, on one part of a path. */
export function globMatcher(glob: string): (name: string) => boolean {
  return (name) => matches(glob, name);
}

/** Stars are tried shortest first; once a later one is reached, an earlier one need not be tried again. */
function matches(glob: string, name: string): boolean {
  let globAt = 0;
  let nameAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  for (;;) {
    if (globAt < glob.length && glob[globAt] === '*') {
      starAt = globAt++;
      resumeAt = nameAt;
      continue;
    }
    if (globAt === glob.length && nameAt === name.length) return true;
    const width = nameAt < name.length && globAt < glob.length ? matchOne(glob, globAt, name[nameAt]!) : 0;
    if (width > 0) {
      globAt += width;
      nameAt++;
    } else if (starAt >= 0 && resumeAt < name.length) {
      globAt = starAt + 1;
      nameAt = ++resumeAt;
    } else {
      return false;
    }
  }
}

/** How many characters of the pattern match this one; 0 where they do not. */
function matchOne(glob: string, at: number, character: string): number {
  if (glob[at] === '?') return 1;
  if (glob[at] === '\\' && at + 1 < glob.length) return glob[at + 1] === character ? 2 : 0;
  const end = glob[at] === '[' ? glob.indexOf(']', at + 2) : -1;
  if (end < 0) return glob[at] === character ? 1 : 0;
  const negated = glob[at + 1] === '^';
  let isIn = false;
  for (let i = at + (negated ? 2 : 1); i < end; i++) {
    const isRange = glob[i + 1] === '-' && i + 2 < end;
    const last = isRange ? glob[i + 2]! : glob[i]!;
    if (glob[i]! <= character && character <= last) isIn = true;
    if (isRange) i += 2;
  }
  return isIn === negated ? 0 : end + 1 - at;
}

/** Throws ConfigError. */
export function readText(disk: Disk, path: string): string {
  try {
    return new TextDecoder().decode(disk.readFile(path));
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    throw new ConfigError(`open ${path}: ${reasonOf(error)}`);
  }
}

/** As Unix says it. */
function reasonOf(error: DiskError): string {
  switch (error.code) {
    case 'ENOENT':
      return 'no such file or directory';
    case 'EACCES':
      return 'permission denied';
    case 'EISDIR':
      return 'is a directory';
    default:
      return error.code;
  }
}

function prefixed<T>(prefix: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${prefix}: ${error.message}`);
    throw error;
  }
}
