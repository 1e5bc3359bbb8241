// Sections that say how this server keeps and translates data: storage, otlp, tracing, runtime.

import { quote } from '../model/quote.js';
import { bool, float, int, list, mapOf, oneOf, string, text, type ValueOf } from './codec.js';
import { ConfigError } from './error.js';
import { tlsConfig } from './http-client.js';
import { field, optional, shown, struct } from './struct.js';
import { bytes, duration, durationOf } from './values.js';

/** Durations as everywhere; a minus sign gets an error of its own, because it is a common mistake for "for ever". */
const retentionTime = text((given) => {
  if (given.startsWith('-')) throw new ConfigError(`'storage.tsdb.retention.time' must not be negative`);
  // Kept as it was given, since it is printed so; it is a duration all the same.
  if (given !== '') durationOf(given);
  return given;
});

const retention = struct(
  'config.plain',
  {
    time: field('time', retentionTime, ''),
    sizeBytes: field('size', bytes, 0),
    percentage: field('percentage', float, 0),
  },
  (given) => {
    if (given.sizeBytes < 0) throw new ConfigError("'storage.tsdb.retention.size' must not be negative");
    if (given.percentage < 0 || given.percentage > 100) {
      throw new ConfigError("'storage.tsdb.retention.percentage' must be in the range [0, 100]");
    }
    return given;
  },
);

const chunkEncoding = struct('config.plain', {
  floats: field(
    'floats',
    oneOf(['xor', 'xor2'], (given) => `unknown float chunk encoding ${quote(given)}, supported: xor, xor2`),
    'xor',
  ),
});

const tsdb = struct(
  'config.plain',
  {
    outOfOrderTimeWindowMs: shown('out_of_order_time_window', duration, 0),
    staleSeriesCompactionThreshold: field('stale_series_compaction_threshold', float, 0),
    chunkEncoding: optional('chunk_encoding', chunkEncoding),
    retention: optional('retention', retention),
  },
  (given) => {
    const threshold = given.staleSeriesCompactionThreshold;
    if (threshold < 0 || threshold > 1) {
      throw new ConfigError("'storage.tsdb.stale_series_compaction_threshold' must be in the range [0, 1]");
    }
    return given;
  },
);

const exemplars = struct('config.plain', { max: shown('max_exemplars', int, 100_000) });

export const storageSection = struct('config.plain', {
  tsdb: optional('tsdb', tsdb),
  exemplars: optional('exemplars', exemplars),
});
export type StorageConfig = ValueOf<typeof storageSection>;

// ---- OTLP

export const TRANSLATION_STRATEGIES = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const;

/** Attribute names, trimmed; none empty, none twice. */
function attributes(key: string) {
  return field(key, list(text((given) => given.trim())), []);
}

export const otlpSection = struct(
  'config.plain',
  {
    promoteAllResourceAttributes: field('promote_all_resource_attributes', bool, false),
    promoteResourceAttributes: attributes('promote_resource_attributes'),
    ignoreResourceAttributes: attributes('ignore_resource_attributes'),
    translationStrategy: field(
      'translation_strategy',
      oneOf(TRANSLATION_STRATEGIES, (given) => `unsupported OTLP translation strategy ${quote(given)}`),
      'UnderscoreEscapingWithSuffixes',
    ),
    keepIdentifyingResourceAttributes: field('keep_identifying_resource_attributes', bool, false),
    convertHistogramsToNhcb: field('convert_histograms_to_nhcb', bool, false),
    promoteScopeMetadata: field('promote_scope_metadata', bool, false),
    labelNameUnderscoreSanitization: field('label_name_underscore_sanitization', bool, true),
    labelNamePreserveMultipleUnderscores: field('label_name_preserve_multiple_underscores', bool, true),
  },
  (given) => {
    if (given.promoteAllResourceAttributes && given.promoteResourceAttributes.length > 0) {
      throw new ConfigError(
        "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured simultaneously",
      );
    }
    if (!given.promoteAllResourceAttributes && given.ignoreResourceAttributes.length > 0) {
      throw new ConfigError(
        "'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true",
      );
    }
    checkAttributes('promote_resource_attributes', 'promoted', given.promoteResourceAttributes);
    checkAttributes('ignore_resource_attributes', 'ignored', given.ignoreResourceAttributes);
    return given;
  },
);
export type OtlpConfig = ValueOf<typeof otlpSection>;

function checkAttributes(key: string, what: string, names: readonly string[]): void {
  const faults = names.flatMap((name, index) => {
    if (name === '') return [`empty ${what} OTel resource attribute`];
    return names.indexOf(name) < index ? [`duplicated ${what} OTel resource attribute ${quote(name)}`] : [];
  });
  if (faults.length > 0) throw new ConfigError(`invalid '${key}': ${faults.join('\n')}`);
}

// ---- Tracing and runtime

export const tracingSection = struct(
  'config.plain',
  {
    clientType: field(
      'client_type',
      oneOf(['grpc', 'http'], () => 'expected tracing client type to be http or grpc'),
      'grpc',
    ),
    endpoint: field('endpoint', string, ''),
    samplingFraction: field('sampling_fraction', float, 0),
    insecure: field('insecure', bool, false),
    tlsConfig: optional('tls_config', tlsConfig),
    headers: field('headers', mapOf(string), new Map()),
    compression: optional(
      'compression',
      oneOf(['gzip'], (given) => `invalid compression type ${given} provided, valid options: gzip`),
    ),
    timeoutMs: field('timeout', duration, 10_000),
  },
  (given) => {
    if (given.endpoint === '') throw new ConfigError('tracing endpoint must be set');
    return given;
  },
);
export type TracingConfig = ValueOf<typeof tracingSection>;

/** Go's garbage collector has no counterpart here: accepted, and ignored with a log line. */
export const runtimeSection = struct('config.plain', { gogc: shown('gogc', int, 75) });
