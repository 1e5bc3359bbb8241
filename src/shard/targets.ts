// The scrape side of a shard: targets with their line caches, bodies to samples.
//
// The synthetic series of a scrape (up and the like) are written as a little exposition
// of their own and parsed with a cache of their own, so they take the same path, end with
// stale markers the same way, and are part of the same append.

import { GzipError } from '../base/gzip.js';
import type { MetricMetadata } from '../model/family.js';
import type { Labels } from '../model/labels.js';
import { keyOf, pairsOf } from '../model/labels.js';
import { isLabelName, isMetricName } from '../model/names.js';
import { formatGeneral } from '../model/number.js';
import { quote } from '../model/quote.js';
import { relabel } from '../relabel/relabel.js';
import { type RelabelRule, relabelRule } from '../relabel/rule.js';
import { packLabels } from '../tsdb/wal/exemplar-record.js';
import type { Body, BodyFormat, ExemplarLine, Exposition, LineCache, MetadataLine } from '../wasm/exposition.js';
import { type Head, NO_SERIES } from '../wasm/head.js';
import { LabelError } from '../wasm/label-scratch.js';
import type { AppendScope, OpenScope } from './append.js';
import { type ClassicHistogram, ClassicText } from './classic-text.js';
import type { ShardExemplars } from './exemplars.js';
import type { Families } from './families.js';
import { type MetadataSize, MetadataStore } from './metadata.js';
import type {
  AdoptedStrangers,
  AppendedSeries,
  BodyRefusal,
  Outgoing,
  Reply,
  Request,
  ScrapedBody,
  ScrapeReply,
  SeriesElsewhere,
  Strangers,
  TargetConfig,
} from './protocol.js';
import { ScrapedExemplars } from './scraped-exemplars.js';
import {
  type FoundHistogram,
  messageHistograms,
  type ScrapedExtra,
  ScrapedHistograms,
  type TakenHistograms,
} from './scraped-histograms.js';
import { WireError } from './wire.js';

interface Target {
  readonly config: TargetConfig;
  readonly rules: readonly RelabelRule[];
  readonly lines: LineCache;
  readonly synthetic: LineCache;
  /** The synthetic series of the last scrape, as text: parsed again when other shards have made some of them. */
  reportText: Uint8Array;
  /** Stale markers of what the last body lacked wait for complete(). */
  vanishedLater: boolean;
  readonly exemplars: ScrapedExemplars;
  readonly histograms: ScrapedHistograms;
  readonly classic: ClassicText;
}

/** A body as it is parsed, with what was taken out of it before. */
interface Page {
  readonly format: BodyFormat;
  readonly body: Body;
  readonly classic: readonly ClassicHistogram[];
  /** Series whose exemplars are among those of the histograms. */
  readonly bare: ReadonlySet<string>;
}

/** What this shard knows of itself and its neighbours. */
export interface ShardPlace {
  readonly index: number;
  readonly count: number;
}

/** A body was refused: nothing of it is kept, the target is down. */
class BodyRefused extends Error {
  override readonly name = 'BodyRefused';
  constructor(
    readonly refusal: BodyRefusal,
    readonly counted: Counted,
  ) {
    super(refusal.message);
  }
}

function refused(reason: BodyRefusal['reason'], message: string, counted = NOTHING_COUNTED): BodyRefused {
  return new BodyRefused({ reason, message }, counted);
}

interface Counted {
  readonly scraped: number;
  readonly postRelabel: number;
  readonly added: number;
}

/** What the synthetic series say. */
interface Report {
  readonly up: boolean;
  readonly durationS: number;
  /** Of the body, inflated; OVER_LIMIT where it was too long, 0 where none came. */
  readonly bodySize: number;
  readonly counted: Counted;
}

const NO_TEXTS: ReadonlySet<string> = new Set();

const OVER_LIMIT = -1;

const NOTHING_COUNTED: Counted = { scraped: 0, postRelabel: 0, added: 0 };

/** What a compressed body may become where its job sets no limit: bodies are to fit into memory set aside for them. */
const INFLATED_BYTES_MAX = 64 * 1024 * 1024;

const SYNTHETIC_OPTIONS = { honorTimestamps: false, trackTimestampsStaleness: false };

