// --enable-feature: Prometheus's names of what is not on by itself, and what each does here.

import type { ScrapeDefaults } from '../config/scrape.js';
import type { ParseOptions } from '../promql/syntax/parse.js';
import { DEFAULT_PARSE_OPTIONS } from '../promql/syntax/parse.js';

/** What features change in storage. */
export interface StorageFeatures {
  readonly exemplars: boolean;
  readonly metadataRecords: boolean;
}

/** What features change in scraping. */
export interface ScrapeFeatures {
  readonly defaults: ScrapeDefaults;
  /** Series that say when they began get a sample of 0 there, of remote writes, too. */
  readonly startTimes: boolean;
}

/** What features change in queries. */
export interface QueryFeatures {
  readonly parse: ParseOptions;
  readonly delayedNames: boolean;
  /** `stats=all` tells samples by step. */
  readonly perStepStats: boolean;
  /** Remarks go by the label `__type__` instead of a metric's name. */
  readonly typeLabels: boolean;
  /** Counters go by the start timestamps of their samples. */
  readonly startTimestamps: boolean;
}

/** A line to log about a feature that was asked for. */
export interface FeatureRemark {
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly option: string;
}

/** What changes queries, in the words of Prometheus's log. */
const QUERY_FEATURES: ReadonlyMap<string, string> = new Map([
  ['promql-experimental-functions', 'Experimental PromQL functions enabled.'],
  ['promql-extended-range-selectors', 'Experimental PromQL extended range selectors enabled.'],
  ['promql-binop-fill-modifiers', 'Experimental PromQL binary operator fill modifiers enabled.'],
  ['promql-delayed-name-removal', 'Experimental PromQL delayed name removal enabled.'],
  ['promql-per-step-stats', 'Experimental per-step statistics reporting'],
  ['type-and-unit-labels', 'Experimental type and unit labels enabled'],
  ['use-start-timestamps', 'Experimental usage of start timestamps in PromQL engine is enabled.'],
]);

/** Rules of one group that do not depend on each other run beside each other. */
export const CONCURRENT_RULES = 'concurrent-rule-eval';

/** What changes storage, likewise. */
const STORAGE_FEATURES: ReadonlyMap<string, string> = new Map([
  ['exemplar-storage', 'Experimental in-memory exemplar storage enabled'],
  ['metadata-wal-records', 'Experimental metadata records in WAL enabled'],
]);

/** Names and values can be searched. */
export const SEARCH_API = 'search-api';
/** What intervals measured is taken from OTLP exports as it is. */
export const NATIVE_DELTA = 'otlp-native-delta-ingestion';

/** What changes the API, likewise. */
const API_FEATURES: ReadonlyMap<string, string> = new Map([
  [SEARCH_API, 'Experimental search API enabled.'],
  [NATIVE_DELTA, 'Delta samples of OTLP are stored as they are.'],
]);

const START_TIMES = 'created-timestamp-zero-ingestion';

/** What changes scraping, likewise. */
const SCRAPE_FEATURES: ReadonlyMap<string, string> = new Map([
  [
    START_TIMES,
    'Experimental start timestamp zero ingestion enabled. OpenMetrics 1.0 parsing will parse <metric>_created metrics as ST instead of normal sample. Changed default scrape_protocols to prefer PrometheusProto format.',
  ],
]);

/** What is to be said in the configuration by now. */
const PHASED_OUT: ReadonlyMap<string, string> = new Map([
  [
    'extra-scrape-metrics',
    'This option for --enable-feature is being phased out. It currently changes the default for the extra_scrape_metrics config setting to true, but will become a no-op in a future version. Stop using this option and set extra_scrape_metrics in the config instead.',
  ],
]);

/** What changes rules, likewise. */
const RULE_FEATURES: ReadonlyMap<string, string> = new Map([
  [CONCURRENT_RULES, 'Experimental concurrent rule evaluation enabled.'],
]);

const ENABLED = [QUERY_FEATURES, STORAGE_FEATURES, API_FEATURES, SCRAPE_FEATURES, RULE_FEATURES];

const ALWAYS_ON = 'This option for --enable-feature is now permanently enabled and therefore a no-op.';

/** What has no effect, because it is so without asking. */
const NO_OPS: ReadonlyMap<string, string> = new Map([
  ['promql-duration-expr', ALWAYS_ON],
  ['ooo-native-histograms', ALWAYS_ON],
  [
    'native-histograms',
    'This option for --enable-feature is a no-op. To scrape native histograms, set the scrape_native_histograms scrape config setting to true.',
  ],
]);

/** What Prometheus 3.14 has and we have not. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'auto-reload-config',
  'delayed-compaction',
  'fast-startup',
  'histograms-st-encoding',
  'memory-snapshot-on-shutdown',
  'old-ui',
  'otlp-deltatocumulative',
  'st-storage',
  'st-synthesis',
  'use-uncached-io',
  'xor2-encoding',
]);

/** All that can be asked for and is not on by itself. */
export const EXPERIMENTAL_FEATURES: readonly string[] = [
  ...ENABLED.flatMap((features) => [...features.keys()]),
  ...ELSEWHERE,
].sort();

export function queryFeatures(features: readonly string[]): QueryFeatures {
  const has = (name: string) => features.includes(name);
  return {
    parse: {
      ...DEFAULT_PARSE_OPTIONS,
      experimentalFunctions: has('promql-experimental-functions'),
      extendedRangeSelectors: has('promql-extended-range-selectors'),
      fillModifiers: has('promql-binop-fill-modifiers'),
    },
    delayedNames: has('promql-delayed-name-removal'),
    perStepStats: has('promql-per-step-stats'),
    typeLabels: has('type-and-unit-labels'),
    startTimestamps: has('use-start-timestamps'),
  };
}

export function storageFeatures(features: readonly string[]): StorageFeatures {
  const has = (name: string) => features.includes(name);
  return { exemplars: has('exemplar-storage'), metadataRecords: has('metadata-wal-records') };
}

export function scrapeFeatures(features: readonly string[]): ScrapeFeatures {
  const startTimes = features.includes(START_TIMES);
  return {
    defaults: { extraScrapeMetrics: features.includes('extra-scrape-metrics'), protobufFirst: startTimes },
    startTimes,
  };
}

/** One remark for each feature, in the order in which they were given. */
export function featureRemarks(features: readonly string[]): FeatureRemark[] {
  return features.map((option) => {
    const enabled = ENABLED.map((features) => features.get(option)).find((message) => message !== undefined);
    if (enabled !== undefined) return { level: 'info', message: enabled, option };
    const noOp = NO_OPS.get(option) ?? PHASED_OUT.get(option);
    if (noOp !== undefined) return { level: 'warn', message: noOp, option };
    const message = ELSEWHERE.has(option)
      ? 'This option for --enable-feature has no effect here yet'
      : 'Unknown option for --enable-feature';
    return { level: 'warn', message, option };
  });
}
