// The configuration file as a whole: its sections, and what must hold between them.

import { quote } from '../model/quote.js';
import { alertingSection } from './alerting.js';
import { type Codec, list, resolvePath, string, type ValueOf } from './codec.js';
import { YamlFile } from './document.js';
import { ConfigError } from './error.js';
import { remoteReads, remoteWrites } from './remote.js';
import {
  completeJob,
  type GlobalConfig,
  globalSection,
  type ScrapeConfig,
  type ScrapeDefaults,
  scrapeSection,
  withDefaults,
} from './scrape.js';
import { otlpSection, runtimeSection, storageSection, tracingSection } from './storage.js';
import { field, optional, type StructCodec, struct } from './struct.js';

/** A path in which only the last part may have a star. */
const GLOB = /^[^*]*(?:\*[^/]*)?$/;

function globs(what: string) {
  const decode: Codec<string>['decode'] = (node, file) => {
    const given = string.decode(node, file);
    if (given === undefined) return undefined;
    if (!GLOB.test(given)) throw new ConfigError(`invalid ${what} file path ${quote(given)}`);
    return resolvePath(file.folder, given);
  };
  return list({ ...string, decode });
}

const jobs = list(scrapeSection, { nullItem: 'empty or null scrape config section' });

export const configSection = struct('config.plain', {
  global: field('global', globalSection, globalSection.defaults()),
  runtime: field('runtime', runtimeSection, runtimeSection.defaults()),
  alerting: field('alerting', alertingSection, alertingSection.defaults()),
  ruleFiles: field('rule_files', globs('rule'), []),
  scrapeConfigFiles: field('scrape_config_files', globs('scrape config'), []),
  scrapeConfigs: field('scrape_configs', jobs, []),
  storage: field('storage', storageSection, storageSection.defaults()),
  tracing: optional('tracing', tracingSection),
  remoteWrite: field('remote_write', remoteWrites, []),
  remoteRead: field('remote_read', remoteReads, []),
  otlp: field('otlp', otlpSection, otlpSection.defaults()),
});

type Sections = ValueOf<typeof configSection>;

/** Everything the file says, defaults filled in, jobs complete. Durations are milliseconds, sizes bytes. */
export interface Config extends Sections {
  readonly global: GlobalConfig;
  readonly scrapeConfigs: readonly ScrapeConfig[];
}

export interface ParseOptions {
  /** Where relative paths start; not given leaves them as they are. */
  readonly folder?: string;
  /** What features change of what is not said. */
  readonly defaults?: ScrapeDefaults;
  /** For `$NAME` in external labels; a name it does not know is empty. */
  readonly environment?: (name: string) => string | undefined;
}

/** Reads a configuration, without the files it names: see load.ts. Throws ConfigError. */
export function parseConfig(yaml: string, options: ParseOptions = {}): Config {
  const file = new YamlFile(yaml, options.folder);
  const sections = decodeRoot(file, configSection);
  const scheme = sections.global.metricNameValidationScheme ?? 'utf8';
  const { translationStrategy } = sections.otlp;
  if (scheme === 'legacy' && /^No/.test(translationStrategy)) {
    throw new ConfigError(
      `OTLP translation strategy ${quote(translationStrategy)} is not allowed when UTF8 is disabled`,
    );
  }
  const environment = options.environment ?? (() => undefined);
  const externalLabels = new Map(
    [...sections.global.externalLabels].map(([name, value]) => [name, expandEnvironment(value, environment)]),
  );
  const global = withDefaults({ ...sections.global, externalLabels }, options.defaults ?? {});
  const scrapeConfigs = sections.scrapeConfigs.map((job) => completeJob(job, global));
  checkNames(
    'scrape',
    scrapeConfigs.map(({ jobName }) => jobName),
  );
  checkNames(
    'remote write',
    sections.remoteWrite.map(({ name }) => name).filter((name) => name !== ''),
  );
  checkNames(
    'remote read',
    sections.remoteRead.map(({ name }) => name).filter((name) => name !== ''),
  );
  return { ...sections, global, scrapeConfigs };
}

const jobsFile = struct('config.ScrapeConfigs', { scrapeConfigs: field('scrape_configs', jobs, []) });

/** Reads a file that scrape_config_files names: jobs, and nothing else. */
export function parseJobs(yaml: string, global: GlobalConfig, folder: string): ScrapeConfig[] {
  const file = new YamlFile(yaml, folder);
  return decodeRoot(file, jobsFile).scrapeConfigs.map((job) => completeJob(job, global));
}

function decodeRoot<T>(file: YamlFile, section: StructCodec<T>): T {
  const decoded = file.root === null ? section.defaults() : section.decode(file.root, file);
  file.throwFaults();
  return decoded ?? section.defaults();
}

export function checkNames(what: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new ConfigError(`found multiple ${what} configs with job name ${quote(twice)}`);
}

/** Agents scrape and forward only: sections about anything else are refused. */
export function checkAgent(config: Config): void {
  const { alertmanagers, alertRelabelConfigs } = config.alerting;
  const refused: [isGiven: boolean, name: string][] = [
    [alertmanagers.length + alertRelabelConfigs.length > 0, 'alerting'],
    [config.ruleFiles.length > 0, 'rule_files'],
    [config.remoteRead.length > 0, 'remote_read'],
  ];
  const given = refused.find(([isGiven]) => isGiven);
  if (given !== undefined) throw new ConfigError(`field ${given[1]} is not allowed in agent mode`);
}

/** `$NAME` and `${NAME}` from the environment, `$$` for a dollar, as Go's os.Expand. */
export function expandEnvironment(value: string, environment: (name: string) => string | undefined): string {
  return value.replace(/\$(?:\$|\{([^{}]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare;
    return name === undefined ? '$' : (environment(name) ?? '');
  });
}
