// What the web needs of the server: the whole of it, as interfaces.
//
// Handlers know nothing else. The composition root fills these in; tests fill them
// with fakes. Times are milliseconds since the epoch; label sets are as in
// model/labels.ts.

import type { Clock } from '../base/clock.js';
import type { Ending } from '../base/ending.js';
import type { Exemplar } from '../model/exemplar.js';
import type { Labels } from '../model/labels.js';
import type { Matcher } from '../model/matcher.js';
import type { NameScheme } from '../model/names.js';
import type { RenderedRows, Steps } from '../promql/exec/source.js';
import type { ParseOptions } from '../promql/syntax/parse.js';
import type { Explanation } from '../query/explain.js';
import type * as query from '../query/result.js';
import type { QueryStats } from '../query/result.js';
import type { ActiveQuery } from '../query/running.js';
import type { RelabelRule } from '../relabel/rule.js';
import type { Logger } from '../telemetry/log.js';
import type { MetricFamily, Registry } from '../telemetry/metrics.js';
import type { BodySink } from './door.js';
import type { EscapingScheme } from './negotiate.js';

export type { QueryData, QueryStats } from '../query/result.js';
export type { ActiveQuery } from '../query/running.js';

export interface WebDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the web counts its own requests. */
  readonly metrics: Registry;
  readonly query: QueryEngine;
  /** What of PromQL is allowed, where only the text of a query matters. */
  readonly language: ParseOptions;
  readonly storage: Storage;
  readonly targets: Targets;
  readonly rules: Rules;
  readonly status: Status;
  /** URLs that alerts are posted to, and those that relabelling dropped. */
  alertmanagers(): Alertmanagers;
  readonly notifications: Notifications;
  /** Whether names and values can be searched. */
  readonly searchEnabled: boolean;
  readonly consoles: Consoles;
  /** undefined where the receiver is not enabled. */
  readonly remoteWrite?: RemoteWrite;
  /** The same of OTLP. */
  readonly otlp?: OtlpReceiver;
  /** Calls `answer` with what a remote read is answered, which ends with it; rejects with a reason to tell. Borrows the body. */
  remoteRead(body: Uint8Array, gone: Ending, answer: (answer: ReadAnswer) => Promise<void>): Promise<void>;
  /** undefined where the lifecycle API is not enabled. */
  readonly lifecycle?: Lifecycle;
  /** undefined where the admin API is not enabled. */
  readonly admin?: Admin;
  /** Whether queries and writes can be served, or what is in their way. */
  readiness(): 'ready' | 'starting' | 'stopping';
  /** The page of our own metrics, text format 0.0.4. */
  metricsPage(): Uint8Array | Promise<Uint8Array>;
  /** The same as data. */
  selfMetrics(): Promise<readonly MetricFamily[]>;
}

export type ReadAnswer =
  /** A prometheus.ReadResponse as a block of Snappy. */
  | { readonly form: 'samples'; readonly body: Uint8Array }
  /** Frames with messages of prometheus.ChunkedReadResponse, some in each piece. */
  | { readonly form: 'chunks'; readonly frames: AsyncIterable<Uint8Array> };

/** What a query asked for beside its text. */
export interface QueryOptions {
  /** The engine's own default where missing. */
  readonly timeoutMs?: number;
  readonly lookbackMs?: number;
  /** The answer goes out as JSON: rows may come as its text. */
  readonly rendered?: boolean;
  /** Of a range query: the end that was asked for, which may be later than the last step. */
  readonly endMs?: number;
  /** Aborts when the client is gone. */
  readonly signal: Ending;
  /** Whether samples are counted, for statistics. */
  readonly counted?: boolean;
  /** The address of who asks. */
  readonly client?: () => string;
}

/** What a query answers; its statistics only where they were kept. */
export type QueryAnswer = Omit<query.QueryAnswer, 'stats'> & { readonly stats?: QueryStats };

/** Rejects with a QueryError of promql/exec, or with a ParseError of promql/syntax where the text is at fault. */
export interface QueryEngine {
  instant(text: string, timeMs: number, options: QueryOptions): Promise<QueryAnswer>;
  range(text: string, steps: Steps, options: QueryOptions): Promise<QueryAnswer>;
  /** With `analyze` the query is run. */
  explain(
    text: string,
    steps: Steps,
    ranged: boolean,
    options: QueryOptions & { readonly analyze: boolean },
  ): Promise<Explanation>;
  /** Queries that wait or run, oldest first. */
  active(): readonly ActiveQuery[];
  /** False where there is no such query any more. */
  cancel(id: number): boolean;
}

