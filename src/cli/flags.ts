// The server's flags: Prometheus's names and defaults, then our own.

import { ConfigError } from '../config/error.js';
import { formatBytes, parseBytes } from '../config/values.js';
import { formatDuration } from '../model/duration.js';
import { PatternError } from '../model/matcher.js';
import { Pattern } from '../relabel/pattern.js';
import { SHARDS_MAX } from '../wasm/exposition.js';
import { READERS_MAX } from '../wasm/query.js';
import {
  countFlag,
  durationFlag,
  durationOf,
  type Flag,
  FlagError,
  helpOf,
  listFlag,
  listFlags,
  readFlags,
  switchFlag,
  textFlag,
  type ValuesOf,
  valueFlag,
  wordFlag,
} from './flag.js';

const IGNORED = { ignored: true } as const;
const HIDDEN = { ignored: true, hidden: true } as const;
const TESTING = { hidden: true } as const;
const MIB = 2 ** 20;
/** Of a segment of the log, as in Prometheus. */
const SEGMENT_BYTES_MIN = 10 * MIB;
const SEGMENT_BYTES_MAX = 256 * MIB;
const PENDING = { pending: true } as const;

/** How much memory storage may take: bytes, or a share of what the machine or its cgroup has. */
export type MemoryLimit =
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'share'; readonly share: number };

/** When the log is forced to disk: before each answer (together with others), at intervals, or when the system likes. */
export type WalSync =
  | { readonly kind: 'group' }
  | { readonly kind: 'interval'; readonly intervalMs: number }
  | { readonly kind: 'never' };

const WRITE_MESSAGES = ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'];

