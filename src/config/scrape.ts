// What to scrape, and how: the global section's part of it, and each job's.
//
// A job's section leaves open what it does not say; complete() fills that in from
// the global section and checks the result.

import { isLabelName, type NameScheme } from '../model/names.js';
import { quote } from '../model/quote.js';
import { bool, type Codec, float, list, mapOf, oneOf, path, string, text, uint, type ValueOf } from './codec.js';
import { checkedLabels, checkStaticTargets, discoveryFields, staticConfigs } from './discovery.js';
import { ConfigError } from './error.js';
import { finishHttpClient, httpClientFields } from './http-client.js';
import { checkRules, relabelRules } from './relabel-rules.js';
import { type Fields, field, optional, shown, struct } from './struct.js';
import { bytes, duration } from './values.js';

export const SCRAPE_PROTOCOLS = [
  'PrometheusProto',
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
] as const;
export type ScrapeProtocol = (typeof SCRAPE_PROTOCOLS)[number];

/** In the order of preference. */
const DEFAULT_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];
/** Native histograms exist in protobuf only. */
const PROTO_FIRST_PROTOCOLS: readonly ScrapeProtocol[] = ['PrometheusProto', ...DEFAULT_PROTOCOLS];

export type EscapingScheme = 'allow-utf-8' | 'underscores' | 'dots' | 'values';

/** Checked with the section it stands in, whose words the error has. */
const protocol: Codec<string> = {
  ...string,
  type: 'config.ScrapeProtocol',
  decode: text((given) => given, undefined, 'config.ScrapeProtocol').decode,
};

/** Words of the global section; a job's are checked when it is completed. */
const nameScheme = (where: string): Codec<NameScheme> =>
  oneOf(
    ['utf8', 'legacy'],
    (given) => `unknown ${where} name validation method specified, must be either 'legacy' or 'utf8', got ${given}`,
  );
const escapingScheme = (where: string): Codec<EscapingScheme> =>
  oneOf(
    ['allow-utf-8', 'underscores', 'dots', 'values'],
    (given) =>
      `unknown ${where} name escaping method specified, must be one of 'allow-utf-8', 'underscores', 'dots', or 'values', got ${given}`,
  );

// Options that stand in both sections, in groups as they are printed; a job's win.
// Undefined, 0 and nothing in a list mean not given.

const timingKeys = {
  scrapeIntervalMs: field('scrape_interval', duration, 0),
  scrapeTimeoutMs: field('scrape_timeout', duration, 0),
  scrapeProtocols: field('scrape_protocols', list(protocol), []),
} satisfies Fields;

const histogramKeys = {
  scrapeNativeHistograms: optional('scrape_native_histograms', bool),
  alwaysScrapeClassicHistograms: optional('always_scrape_classic_histograms', bool),
  convertClassicHistogramsToNhcb: optional('convert_classic_histograms_to_nhcb', bool),
  extraScrapeMetrics: optional('extra_scrape_metrics', bool),
} satisfies Fields;

/** 0 is no limit. */
const limitKeys = {
  /** Of the uncompressed body. */
  bodySizeLimitBytes: field('body_size_limit', bytes, 0),
  sampleLimit: field('sample_limit', uint, 0),
  targetLimit: field('target_limit', uint, 0),
  labelLimit: field('label_limit', uint, 0),
  labelNameLengthLimitBytes: field('label_name_length_limit', uint, 0),
  labelValueLengthLimitBytes: field('label_value_length_limit', uint, 0),
  keepDroppedTargets: field('keep_dropped_targets', uint, 0),
} satisfies Fields;

function namingKeys(where: string) {
  return {
    metricNameValidationScheme: optional('metric_name_validation_scheme', nameScheme(where)),
    metricNameEscapingScheme: optional('metric_name_escaping_scheme', escapingScheme(where)),
  } satisfies Fields;
}

// ---- The global section

const DEFAULT_INTERVAL_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 10_000;

const globalKeys = {
  ...timingKeys,
  evaluationIntervalMs: field('evaluation_interval', duration, 0),
  ruleQueryOffsetMs: field('rule_query_offset', duration, 0),
  queryLogFile: field('query_log_file', path, ''),
  scrapeFailureLogFile: field('scrape_failure_log_file', path, ''),
  externalLabels: field('external_labels', mapOf(string), new Map()),
  ...limitKeys,
  ...namingKeys('global'),
  ...histogramKeys,
} satisfies Fields;