export class ShardTargets {
  readonly #exposition: Exposition;
  readonly #head: Head;
  readonly #scope: OpenScope;
  readonly #place: ShardPlace;
  readonly #targets = new Map<number, Target>();
  /** Open targets by job. */
  readonly #jobs = new Map<string, number>();
  readonly metadata = new MetadataStore();
  readonly #exemplars: ShardExemplars;
  /** Where all shards learn what targets say. */
  readonly #families: Families | undefined;
  /** What the scrape under way says anew. */
  #news: MetricMetadata[] = [];
  #newSize: MetadataSize | undefined;

  constructor(
    exposition: Exposition,
    head: Head,
    scope: OpenScope,
    place: ShardPlace,
    exemplars: ShardExemplars,
    families: Families | undefined,
  ) {
    this.#exemplars = exemplars;
    this.#families = families;
    this.#exposition = exposition;
    this.#head = head;
    this.#scope = scope;
    this.#place = place;
  }

  /** Jobs with open targets. */
  get jobCount(): number {
    return this.#jobs.size;
  }

  open(config: TargetConfig): void {
    if (this.#targets.has(config.target)) throw new Error(`target ${config.target} is open already`);
    const lines = this.#exposition.open();
    const synthetic = this.#exposition.open();
    this.#exposition.setTarget(lines, config.labels, config.honorLabels);
    this.#exposition.setTarget(synthetic, config.labels, false);
    const rules = config.metricRelabel.map(relabelRule);
    this.#countJob(config.job, 1);
    this.#targets.set(config.target, {
      config,
      rules,
      lines,
      synthetic,
      reportText: new Uint8Array(0),
      vanishedLater: false,
      exemplars: new ScrapedExemplars(),
      histograms: new ScrapedHistograms(),
      classic: new ClassicText(),
    });
  }

  scrape(request: Request<'scrape'>): ScrapeReply {
    const target = this.#get(request.target);
    const { timeMs, durationS } = request.report;
    const scope = this.#scope(request);
    const strangers = new StrangerList();
    this.#exposition.clearRows();
    let counted = NOTHING_COUNTED;
    let extras: readonly ScrapedExtra[] = [];
    let bodyBytes = 0;
    let error: BodyRefusal | undefined;
    this.#news = [];
    this.#newSize = undefined;
    try {
      const body = this.#body(request);
      bodyBytes = body.length;
      const page = this.#page(target, request, body);
      ({ extras, ...counted } = this.#parse(target, page, timeMs, scope, strangers));
    } catch (reason) {
      if (!(reason instanceof BodyRefused)) throw reason;
      error = reason.refusal;
      counted = reason.counted;
      strangers.clear();
      this.#exposition.allStale(target.lines, timeMs);
      extras = target.histograms.end(timeMs);
    }
    const bodySize = error?.reason === 'body-limit' ? OVER_LIMIT : bodyBytes;
    const report = { up: error === undefined, durationS, bodySize, counted };
    this.#report(target, scope, strangers, timeMs, report);
    return { ...this.#finish(scope, strangers, extras), error, ...counted, bodyBytes, ...this.#said() };
  }

  /** What the scrape says anew of metrics. */
  #said(): Pick<ScrapeReply, 'metadata' | 'metadataSize'> {
    const size = this.#newSize;
    return { metadata: this.#news, ...(size !== undefined && { metadataSize: size }) };
  }

  failScrape(request: Request<'failScrape'>): ScrapeReply {
    const target = this.#get(request.target);
    const { timeMs, durationS, bodySize } = request.report;
    const scope = this.#scope(request);
    const strangers = new StrangerList();
    const counted = NOTHING_COUNTED;
    this.#exposition.clearRows();
    this.#exposition.allStale(target.lines, timeMs);
    this.#report(target, scope, strangers, timeMs, { up: false, durationS, bodySize, counted });
    const extras = target.histograms.end(timeMs);
    return { ...this.#finish(scope, strangers, extras), error: undefined, ...counted, bodyBytes: 0 };
  }

  closeTarget(request: Request<'closeTarget'>): ScrapeReply {
    const target = this.#get(request.target);
    const scope = this.#scope(request);
    const strangers = new StrangerList();
    this.#exposition.clearRows();
    if (request.timeMs !== undefined) {
      this.#exposition.allStale(target.lines, request.timeMs);
      this.#exposition.allStale(target.synthetic, request.timeMs);
    }
    const extras = request.timeMs === undefined ? [] : target.histograms.end(request.timeMs);
    const reply = this.#finish(scope, strangers, extras);
    this.#exposition.close(target.lines);
    this.#exposition.close(target.synthetic);
    this.#targets.delete(request.target);
    this.#countJob(target.config.job, -1);
    this.metadata.forget(request.target);
    return { ...reply, error: undefined, ...NOTHING_COUNTED, bodyBytes: 0 };
  }

  /** The lines whose series other shards have made in the meantime. */
  complete(request: Request<'completeScrape'>): Reply<'completeScrape'> {
    const target = this.#get(request.target);
    const scope = this.#scope(request);
    const adopted = new AdoptedIndex(request.strangers);
    const strangers = new StrangerList();
    this.#exposition.clearRows();
    if (request.isBodyKept) {
      const { body, format } = this.#page(target, request, this.#body(request));
      const options = { ...target.config, format };
      const parsed = this.#exposition.retry(target.lines, body, request.timeMs, options);
      if (parsed.ok) this.#resolveAdopted(target, target.lines, parsed.misses, adopted, strangers);
      if (parsed.ok && options.startTimes) this.#exposition.settleStarts(target.lines);
      if (target.vanishedLater) this.#exposition.vanished(target.lines, request.timeMs);
      target.vanishedLater = false;
    }
    const report = this.#exposition.load(target.reportText);
    const parsed = this.#exposition.retry(target.synthetic, report, request.timeMs, SYNTHETIC_OPTIONS);
    if (parsed.ok) this.#resolveAdopted(target, target.synthetic, parsed.misses, adopted, strangers);
    const { outcome, wal, outgoing } = this.#finish(scope, strangers);
    return { outcome, wal, outgoing, strangers: strangers.list() };
  }

  /** Series that are gone must not be named by a cache: by that of one target, or by any. `sids` lends. */
  forget(owner: number, sids: Uint32Array, only?: number): void {
    for (const target of only === undefined ? this.#targets.values() : [this.#get(only)]) {
      this.#exposition.forget(target.lines, owner, sids);
      this.#exposition.forget(target.synthetic, owner, sids);
    }
  }

  /** The body in linear memory; a gzip body is inflated. */
  #body(request: ScrapedBody): Body {
    const { address, bytes } = request.body;
    const body: Body = { address, length: bytes };
    if (!request.gzip) return body;
    const hasLimit = request.bodyLimit > 0 && request.bodyLimit < INFLATED_BYTES_MAX;
    try {
      return this.#exposition.inflate(body, hasLimit ? request.bodyLimit : INFLATED_BYTES_MAX);
    } catch (error) {
      if (!(error instanceof GzipError)) throw error;
      if (error.reason === 'corrupt') throw refused('gzip', error.message);
      if (error.reason === 'limit' && hasLimit) throw refused('body-limit', error.message);
      const what = error.reason === 'limit' ? `a body of more than ${INFLATED_BYTES_MAX} bytes` : 'the inflated body';
      throw refused('memory', `no memory for ${what}`);
    }
  }

  /** What is parsed of a body: all but the classic histograms of a text that are to be converted. */
  #page(target: Target, { format, gzip }: ScrapedBody, whole: Body): Page {
    const { customBuckets, classicToo } = target.config;
    if (!customBuckets || format === 'protobuf') return { format, body: whole, classic: [], bare: NO_TEXTS };
    // What was inflated is ours already; a body in a slot may be read again.
    const body = gzip || classicToo ? whole : this.#exposition.copy(whole);
    const text = this.#exposition.bytesOf(body);
    const { bytes, histograms, bare } = target.classic.convert(text, format === 'openmetrics', classicToo);
    return { format, body: { address: body.address, length: bytes }, classic: histograms, bare };
  }

  #parse(
    target: Target,
    { format, body, classic, bare }: Page,
    timeMs: number,
    scope: AppendScope,
    strangers: StrangerList,
  ): Counted & { readonly extras: readonly ScrapedExtra[] } {
    const { config, lines } = target;
    const options = { ...config, format, exemplars: this.#exemplars.isOn };
    const parsed = this.#exposition.parse(lines, body, timeMs, options);
    // What a body says of metrics before its fault is known, too.
    const news = this.#exposition.metadata();
    if (news.length > 0) this.#learn(config.target, news);
    if (!parsed.ok) throw refused(parsed.noMemory ? 'memory' : 'parse', parsed.message);
    this.#resolve(target, lines, parsed.misses, scope, strangers, true);
    const taken = this.#takeHistograms(target, timeMs, format === 'protobuf' ? undefined : classic);
    const scraped = parsed.samples + taken.scraped;
    const postRelabel = this.#exposition.samplesKept + taken.scraped - taken.dropped;
    if (config.sampleLimit > 0 && postRelabel > config.sampleLimit) {
      this.#exposition.takeBack(lines);
      throw refused('sample-limit', 'sample limit exceeded', { scraped, postRelabel, added: 0 });
    }
    if (taken.isOverLimit) {
      this.#exposition.takeBack(lines);
      throw refused('bucket-limit', 'histogram bucket limit exceeded', { scraped, postRelabel, added: 0 });
    }
    taken.keep();
    const extras = [
      ...taken.series,
      ...target.exemplars.fresh(without(this.#exposition.exemplars(), bare), { ...options, timeMs }, (line) =>
        this.#labelsOf(target, () => this.#exposition.readLabelsOf(lines, line)),
      ),
    ];
    if (config.startTimes) this.#exposition.settleStarts(lines);
    // A stranger may be another spelling of a series that seems to be gone: then only complete() can tell.
    target.vanishedLater = !strangers.isEmpty;
    if (!target.vanishedLater) this.#exposition.vanished(lines, timeMs);
    return { scraped, postRelabel, added: this.#exposition.added(lines) + taken.added, extras };
  }

  /** Finds or makes the series of lines never seen; those of other shards are left for complete(). */
  #resolve(
    target: Target,
    cache: LineCache,
    misses: number,
    scope: AppendScope,
    strangers: StrangerList,
    relabels: boolean,
  ): void {
    for (let miss = 0; miss < misses; miss++) {
      const isKept = this.#prepare(target, cache, miss, relabels);
      if (!isKept) {
        this.#exposition.drop(cache, miss);
        continue;
      }
      const owner = this.#head.owner(this.#place.count);
      if (owner !== this.#place.index) {
        if (scope.asks()) strangers.add(owner, this.#exposition.scratch.read());
        this.#exposition.refuse(cache, miss);
        continue;
      }
      const series = scope.seriesOfScratch();
      if (series === NO_SERIES) this.#exposition.refuse(cache, miss);
      else this.#exposition.resolve(cache, miss, series, this.#head.refLow(series), owner);
    }
  }

  /** Puts the final labels of a miss into the scratch; false where relabelling drops the line. */
  #prepare(target: Target, cache: LineCache, miss: number, relabels: boolean): boolean {
    const { rules } = target;
    const { scratch } = this.#exposition;
    try {
      this.#exposition.readLabels(cache, miss);
      if (!relabels) return true;
      if (rules.length > 0) {
        const labels = relabel(scratch.read(), rules, { scheme: target.config.nameScheme });
        if (labels === undefined) return false;
        scratch.write(labels);
      }
    } catch (error) {
      if (!(error instanceof LabelError)) throw error;
      this.#exposition.takeBack(cache);
      throw refused('parse', error.message);
    }
    this.#checkLabels(target, cache);
    return true;
  }

  /** Throws where the labels in the scratch have names or a size that the target may not have. */
  #checkLabels({ config }: Target, cache: LineCache): void {
    const { scratch } = this.#exposition;
    if (config.nameScheme === 'legacy') {
      const labels = scratch.read();
      if (!areLegacy(labels)) {
        this.#exposition.takeBack(cache);
        throw refused('parse', `invalid metric name or label names: ${labelsText(labels)}`);
      }
    }
    const exceeded = scratch.exceeded({
      labelsMax: config.labelLimit,
      nameBytesMax: config.labelNameLengthLimit,
      valueBytesMax: config.labelValueLengthLimit,
    });
    if (exceeded === undefined) return;
    this.#exposition.takeBack(cache);
    throw refused('label-limit', exceeded);
  }

  #resolveAdopted(
    target: Target,
    cache: LineCache,
    misses: number,
    adopted: AdoptedIndex,
    strangers: StrangerList,
  ): void {
    for (let miss = 0; miss < misses; miss++) {
      if (!this.#prepare(target, cache, miss, cache === target.lines)) {
        this.#exposition.drop(cache, miss);
        continue;
      }
      const labels = this.#exposition.scratch.read();
      const found = adopted.find(labels);
      if (found !== undefined && found.series >= 0) {
        this.#exposition.resolve(cache, miss, found.series, found.ref, found.owner);
        continue;
      }
      const owner = this.#head.owner(this.#place.count);
      // Of our own there are only those that found no room the first time.
      if (found === undefined && owner !== this.#place.index) strangers.add(owner, labels);
      this.#exposition.refuse(cache, miss);
    }
  }

  #learn(target: number, lines: readonly MetadataLine[]): void {
    const said = this.metadata.note(target, lines);
    this.#newSize = this.metadata.size(target);
    this.#news = this.#families?.changesIn(said) ?? [];
  }

  /** Native histograms of the body parsed last: those of a text, or what the messages say. */
  #takeHistograms(target: Target, timeMs: number, ofText: Iterable<FoundHistogram> | undefined): TakenHistograms {
    const { lines } = target;
    const found = ofText ?? messageHistograms(this.#exposition.histograms());
    const labelsOf = ({ place, series }: FoundHistogram) =>
      this.#labelsOf(target, () => {
        if (place === undefined) this.#exposition.readLabelsOfText(lines, series);
        else this.#exposition.readLabelsOf(lines, place);
      });
    try {
      return target.histograms.take(found, { ...target.config, timeMs }, labelsOf);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#exposition.takeBack(target.lines);
      throw refused('parse', error.message);
    }
  }

  /** Final labels of a series with more than floats; undefined where relabelling drops it. */
  #labelsOf(target: Target, read: () => void): Labels | undefined {
    const { scratch } = this.#exposition;
    try {
      read();
      const labels = relabel(scratch.read(), target.rules, { scheme: target.config.nameScheme });
      if (labels === undefined) return undefined;
      scratch.write(labels);
      this.#checkLabels(target, target.lines);
      return scratch.read();
    } catch (error) {
      if (!(error instanceof LabelError)) throw error;
      this.#exposition.takeBack(target.lines);
      throw refused('parse', error.message);
    }
  }

  /** Takes histograms and exemplars of series of this shard; gives the others, by owner. */
  #appendExtras(scope: AppendScope, extras: readonly ScrapedExtra[]): SeriesElsewhere[] {
    const elsewhere = new Map<number, AppendedSeries[]>();
    for (const { labels, stored, exemplars } of extras) {
      this.#exposition.scratch.write(labels);
      const owner = this.#head.owner(this.#place.count);
      if (owner !== this.#place.index) {
        const others = elsewhere.get(owner) ?? [];
        // A buffer of its own: it moves.
        others.push({ labels, samples: new ArrayBuffer(0), ...(stored.length > 0 && { stored }), exemplars });
        elsewhere.set(owner, others);
        continue;
      }
      const series = stored.length > 0 ? scope.seriesOfScratch() : this.#head.resolve();
      if (series === NO_SERIES) continue;
      scope.received(series, stored);
      if (exemplars.length === 0) continue;
      const packed = packLabels(labels);
      for (const exemplar of exemplars) scope.exemplar(series, packed, exemplar);
    }
    return Array.from(elsewhere, ([owner, series]) => ({ owner, series }));
  }

  /** The synthetic series of a scrape. */
  #report(target: Target, scope: AppendScope, strangers: StrangerList, timeMs: number, report: Report): void {
    target.reportText = reportText(report, target.config);
    const body = this.#exposition.load(target.reportText);
    const parsed = this.#exposition.parse(target.synthetic, body, timeMs, SYNTHETIC_OPTIONS);
    if (!parsed.ok) throw new Error(`our own report does not parse: ${parsed.message}`);
    this.#resolve(target, target.synthetic, parsed.misses, scope, strangers, false);
  }

  /** Appends this shard's rows and hands out the others'. */
  #finish(
    scope: AppendScope,
    strangers: StrangerList,
    extras: readonly ScrapedExtra[] = [],
  ): Pick<ScrapeReply, 'outcome' | 'wal' | 'outgoing' | 'strangers' | 'nearRef' | 'elsewhere'> {
    const own = this.#exposition.rows(this.#place.index);
    scope.rows(own.address, own.count);
    const elsewhere = this.#appendExtras(scope, extras);
    const outgoing = takeOutgoing(this.#exposition, this.#place);
    this.#exposition.clearRows();
    const nearRef = own.count === 0 ? 0 : this.#head.nearRef(own.address);
    return {
      ...scope.finish(),
      outgoing,
      elsewhere,
      strangers: strangers.list(),
      nearRef,
    };
  }

  #countJob(job: string, change: 1 | -1): void {
    const targets = (this.#jobs.get(job) ?? 0) + change;
    if (targets === 0) this.#jobs.delete(job);
    else this.#jobs.set(job, targets);
  }

  #get(number: number): Target {
    const target = this.#targets.get(number);
    if (target === undefined) throw new Error(`target ${number} is not open`);
    return target;
  }
}