const TABLE = {
  // ---- Configuration and web
  configFile: textFlag('config.file', 'prometheus.yml', 'Configuration file.'),
  configAutoReload: switchFlag('config.auto-reload', false, 'Reload the configuration when its files change.', PENDING),
  configAutoReloadIntervalMs: durationFlag(
    'config.auto-reload-interval',
    '30s',
    'How often to look for changes of the configuration.',
    PENDING,
  ),
  webListenAddresses: listFlag(
    'web.listen-address',
    ['0.0.0.0:9090'],
    'Address to listen on for API, pages and metrics. Can be repeated.',
    listenAddress,
  ),
  webConfigFile: textFlag('web.config.file', '', 'File that turns on TLS, authentication and limits of requests.', {
    placeholder: '<file>',
  }),
  webReadTimeoutMs: durationFlag(
    'web.read-timeout',
    '5m',
    'How long reading a request may take, and how long a connection may idle.',
    PENDING,
  ),
  webMaxConnections: countFlag('web.max-connections', 512, 'Connections at a time, over all addresses.', 1),
  webMaxNotificationsSubscribers: countFlag(
    'web.max-notifications-subscribers',
    16,
    'Clients at a time that receive live notifications.',
    0,
  ),
  webExternalUrl: valueFlag(
    'web.external-url',
    '',
    'URL under which users reach this server, for links back to it. A path in it is put in front of every route.',
    externalUrl,
    String,
    { placeholder: '<URL>' },
  ),
  webRoutePrefix: textFlag(
    'web.route-prefix',
    '',
    'What is in front of every route. Defaults to the path of --web.external-url.',
    { placeholder: '<path>' },
  ),
  webUserAssets: textFlag('web.user-assets', '', 'Folder of static files, available under /user.', {
    ...PENDING,
    placeholder: '<path>',
  }),
  webEnableLifecycle: switchFlag('web.enable-lifecycle', false, 'Allow shutdown and reload by HTTP request.'),
  webEnableAdminApi: switchFlag('web.enable-admin-api', false, 'Allow administration of the storage by HTTP request.'),
  webEnableRemoteWriteReceiver: switchFlag(
    'web.enable-remote-write-receiver',
    false,
    'Accept samples by remote write at /api/v1/write.',
  ),
  webEnableOtlpReceiver: switchFlag('web.enable-otlp-receiver', false, 'Accept metrics by OTLP.'),
  webRemoteWriteMessages: listFlag(
    'web.remote-write-receiver.accepted-protobuf-messages',
    WRITE_MESSAGES,
    `Remote write messages to accept: ${WRITE_MESSAGES.join(', ')}.`,
    (text) => {
      if (WRITE_MESSAGES.includes(text)) return [text];
      throw new FlagError(`unknown remote write protobuf message ${text}, supported: ${WRITE_MESSAGES.join(', ')}`);
    },
  ),
  webConsoleTemplates: textFlag('web.console.templates', 'consoles', 'Folder of console templates.'),
  webConsoleLibraries: textFlag('web.console.libraries', 'console_libraries', 'Folder of console libraries.'),
  webPageTitle: textFlag('web.page-title', 'Narthex', 'Title of the pages.', PENDING),
  webCorsOrigin: valueFlag<Pattern | undefined>(
    'web.cors.origin',
    undefined,
    'Origins that may read answers: a regular expression, matched against all of the origin. None where it is empty.',
    (text) => (text === '' ? undefined : patternOf(text)),
    (pattern) => pattern?.source ?? '',
  ),

  // ---- Storage
  storagePath: textFlag('storage.tsdb.path', 'data/', 'Data directory.'),
  storagePoliciesFile: textFlag(
    'storage.policies-file',
    '',
    'File that says which series are kept how long, and how finely. Read again with the configuration.',
    { placeholder: '<file>' },
  ),
  storageRetentionMs: durationFlag(
    'storage.tsdb.retention.time',
    '0s',
    'How long to keep samples. Where neither this nor a size is set, 15d.',
    { placeholder: '<duration>' },
  ),
  storageRetentionBytes: bytesFlag(
    'storage.tsdb.retention.size',
    0,
    'How many bytes of blocks to keep, with a unit: 512MB. Powers of 1024.',
  ),
  storageNoLockfile: switchFlag('storage.tsdb.no-lockfile', false, 'Create no lock file in the data directory.'),
  storageHeadChunksQueue: countFlag(
    'storage.tsdb.head-chunks-write-queue-size',
    0,
    'Length of the queue for head chunks.',
    0,
    IGNORED,
  ),
  storageDelayCompactFile: textFlag(
    'storage.tsdb.delay-compact-file.path',
    '',
    'File that holds back compaction while it is there.',
    { placeholder: '<path>', ignored: true },
  ),
  storageMinBlockMs: durationFlag('storage.tsdb.min-block-duration', '2h', 'Span of the smallest blocks.', TESTING),
  storageMaxBlockMs: durationFlag('storage.tsdb.max-block-duration', '0s', 'Span of the largest blocks.', TESTING),
  storageMaxChunkFileBytes: bytesFlag('storage.tsdb.max-block-chunk-segment-size', 0, 'Size of chunk files.', HIDDEN),
  storageWalSegmentBytes: valueFlag(
    'storage.tsdb.wal-segment-size',
    128 * MIB,
    'Size of log segments.',
    segmentBytesOf,
    formatBytes,
    { placeholder: '<size>', ...TESTING },
  ),
  storageWalCompression: switchFlag('storage.tsdb.wal-compression', true, 'Compress the log.', HIDDEN),
  storageWalCompressionType: wordFlag(
    'storage.tsdb.wal-compression-type',
    ['snappy', 'zstd'],
    'snappy',
    'How to compress the log.',
    undefined,
    HIDDEN,
  ),
  storageSamplesPerChunk: countFlag('storage.tsdb.samples-per-chunk', 120, 'Samples in a chunk.', 1, HIDDEN),
  storageAllowOverlapping: switchFlag(
    'storage.tsdb.allow-overlapping-compaction',
    true,
    'Merge blocks that overlap.',
    HIDDEN,
  ),
  storageDelayedCompactionPercent: countFlag(
    'storage.tsdb.delayed-compaction.max-percent',
    10,
    'How far compactions are spread, in percent of the block span.',
    0,
    HIDDEN,
  ),
  storageBlockReloadMs: durationFlag(
    'storage.tsdb.block-reload-interval',
    '1m',
    'How often to look for blocks.',
    TESTING,
  ),

  // ---- Remote storage
  remoteFlushDeadlineMs: durationFlag(
    'storage.remote.flush-deadline',
    '1m',
    'How long to wait for remote writes at shutdown or reload.',
    PENDING,
  ),
  remoteReadSampleLimit: countFlag(
    'storage.remote.read-sample-limit',
    50_000_000,
    'Samples in one answer of remote read; 0 is no limit.',
    0,
  ),
  remoteReadConcurrentLimit: countFlag(
    'storage.remote.read-concurrent-limit',
    10,
    'Remote reads at a time; 0 is no limit.',
    0,
  ),
  remoteReadFrameBytes: countFlag(
    'storage.remote.read-max-bytes-in-frame',
    1_048_576,
    'Bytes in one frame of a streamed remote read.',
    1,
  ),

  // ---- Rules and alerts
  rulesForOutageToleranceMs: durationFlag(
    'rules.alert.for-outage-tolerance',
    '1h',
    'Longest outage after which the "for" state of alerts is restored.',
  ),
  rulesForGracePeriodMs: durationFlag(
    'rules.alert.for-grace-period',
    '10m',
    'Least time between an alert and its restored "for" state.',
  ),
  rulesResendDelayMs: durationFlag(
    'rules.alert.resend-delay',
    '1m',
    'Least time before an alert is sent to Alertmanager again.',
  ),
  rulesMaxConcurrentEvals: countFlag(
    'rules.max-concurrent-evals',
    4,
    'Accepted without effect: rules of a group that do not depend on each other are always evaluated together.',
    1,
  ),
  alertQueueCapacity: countFlag(
    'alertmanager.notification-queue-capacity',
    10_000,
    'Alerts that may wait to be sent.',
    1,
  ),
  alertBatchSize: countFlag('alertmanager.notification-batch-size', 256, 'Alerts in one request.', 1),
  alertDrainOnShutdown: switchFlag(
    'alertmanager.drain-notification-queue-on-shutdown',
    true,
    'Send waiting alerts before shutting down.',
  ),

  // ---- Queries
  queryLookbackDeltaMs: durationFlag(
    'query.lookback-delta',
    '5m',
    'How far back a query or federation looks for the last sample.',
  ),
  queryTimeoutMs: durationFlag('query.timeout', '2m', 'How long a query may take.'),
  queryMaxConcurrency: countFlag('query.max-concurrency', 20, 'Queries at a time.', 1),
  queryMaxSamples: countFlag(
    'query.max-samples',
    50_000_000,
    'Samples a query may load at a time, and so how many it may return.',
    1,
  ),

  // ---- Scraping
  scrapeAdjustTimestamps: switchFlag(
    'scrape.adjust-timestamps',
    true,
    'Move the times of scrapes that are a little off onto the interval, which compresses better.',
    { hidden: true },
  ),
  scrapeTimestampToleranceMs: durationFlag('scrape.timestamp-tolerance', '2ms', 'How much is a little off.', {
    hidden: true,
  }),
  scrapeDiscoveryReloadMs: durationFlag(
    'scrape.discovery-reload-interval',
    '5s',
    'How often changed targets are taken over.',
    { hidden: true },
  ),

  // ---- The process
  enableFeature: listFlag('enable-feature', [], 'Features to turn on, separated by commas.', (text) =>
    text.split(',').filter((feature) => feature !== ''),
  ),
  agent: switchFlag('agent', false, 'Scrape and forward only. Not available yet.'),
  logLevel: wordFlag(
    'log.level',
    ['debug', 'info', 'warn', 'error'],
    'info',
    'Least severity of log lines. One of: debug, info, warn, error.',
    (text) => `unrecognized log level ${text}`,
  ),
  logFormat: wordFlag(
    'log.format',
    ['logfmt', 'json'],
    'logfmt',
    'Form of log lines. One of: logfmt, json.',
    (text) => `unrecognized log format ${text}`,
  ),
  autoGomaxprocs: switchFlag('auto-gomaxprocs', true, 'Use as many cores as the container has.', IGNORED),
  autoGomemlimit: switchFlag('auto-gomemlimit', true, 'Keep to the memory the container has.', IGNORED),
  autoGomemlimitRatio: valueFlag(
    'auto-gomemlimit.ratio',
    0.9,
    'Share of the memory to keep to; see --storage.memory-limit.',
    shareOf,
    String,
    IGNORED,
  ),

  // ---- Ours
  shards: countFlag(
    'shards',
    0,
    'Threads that hold series; 0 for one a core, or a single one where there are two cores or fewer.',
    0,
  ),
  storageMemoryLimit: valueFlag<MemoryLimit>(
    'storage.memory-limit',
    { kind: 'share', share: 0.6 },
    'Memory for series, queries and caches: bytes with a unit, or a share of what the machine or its cgroup has. Near it, new series are refused.',
    memoryLimitOf,
    (limit) => (limit.kind === 'bytes' ? formatBytes(limit.bytes) : `${+(limit.share * 100).toFixed(6)}%`),
  ),
  storageChunkCache: bytesFlag(
    'storage.chunk-cache',
    64 * 2 ** 20,
    'Memory for chunks that queries read from files, kept for the next queries; 0B keeps none.',
  ),
  storageWalSync: valueFlag<WalSync>(
    'storage.wal-sync',
    { kind: 'group' },
    'When the log is forced to disk: "group", before each remote write is answered; "interval:<duration>"; or "never".',
    walSyncOf,
    (sync) => (sync.kind === 'interval' ? `interval:${formatDuration(sync.intervalMs)}` : sync.kind),
  ),
  querySlowThresholdMs: durationFlag(
    'query.slow-threshold',
    '10s',
    'Queries that take this long are logged, with what they took; 0s logs none.',
  ),
  queryWorkers: countFlag(
    'query.workers',
    1,
    'Large queries that are finished at a time, each in a thread; with 0 the main thread does it.',
    0,
  ),
  queryMaxMemory: bytesFlag(
    'query.max-memory',
    256 * 2 ** 20,
    'Memory that a query may take for its columns and its result.',
  ),
  queryReaders: countFlag(
    'query.readers',
    -1,
    'Threads that help each shard with queries over many samples; -1 for as many as there are cores left for them.',
    -1,
  ),
  webHttpEngine: wordFlag(
    'web.http-engine',
    ['auto', 'uws', 'node'],
    'auto',
    'HTTP server: "uws" is fast and native, "node" runs everywhere, "auto" takes the first that loads.',
  ),
} as const;