export const globalSection = struct('config.plain', globalKeys, (given) => {
  checkedLabels(given.externalLabels);
  const scrapeIntervalMs = given.scrapeIntervalMs || DEFAULT_INTERVAL_MS;
  if (given.scrapeTimeoutMs > scrapeIntervalMs) {
    throw new ConfigError('global scrape timeout greater than scrape interval');
  }
  const protocolFault = faultOfProtocols(given.scrapeProtocols);
  if (protocolFault !== undefined) throw new ConfigError(`${protocolFault} for global config`);
  const scheme = given.metricNameValidationScheme ?? 'utf8';
  for (const name of given.externalLabels.keys()) {
    if (!isLabelName(name, scheme)) throw new ConfigError(`${quote(name)} is not a valid label name`);
  }
  return {
    ...given,
    scrapeIntervalMs,
    scrapeTimeoutMs: given.scrapeTimeoutMs || Math.min(DEFAULT_TIMEOUT_MS, scrapeIntervalMs),
    evaluationIntervalMs: given.evaluationIntervalMs || DEFAULT_INTERVAL_MS,
    scrapeProtocols:
      given.scrapeProtocols.length > 0
        ? given.scrapeProtocols
        : given.scrapeNativeHistograms
          ? PROTO_FIRST_PROTOCOLS
          : DEFAULT_PROTOCOLS,
  };
});

export type GlobalConfig = ValueOf<typeof globalSection>;

/** What features change of what the configuration does not say. */
export interface ScrapeDefaults {
  readonly extraScrapeMetrics?: boolean;
  /** Protobuf is asked for first: it has the most to say. */
  readonly protobufFirst?: boolean;
}

export function withDefaults(global: GlobalConfig, defaults: ScrapeDefaults): GlobalConfig {
  const isDefault = global.scrapeProtocols === DEFAULT_PROTOCOLS;
  return {
    ...global,
    extraScrapeMetrics: global.extraScrapeMetrics ?? (defaults.extraScrapeMetrics === true ? true : undefined),
    scrapeProtocols: isDefault && defaults.protobufFirst === true ? PROTO_FIRST_PROTOCOLS : global.scrapeProtocols,
  };
}

// ---- Jobs

const jobKeys = {
  jobName: shown('job_name', string, ''),
  honorLabels: field('honor_labels', bool, false),
  honorTimestamps: shown('honor_timestamps', bool, true),
  trackTimestampsStaleness: shown('track_timestamps_staleness', bool, false),
  params: field('params', mapOf(list(string)), new Map()),
  ...timingKeys,
  fallbackScrapeProtocol: field('fallback_scrape_protocol', protocol, ''),
  ...histogramKeys,
  scrapeFailureLogFile: field('scrape_failure_log_file', path, ''),
  metricsPath: field('metrics_path', string, '/metrics'),
  scheme: field('scheme', string, 'http'),
  enableCompression: shown('enable_compression', bool, true),
  ...limitKeys,
  nativeHistogramBucketLimit: field('native_histogram_bucket_limit', uint, 0),
  nativeHistogramMinBucketFactor: field('native_histogram_min_bucket_factor', float, 0),
  ...namingKeys('scrape config'),
  ...httpClientFields(),
  relabelConfigs: field('relabel_configs', relabelRules('empty or null target relabeling rule in scrape config'), []),
  metricRelabelConfigs: field(
    'metric_relabel_configs',
    relabelRules('empty or null metric relabeling rule in scrape config'),
    [],
  ),
  staticConfigs: field('static_configs', staticConfigs, []),
  ...discoveryFields,
} satisfies Fields;

export const scrapeSection = struct('config.ScrapeConfig', jobKeys, (given) => {
  if (given.jobName === '') throw new ConfigError('job_name is empty');
  if (given.relabelConfigs.length === 0) checkStaticTargets(given.staticConfigs);
  return finishHttpClient(given);
});

export type ScrapeSection = ValueOf<typeof scrapeSection>;

/** A job with nothing left open. */
export interface ScrapeConfig extends ScrapeSection {
  readonly scrapeProtocols: readonly ScrapeProtocol[];
  readonly fallbackScrapeProtocol: ScrapeProtocol | '';
  readonly scrapeNativeHistograms: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly extraScrapeMetrics: boolean;
  readonly metricNameValidationScheme: NameScheme;
  readonly metricNameEscapingScheme: EscapingScheme;
}