/** Which series a question about labels means: those that any of the selectors takes (all, without any) in the range. */
export interface LabelQuery {
  readonly selectors: readonly (readonly Matcher[])[];
  readonly startMs: number;
  readonly endMs: number;
  /** At most this many answers are of use; 0 is no limit. More do no harm. */
  readonly limit: number;
  /** Aborts when the client is gone. */
  readonly signal: Ending;
}

export interface Found<T> {
  readonly values: T;
  readonly warnings: readonly string[];
}

export interface FederateQuery {
  readonly selectors: readonly (readonly Matcher[])[];
  /** Evaluated here, with the name that their results get; empty leaves them theirs. */
  readonly expressions: readonly { readonly name: string; readonly text: string }[];
  readonly nowMs: number;
  readonly format: 'text' | 'protobuf';
  readonly escaping: EscapingScheme;
  readonly signal: AbortSignal;
}

export interface ExemplarSeries {
  readonly labels: Labels;
  /** Oldest first. */
  readonly exemplars: readonly Exemplar[];
}

export interface Storage {
  /** Sorted. */
  labelNames(query: LabelQuery): Promise<Found<readonly string[]>>;
  /** Sorted. */
  labelValues(name: string, query: LabelQuery): Promise<Found<readonly string[]>>;
  /** Label sets without duplicates, as JSON objects, sorted. */
  series(query: LabelQuery): Promise<{ readonly rows: RenderedRows; readonly warnings: readonly string[] }>;
  /** Series with exemplars in the range, sorted by labels. */
  exemplars(query: Omit<LabelQuery, 'limit'>): Promise<readonly ExemplarSeries[]>;
  /** An exposition, external labels added, in pieces; not asked for the next one before the client has taken some. */
  federate(query: FederateQuery): AsyncIterable<Uint8Array>;
  /** What blocks are served, as their `meta.json` says, oldest first. */
  blocks(): readonly string[];
  /** Counts for the status page; each list has at most `limit` entries, largest first. */
  stats(limit: number): Promise<StorageStats>;
}

/** Something that whoever looks after this server should know. */
export interface Notification {
  readonly text: string;
  readonly sinceMs: number;
  /** False tells that it is over. */
  readonly active: boolean;
}

export interface NotificationListener {
  tell(notification: Notification): void;
  /** Nothing will be told any more. */
  close(): void;
}

export interface Notifications {
  /** Oldest first. */
  active(): readonly Notification[];
  /** Tells of changes until what it gives is called; undefined where too many listen. */
  subscribe(listener: NotificationListener): (() => void) | undefined;
}

export interface NamedCount {
  readonly name: string;
  readonly value: number;
}

export interface StorageStats {
  readonly series: number;
  readonly labelPairs: number;
  readonly chunks: number;
  /** Undefined where the head is empty. */
  readonly minTimeMs: number | undefined;
  readonly maxTimeMs: number | undefined;
  readonly seriesByMetricName: readonly NamedCount[];
  readonly valuesByLabelName: readonly NamedCount[];
  readonly bytesByLabelName: readonly NamedCount[];
  readonly seriesByLabelPair: readonly NamedCount[];
}