/** Label sets of other shards' series that a body named and this shard does not know, by owner. */
export class StrangerList {
  readonly #byOwner = new Map<number, Labels[]>();

  add(owner: number, labels: Labels): void {
    const list = this.#byOwner.get(owner);
    if (list === undefined) this.#byOwner.set(owner, [labels]);
    else list.push(labels);
  }

  get isEmpty(): boolean {
    return this.#byOwner.size === 0;
  }

  clear(): void {
    this.#byOwner.clear();
  }

  list(): Strangers[] {
    return [...this.#byOwner].map(([owner, labels]) => ({ owner, labels }));
  }
}

/** What the owners answered, found by label set. */
export class AdoptedIndex {
  readonly #byKey = new Map<string, { owner: number; series: number; ref: number }>();
  readonly #byOwner = new Map<number, Set<number>>();

  constructor(strangers: readonly AdoptedStrangers[]) {
    for (const { owner, labels, adopted } of strangers) {
      labels.forEach((set, i) => {
        this.#byKey.set(keyOf(set), { owner, ...adopted[i]! });
      });
      this.#byOwner.set(owner, new Set(adopted.map(({ series }) => series)));
    }
  }

  find(labels: Labels): { owner: number; series: number; ref: number } | undefined {
    return this.#byKey.get(keyOf(labels));
  }