export type Flags = ValuesOf<typeof TABLE>;

/** What a command line asks for. */
export type Invocation =
  | {
      readonly kind: 'run';
      readonly flags: Flags;
      /** Given flags that have no effect here, for a log line. */
      readonly ignored: readonly string[];
    }
  /** Print to standard output, and exit well. */
  | { readonly kind: 'print'; readonly text: string }
  /** Print to standard error, and exit with 1. */
  | { readonly kind: 'refuse'; readonly text: string };

/** Reads the server's command line, without node and the file in front. */
export function parseFlags(line: readonly string[], version: string): Invocation {
  if (line.some((word) => word === '--help' || word === '-h')) return { kind: 'print', text: helpText() };
  if (line.includes('--version')) return { kind: 'print', text: versionText(version) };
  try {
    const { values, given } = readFlags(TABLE, line);
    if (values.agent) throw new FlagError('agent mode is not available yet');
    if (values.shards > SHARDS_MAX)
      throw new FlagError(`must be at most ${SHARDS_MAX}: ${values.shards} (in --shards)`);
    if (values.queryReaders > READERS_MAX)
      throw new FlagError(`must be at most ${READERS_MAX}: ${values.queryReaders} (in --query.readers)`);
    const withoutEffect = Object.values<Flag<unknown>>(TABLE).filter(
      (flag) => (flag.ignored || flag.pending) && given.has(flag.name),
    );
    return { kind: 'run', flags: values, ignored: withoutEffect.map(({ name }) => `--${name}`) };
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    return { kind: 'refuse', text: `Error parsing command line arguments: ${error.message}\n` };
  }
}