/** Fills in from the global section what a job leaves open, and checks what came out. */
export function completeJob(job: ScrapeSection, global: GlobalConfig): ScrapeConfig {
  const forJob = `for scrape config with job name ${quote(job.jobName)}`;
  const scrapeIntervalMs = job.scrapeIntervalMs || global.scrapeIntervalMs;
  if (job.scrapeTimeoutMs > scrapeIntervalMs) {
    throw new ConfigError(`scrape timeout greater than scrape interval ${forJob}`);
  }
  const protocolFault = faultOfProtocols(job.scrapeProtocols);
  if (protocolFault !== undefined) throw new ConfigError(`${protocolFault} ${forJob}`);
  const fallbackFault = job.fallbackScrapeProtocol === '' ? undefined : faultOfProtocol(job.fallbackScrapeProtocol);
  if (fallbackFault !== undefined) {
    throw new ConfigError(`invalid fallback_scrape_protocol ${forJob}: ${fallbackFault}`);
  }
  const names = namingOf(job, global);
  checkRules(job.relabelConfigs, names.metricNameValidationScheme);
  checkRules(job.metricRelabelConfigs, names.metricNameValidationScheme);
  const scrapeNativeHistograms = job.scrapeNativeHistograms ?? global.scrapeNativeHistograms ?? false;
  return {
    ...job,
    ...names,
    scrapeIntervalMs,
    scrapeTimeoutMs: job.scrapeTimeoutMs || Math.min(global.scrapeTimeoutMs, scrapeIntervalMs),
    scrapeNativeHistograms,
    scrapeProtocols: protocolsOf(job, global),
    fallbackScrapeProtocol: job.fallbackScrapeProtocol as ScrapeProtocol | '',
    alwaysScrapeClassicHistograms: job.alwaysScrapeClassicHistograms ?? global.alwaysScrapeClassicHistograms ?? false,
    convertClassicHistogramsToNhcb:
      job.convertClassicHistogramsToNhcb ?? global.convertClassicHistogramsToNhcb ?? false,
    extraScrapeMetrics: job.extraScrapeMetrics ?? global.extraScrapeMetrics ?? false,
    scrapeFailureLogFile: job.scrapeFailureLogFile || global.scrapeFailureLogFile,
    bodySizeLimitBytes: job.bodySizeLimitBytes || global.bodySizeLimitBytes,
    sampleLimit: job.sampleLimit || global.sampleLimit,
    targetLimit: job.targetLimit || global.targetLimit,
    labelLimit: job.labelLimit || global.labelLimit,
    labelNameLengthLimitBytes: job.labelNameLengthLimitBytes || global.labelNameLengthLimitBytes,
    labelValueLengthLimitBytes: job.labelValueLengthLimitBytes || global.labelValueLengthLimitBytes,
    keepDroppedTargets: job.keepDroppedTargets || global.keepDroppedTargets,
  };
}

function protocolsOf(job: ScrapeSection, global: GlobalConfig): readonly ScrapeProtocol[] {
  if (job.scrapeProtocols.length > 0) return job.scrapeProtocols as readonly ScrapeProtocol[];
  const inherited = global.scrapeProtocols as readonly ScrapeProtocol[];
  const isDefault = inherited === DEFAULT_PROTOCOLS || inherited === PROTO_FIRST_PROTOCOLS;
  if (!isDefault || job.scrapeNativeHistograms === undefined) return inherited;
  return job.scrapeNativeHistograms ? PROTO_FIRST_PROTOCOLS : DEFAULT_PROTOCOLS;
}

/** How metrics may be named, and what a target is asked to do with other names. */
function namingOf(job: ScrapeSection, global: GlobalConfig) {
  const validation = job.metricNameValidationScheme ?? global.metricNameValidationScheme ?? 'utf8';
  const inferred: EscapingScheme = validation === 'utf8' ? 'allow-utf-8' : 'underscores';
  const escaping = job.metricNameEscapingScheme ?? global.metricNameEscapingScheme ?? inferred;
  if (escaping === 'allow-utf-8' && validation !== 'utf8') {
    throw new ConfigError('utf8 metric names requested but validation scheme is not set to UTF8');
  }
  return { metricNameValidationScheme: validation, metricNameEscapingScheme: escaping };
}

function faultOfProtocols(protocols: readonly string[]): string | undefined {
  if (new Set(protocols).size < protocols.length) {
    return `duplicated protocol in scrape_protocols, got [${protocols.join(' ')}]`;
  }
  const fault = protocols.map(faultOfProtocol).find((found) => found !== undefined);
  return fault && `scrape_protocols: ${fault}`;
}

function faultOfProtocol(given: string): string | undefined {
  if ((SCRAPE_PROTOCOLS as readonly string[]).includes(given)) return undefined;
  return `unknown scrape protocol ${given}, supported: [${[...SCRAPE_PROTOCOLS].sort().join(' ')}]`;
}