export interface ActiveTarget {
  readonly discovered: Labels;
  readonly labels: Labels;
  readonly pool: string;
  readonly url: string;
  /** The URL with a host that others can reach in place of loopback. */
  readonly globalUrl: string;
  readonly lastError: string;
  /** undefined before the first scrape. */
  readonly lastScrapeMs?: number;
  readonly lastScrapeSeconds: number;
  readonly health: 'up' | 'down' | 'unknown';
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export interface DroppedTarget {
  readonly discovered: Labels;
  readonly pool: string;
}

export interface MetricMetadata {
  readonly metric: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export interface Targets {
  /** By pool, then as discovered. */
  active(): Iterable<ActiveTarget>;
  dropped(): Iterable<DroppedTarget>;
  /** How many are dropped by pool: more than `dropped` keeps. */
  droppedCounts(): ReadonlyMap<string, number>;
  /** Names of all pools, those without targets too. */
  pools(): readonly string[];
  /** How a pool comes to its targets; undefined where there is no such pool. */
  configOf(pool: string): PoolConfig | undefined;
  /** What targets say of their metrics; the same from several targets may come several times. */
  metadata(metric?: string): Promise<readonly MetricMetadata[]>;
  /** The same by target, of active ones, in the order of active(). */
  metadataByTarget(metric?: string): Promise<readonly TargetMetadata[]>;
}

export interface PoolConfig {
  /** Its section of the configuration, without secrets. */
  readonly yaml: string;
  readonly relabelRules: readonly RelabelRule[];
  readonly nameScheme: NameScheme;
}

export interface TargetMetadata {
  readonly labels: Labels;
  readonly metadata: readonly MetricMetadata[];
}

export interface Rules {
  /** By file, then by name. */
  groups(): readonly RuleGroupStatus[];
  /** What the rules of a file would have done. Rejects with a ConfigError where the file is wrong. */
  dryRun(request: DryRunRequest): Promise<readonly DryRunGroup[]>;
}

export interface DryRunRequest {
  /** Of the rule file. */
  readonly text: string;
  /** Its path: the moments of evaluations depend on it. */
  readonly file: string;
  /** Both ends included. */
  readonly startMs: number;
  readonly endMs: number;
  readonly signal: Ending;
}

export interface DryRunGroup {
  readonly name: string;
  readonly intervalMs: number;
  readonly evaluations: number;
  readonly rules: readonly DryRunRule[];
}

export interface DryRunRule {
  readonly name: string;
  readonly expr: string;
  readonly type: 'recording' | 'alerting';
  readonly samples: number;
  readonly failures: number;
  /** The last one; empty where there was none. */
  readonly error: string;
  readonly alerts: readonly DryRunAlert[];
}

/** An alert from its beginning to its end. */
export interface DryRunAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly value: number;
  readonly activeAtMs: number;
  /** undefined where it did not. */
  readonly firedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
}

export interface RuleGroupStatus {
  readonly name: string;
  readonly file: string;
  readonly intervalMs: number;
  readonly limit: number;
  readonly rules: readonly RuleStatus[];
  /** Of the last evaluation; when it began, undefined where there was none. */
  readonly seconds: number;
  readonly evaluatedMs: number | undefined;
}

export interface RuleStatus {
  readonly name: string;
  readonly expr: string;
  readonly labels: Labels;
  /** Of an alerting rule only. */
  readonly alerting: AlertingStatus | undefined;
  readonly health: 'unknown' | 'ok' | 'err';
  /** Empty where there was none. */
  readonly lastError: string;
  readonly seconds: number;
  readonly evaluatedMs: number | undefined;
}

export interface AlertingStatus {
  readonly state: 'unknown' | 'inactive' | 'pending' | 'firing';
  readonly annotations: Labels;
  readonly holdMs: number;
  readonly keepFiringMs: number;
  /** Those that are pending or firing. */
  alerts(): readonly AlertStatus[];
}

export interface AlertStatus {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly value: number;
  readonly activeAtMs: number;
  /** undefined where its condition holds. */
  readonly keepFiringSinceMs: number | undefined;
}

export interface Alertmanagers {
  readonly active: readonly string[];
  readonly dropped: readonly string[];
}

export type ConsolePage =
  | { readonly kind: 'page'; readonly html: string }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'missing' };

/** Pages that an operator wrote as templates. */
export interface Consoles {
  /** `path` is below /consoles, `params` those of the URL. */
  page(path: string, params: readonly (readonly [name: string, value: string])[], signal: Ending): Promise<ConsolePage>;
}

/** Which build this is. */
export interface BuildInfo {
  readonly version: string;
  readonly revision: string;
  readonly branch: string;
  readonly buildUser: string;
  readonly buildDate: string;
  /** Of the runtime; Prometheus's name of the field stays. */
  readonly goVersion: string;
}

export interface RuntimeInfo {
  readonly startTimeMs: number;
  readonly workingFolder: string;
  readonly hostname: string;
  readonly reloadConfigSuccess: boolean;
  readonly lastConfigTimeMs: number;
  readonly corruptionCount: number;
  /** Threads, in place of goroutines. */
  readonly threads: number;
  readonly processors: number;
  readonly memoryLimitBytes: number;
  readonly storageRetention: string;
}

export interface WalReplay {
  readonly min: number;
  readonly max: number;
  readonly current: number;
}

/** Something that the last start could not read. */
export interface Loss {
  readonly what: string;
  readonly path: string;
  readonly offset?: number;
  readonly bytes?: number;
  readonly reason: string;
  /** What became of it. */
  readonly outcome: string;
  /** Times of what is written around it. */
  readonly minTimeMs?: number;
  readonly maxTimeMs?: number;
}

export interface Recovery {
  readonly startMs: number;
  /** Absent while it goes on. */
  readonly endMs?: number;
  /** What was read, by name. */
  readonly figures: object;
  readonly losses: readonly Loss[];
  /** Records that were passed over, and why. */
  readonly malformed: readonly string[];
}