/** The defaults, as an empty command line has them. */
export function defaultFlags(): Flags {
  return readFlags(TABLE, []).values;
}

/** Names and values for /api/v1/status/flags. */
export function flagList(flags: Flags): Map<string, string> {
  return listFlags(TABLE, flags);
}

function helpText(): string {
  return `usage: narthex [<flags>]
       narthex <command> [<flags>] [<args> ...]      the tool: see narthex help

A Prometheus-compatible monitoring server.

Flags:
  -h, --help                     Show this text.
      --version                  Show the version.
${helpOf(TABLE)}`;
}

function versionText(version: string): string {
  return `narthex, version ${version}\n  node version:     ${process.version}\n  platform:         ${process.platform}/${process.arch}\n`;
}

function bytesFlag(name: string, fallback: number, help: string, extras = {}): Flag<number> {
  return valueFlag(name, fallback, help, bytesOf, formatBytes, { placeholder: '<size>', ...extras });
}

function bytesOf(text: string): number {
  try {
    return parseBytes(text);
  } catch (error) {
    if (error instanceof ConfigError) throw new FlagError(error.message);
    throw error;
  }
}

function segmentBytesOf(text: string): number {
  const bytes = bytesOf(text);
  if (bytes < SEGMENT_BYTES_MIN || bytes > SEGMENT_BYTES_MAX) throw new FlagError('must be set between 10MB and 256MB');
  return bytes;
}