  has(owner: number, series: number): boolean {
    return this.#byOwner.get(owner)?.has(series) ?? false;
  }
}

function areLegacy(labels: Labels): boolean {
  for (const [name, value] of pairsOf(labels)) {
    if (!isLabelName(name, 'legacy') || (name === '__name__' && !isMetricName(value, 'legacy'))) return false;
  }
  return true;
}

/** `{__name__="a", b="c"}`, as Prometheus prints labels. */
function labelsText(labels: Labels): string {
  const shown = [...pairsOf(labels)].map(
    ([name, value]) => `${isLabelName(name, 'legacy') ? name : quote(name)}=${quote(value)}`,
  );
  return `{${shown.join(', ')}}`;
}

/** Those of series that keep theirs. */
function* without(lines: Iterable<ExemplarLine>, bare: ReadonlySet<string>): Generator<ExemplarLine> {
  for (const line of lines) if (!bare.has(line.series)) yield line;
}

/** The rows parsed for other shards: copies. */
export function takeOutgoing(exposition: Exposition, place: ShardPlace): Outgoing[] {
  const outgoing: Outgoing[] = [];
  for (let owner = 0; owner < place.count; owner++) {
    if (owner === place.index) continue;
    const rows = exposition.rowBytes(owner);
    if (rows.length > 0) outgoing.push({ owner, rows: new Uint8Array(rows).buffer });
  }
  return outgoing;
}

const encoder = new TextEncoder();

function reportText(
  { up, durationS, bodySize, counted }: Report,
  { extraSeries, sampleLimit }: TargetConfig,
): Uint8Array {
  const extras =
    extraSeries === undefined
      ? ''
      : `scrape_timeout_seconds ${formatGeneral(extraSeries.timeoutSeconds)}\n` +
        `scrape_sample_limit ${sampleLimit}\n` +
        `scrape_body_size_bytes ${bodySize}\n`;
  return encoder.encode(
    `up ${up ? 1 : 0}\n` +
      `scrape_duration_seconds ${formatGeneral(durationS)}\n` +
      `scrape_samples_scraped ${counted.scraped}\n` +
      `scrape_samples_post_metric_relabeling ${counted.postRelabel}\n` +
      `scrape_series_added ${counted.added}\n${extras}`,
  );
}