export interface Status {
  readonly build: BuildInfo;
  runtime(): RuntimeInfo;
  /** By flag name, as the command line has them. */
  flags(): ReadonlyMap<string, string>;
  /** What this server can do by area and name, and whether it is on. */
  features(): ReadonlyMap<string, ReadonlyMap<string, boolean>>;
  /** The configuration in use, without secrets. */
  configYaml(): string;
  walReplay(): WalReplay;
  recovery(): Recovery;
}

/** What of a remote write is stored: new, or there before. */
export interface Written {
  readonly samples: number;
  readonly histograms: number;
  readonly exemplars: number;
}

export type WriteOutcome = { readonly written?: Written } & WriteVerdict;

export type WriteVerdict =
  /** On the disk. */
  | { readonly kind: 'stored' }
  /** The client's fault; sending it again is of no use. Valid series of the body may have been stored. */
  | { readonly kind: 'bad'; readonly message: string }
  /** No room now; the same later may be stored. */
  | { readonly kind: 'busy'; readonly message: string; readonly retryAfterSeconds: number }
  | { readonly kind: 'failed'; readonly message: string };

/** One body of a remote write, from the moment it has somewhere to go. Ends with `store` or `drop`, one of them, once. */
export interface WriteSlot extends BodySink {
  /** Takes the first `bytes` bytes of what was lent: a snappy block with a request of that version in it. */
  store(bytes: number, version: 1 | 2): Promise<WriteOutcome>;
  /** The body did not come whole. */
  drop(): void;
}

export interface RemoteWrite {
  /** Names of the messages that are accepted. */
  readonly messages: readonly string[];
  /** Most bytes of one compressed body. */
  readonly bodyBytesMax: number;
  open(): WriteSlot;
}

/** How the body of an export is coded. */
export interface OtlpCoding {
  readonly coding: 'protobuf' | 'json';
  readonly gzip: boolean;
}

/** As WriteSlot, for an export. */
export interface OtlpSlot extends BodySink {
  store(bytes: number): Promise<WriteOutcome>;
  drop(): void;
}

/** Takes metrics as OpenTelemetry exports them. */
export interface OtlpReceiver {
  /** Most bytes of one body, as it comes. */
  readonly bodyBytesMax: number;
  open(coding: OtlpCoding): OtlpSlot;
}

export interface Lifecycle {
  /** Rejects with the reason, which the client is shown. */
  reload(): Promise<void>;
  /** Begins the end of the process; returns at once. */
  quit(): void;
}

/** What one policy would free of the blocks there are: bytes of chunks and aggregates. */
export interface PolicyPreview {
  readonly name: string;
  readonly blocks: number;
  readonly series: number;
  readonly samples: number;
  readonly samplesLeft: number;
  readonly bytes: number;
  readonly bytesLeft: number;
}

/** What came of an import. */
export interface Imported {
  readonly samples: number;
  readonly blocks: readonly {
    readonly ulid: string;
    readonly minTime: number;
    readonly maxTime: number;
    readonly series: number;
    readonly samples: number;
  }[];
  /** Samples that were left out, as another had their time, and the first of them. */
  readonly conflicts: number;
  readonly example: string;
}

/** What recording rules gave for a time that is past. */
export interface Backfilled {
  readonly samples: number;
  /** Native histograms that were left out. */
  readonly histograms: number;
  /** Evaluations that failed. */
  readonly failures: number;
}

/** What changes the storage itself. */
export interface Admin {
  /** Evaluates the rules in force for a time, both ends included, and stores what recording rules give. */
  backfillRules(startMs: number, endMs: number, signal: Ending): Promise<Backfilled>;
  /** Deletes the samples of series that a selector takes, both ends of the range included. Resolves when that is on the disk. */
  deleteSeries(selectors: readonly (readonly Matcher[])[], startMs: number, endMs: number): Promise<void>;
  /** Makes blocks anew without what is deleted of them. Resolves when that is done. */
  cleanTombstones(): Promise<void>;
  /** Makes a snapshot, of the blocks alone with `skipHead`; gives its name. */
  snapshot(skipHead: boolean): Promise<string>;
  /** Names, oldest first. */
  snapshots(): Promise<readonly string[]>;
  /** False where there is no such snapshot. */
  removeSnapshot(name: string): Promise<boolean>;
  /** What a file of policies would free; what those in force would, where the text is empty. Rejects with what is wrong with the text. */
  previewPolicies(text: string): Promise<readonly PolicyPreview[]>;
  /** Makes blocks of old samples, of all or of none; takes the body. Resolves when queries see them. */
  importSamples(kind: 'openmetrics' | 'remote-write', body: ArrayBuffer): Promise<Imported>;
}