function shareOf(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share > 0 && share <= 1)) {
    throw new FlagError(`must be greater than 0 and less than or equal to 1: ${text}`);
  }
  return share;
}

function memoryLimitOf(text: string): MemoryLimit {
  if (!text.endsWith('%')) {
    const bytes = bytesOf(text);
    if (bytes <= 0) throw new FlagError(`memory limit must be above 0: ${text}`);
    return { kind: 'bytes', bytes };
  }
  const percent = /^\d+(?:\.\d+)?%$/.test(text) ? Number(text.slice(0, -1)) : Number.NaN;
  if (!(percent > 0 && percent <= 100)) throw new FlagError(`memory limit must be in (0%, 100%]: ${text}`);
  return { kind: 'share', share: percent / 100 };
}

function walSyncOf(text: string): WalSync {
  if (text === 'group' || text === 'never') return { kind: text };
  if (!text.startsWith('interval:')) {
    throw new FlagError(`must be group, interval:<duration> or never, got ${JSON.stringify(text)}`);
  }
  const intervalMs = durationOf(text.slice('interval:'.length));
  if (intervalMs === 0) throw new FlagError('the interval must be above 0');
  return { kind: 'interval', intervalMs };
}

function patternOf(text: string): Pattern {
  try {
    return new Pattern(text);
  } catch (error) {
    if (error instanceof PatternError) throw new FlagError(error.message);
    throw error;
  }
}

/** `host:port`, `[v6]:port` or `:port`. */
function listenAddress(text: string): readonly string[] {
  const match = /^(?:\[[^\]]*\]|[^:[\]]*):(\d+)$/.exec(text);
  if (match === null) throw new FlagError(`address ${text}: missing port in address`);
  if (Number(match[1]) > 65_535) throw new FlagError(`address ${text}: invalid port`);
  return [text];
}

function externalUrl(text: string): string {
  if (text === '') return text;
  const isUrl = /^https?:\/\/[^/?#]+/.test(text) && URL.canParse(text);
  if (!isUrl) throw new FlagError(`parse external URL ${JSON.stringify(text)}: not an http or https URL`);
  return text;
}
