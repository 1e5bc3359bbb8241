// Remote write and remote read: where samples are sent to, and read from.

import { bool, int, list, mapOf, oneOf, string, type ValueOf } from './codec.js';
import { anything } from './data.js';
import { ConfigError } from './error.js';
import { finishHttpClient, httpClientFields } from './http-client.js';
import { checkRules, relabelRules } from './relabel-rules.js';
import { type Fields, field, optional, shown, struct } from './struct.js';
import { duration, url } from './values.js';

const queue = struct(
  'config.plain',
  {
    capacity: field('capacity', int, 10_000),
    shardsMax: field('max_shards', int, 50),
    shardsMin: field('min_shards', int, 1),
    samplesPerSendMax: field('max_samples_per_send', int, 2_000),
    batchSendDeadlineMs: field('batch_send_deadline', duration, 5_000),
    backoffMinMs: field('min_backoff', duration, 30),
    backoffMaxMs: field('max_backoff', duration, 5_000),
    retryOnRateLimit: field('retry_on_http_429', bool, false),
    sampleAgeLimitMs: field('sample_age_limit', duration, 0),
  },
  (given) => {
    const faults: [isFault: boolean, message: string][] = [
      [given.capacity < 1, 'capacity must be greater than 0'],
      [given.shardsMin < 1, 'min_shards must be greater than 0'],
      [given.shardsMin > given.shardsMax, 'min_shards must not be greater than max_shards'],
      [given.samplesPerSendMax < 1, 'max_samples_per_send must be greater than 0'],
      [given.backoffMinMs > given.backoffMaxMs, 'min_backoff must not be greater than max_backoff'],
    ];
    const fault = faults.find(([isFault]) => isFault);
    if (fault !== undefined) throw new ConfigError(`remote write queue_config: ${fault[1]}`);
    return given;
  },
);

const metadata = struct('config.plain', {
  send: shown('send', bool, true),
  sendIntervalMs: field('send_interval', duration, 60_000),
  samplesPerSendMax: field('max_samples_per_send', int, 2_000),
});

const WRITE_MESSAGES = ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'] as const;

const remoteWrite = struct(
  'config.plain',
  {
    url: field('url', url, ''),
    remoteTimeoutMs: field('remote_timeout', duration, 30_000),
    headers: field('headers', mapOf(string), new Map()),
    writeRelabelConfigs: field(
      'write_relabel_configs',
      relabelRules('empty or null relabeling rule in remote write config'),
      [],
    ),
    name: field('name', string, ''),
    sendExemplars: field('send_exemplars', bool, false),
    sendNativeHistograms: field('send_native_histograms', bool, false),
    roundRobinDns: field('round_robin_dns', bool, false),
    protobufMessage: field(
      'protobuf_message',
      oneOf(
        WRITE_MESSAGES,
        (given) => `unknown remote write protobuf message ${given}, supported: ${WRITE_MESSAGES.join(', ')}`,
      ),
      'prometheus.WriteRequest',
    ),
    ...httpClientFields(false),
    queueConfig: field('queue_config', queue, queue.defaults()),
    metadataConfig: field('metadata_config', metadata, metadata.defaults()),
    sigv4: optional('sigv4', anything),
    azuread: optional('azuread', anything),
    googleIam: optional('google_iam', anything),
  } satisfies Fields,
  (given) => {
    if (given.url === '') throw new ConfigError('url for remote_write is empty');
    checkHeaders(given.headers);
    checkRules(given.writeRelabelConfigs, 'utf8');
    const ways = [given.basicAuth, given.authorization, given.oauth2, given.sigv4, given.azuread, given.googleIam];
    if (ways.filter((way) => way !== undefined).length > 1) {
      throw new ConfigError(
        'at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be configured',
      );
    }
    return finishHttpClient(given);
  },
);
export type RemoteWriteConfig = ValueOf<typeof remoteWrite>;

const remoteRead = struct(
  'config.plain',
  {
    url: field('url', url, ''),
    remoteTimeoutMs: field('remote_timeout', duration, 60_000),
    chunkedReadLimitBytes: field('chunked_read_limit', int, 50_000_000),
    headers: field('headers', mapOf(string), new Map()),
    readRecent: field('read_recent', bool, false),
    name: field('name', string, ''),
    ...httpClientFields(),
    requiredMatchers: field('required_matchers', mapOf(string), new Map()),
    filterExternalLabels: field('filter_external_labels', bool, true),
  } satisfies Fields,
  (given) => {
    if (given.url === '') throw new ConfigError('url for remote_read is empty');
    checkHeaders(given.headers);
    return finishHttpClient(given);
  },
);
export type RemoteReadConfig = ValueOf<typeof remoteRead>;

export const remoteWrites = list(remoteWrite, { nullItem: 'empty or null remote write config section' });
export const remoteReads = list(remoteRead, { nullItem: 'empty or null remote read config section' });

/** Headers that the protocol or the client sets. */
const RESERVED = new Set(
  'host content-encoding content-length content-type user-agent connection keep-alive proxy-authenticate proxy-authorization www-authenticate accept-encoding x-prometheus-remote-write-version x-prometheus-remote-read-version x-prometheus-scrape-timeout-seconds te trailer transfer-encoding upgrade x-amz-date x-amz-security-token x-amz-content-sha256'.split(
    ' ',
  ),
);

function checkHeaders(headers: ReadonlyMap<string, string>): void {
  for (const name of headers.keys()) {
    if (name.toLowerCase() === 'authorization') {
      throw new ConfigError(
        'authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter',
      );
    }
    if (RESERVED.has(name.toLowerCase())) {
      throw new ConfigError(`${name} is a reserved header. It must not be changed`);
    }
  }
}
