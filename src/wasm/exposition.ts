// Scrape bodies to rows: the façade of assembly/exposition.
//
// How a shard takes a scrape, in order:
//
//   const cache = exposition.open()                        once per target
//   exposition.setTarget(cache, labels, honorLabels)       once per target (and when its labels change)
//
//   const body = exposition.load(bytes)                    or bytes already in linear memory, with BODY_SLACK behind,
//                                                          or exposition.inflate(those, …) where they are gzip
//   const parsed = exposition.parse(cache, body, timeMs, options)
//   if (!parsed.ok) → up = 0: exposition.allStale(cache, timeMs)
//   for (let i = 0; i < parsed.misses; i++) {              lines never seen: new to this target
//     exposition.readLabels(cache, i)                      into the scratch; throws LabelError → takeBack(), up = 0
//       … metric relabelling: scratch.read(), scratch.write(labels)
//       … limits: scratch.exceeded(limits)
//       … the head: resolve or create the series of the scratch → sid, ref, owner
//     exposition.resolve(cache, i, sid, ref, owner)        or drop(cache, i) / refuse(cache, i)
//   }
//   exposition.vanished(cache, timeMs)                     stale markers of what is gone; free of charge if nothing is
//   exposition.rows(self) → head.rows()                    rowBytes(other) → to the owner
//   exposition.clearRows()
//
// Nothing is in the rows unless the whole body parsed. Until clearRows() more bodies
// may be parsed behind it: rows add up, misses and metadata are those of the last body.
//
// Where start times are wanted, settleStarts() comes before vanished().
//
// Rows are 24 bytes each, see assembly/exposition/batch.ts; those with the sid SID_HOLE
// are to be skipped. Kernel functions behind this façade: cache_*, batch_*,
// exposition_*; the scratch's are in label-scratch.ts.
//
// When an owner answers that it does not know some sids any more: forget(cache, owner,
// sids), then retry(cache, body, timeMs, options) of the same body gives rows and
// misses for those lines only.

import {
  BODY_SLACK,
  LabelFault,
  MetadataKind,
  OWNERS_MAX,
  ParseOption,
  RECORD_BYTES,
  ROW_BYTES,
  Status,
  type WireFault,
} from '../../assembly/layout.js';
import { gunzipInto } from '../base/gzip.js';
import type { BodySink } from '../base/http.js';
import type { Labels } from '../model/labels.js';
import { CoreBuffer } from './buffer.js';
import type { Core } from './core.js';
import { LabelScratch } from './label-scratch.js';
import { OutOfMemory } from './out-of-memory.js';
import { describeFault } from './text-fault.js';
import { WIRE_WORDS } from './wire-fault.js';

/** Most shards that a parser can tell apart. */
export const SHARDS_MAX = OWNERS_MAX;

/** What the lines of one target were last time. Meaningless in any other core. */
export type LineCache = number & { readonly __ref: 'LineCache' };

/** A body in linear memory, BODY_SLACK writable bytes behind it. */
export interface Body {
  readonly address: number;
  readonly length: number;
}

/** How a body is written. */
export type BodyFormat = 'text' | 'openmetrics' | 'protobuf';

export interface ParseOptions {
  /** By default text. */
  readonly format?: BodyFormat;
  /** List exemplars. */
  readonly exemplars?: boolean;
  /** List native histograms; without, and where they have none, their classic buckets are taken. */
  readonly nativeHistograms?: boolean;
  /** List histograms of classic buckets, too, to be converted. Of text: see readLabelsOfText(). */
  readonly customBuckets?: boolean;
  /** Take the classic buckets of listed histograms, too. */
  readonly classicToo?: boolean;
  /** Take start times: see settleStarts(). */
  readonly startTimes?: boolean;
  /** Take timestamps in the text; otherwise all samples get the scrape's. */
  readonly honorTimestamps: boolean;
  /** Write stale markers for series with timestamps of their own, too. */
  readonly trackTimestampsStaleness: boolean;
}

export type Parsed =
  | { readonly ok: true; readonly samples: number; readonly misses: number; readonly metadata: number }
  /** `offset` is where in the body the fault is; the message is Prometheus's. */
  | { readonly ok: false; readonly message: string; readonly offset: number; readonly noMemory: boolean };

/** A HELP, TYPE or UNIT line that the scrape before did not have. */
export interface MetadataLine {
  readonly kind: 'help' | 'type' | 'unit';
  readonly metric: string;
  /** The help text, unescaped, the type or the unit. */
  readonly text: string;
}

/** An exemplar of the body parsed last. */
export interface ExemplarLine {
  /** Name and labels of its series, as they stand in the body: a character for each byte. */
  readonly series: string;
  /** Value and perhaps time of the sample, likewise, between spaces. */
  readonly sample: string;
  /** Labels, value and perhaps a time, likewise. */
  readonly exemplar: string;
  /** For readLabelsOf(). */
  readonly record: number;
}

/** A metric with a native histogram in the body parsed last. */
export interface HistogramPlace {
  /** Name and labels of its series, as text: a character for each byte. */
  readonly series: string;
  /** The Metric message. Lent until the next call into the core. */
  readonly metric: Uint8Array;
  /** Of a family of gauges. */
  readonly isGauge: boolean;
  /** Its classic buckets are what counts. */
  readonly isClassic: boolean;
  /** For readLabelsOf(). */
  readonly record: number;
}

/** A run of rows in linear memory, ROW_BYTES each. Lent until the next row is added. */
export interface Rows {
  readonly address: number;
  readonly count: number;
}

/** Lines since the core started, by the way they took. */
export interface LineCounts {
  /** Where they were last time. */
  readonly expected: number;
  /** Moved: found by hash. */
  readonly known: number;
  /** Never seen. */
  readonly new: number;
}

export class Exposition {
  readonly #core: Core;
  readonly scratch: LabelScratch;
  readonly #input: CoreBuffer;
  /** The body parsed last: misses, metadata and exemplars are offsets into it. */
  #body: Body = { address: 0, length: 0 };
  #format: BodyFormat = 'text';
  /** Where offsets of series and exemplars count from. */
  #seriesAddress = 0;

  constructor(core: Core, scratch = new LabelScratch(core)) {
    this.#core = core;
    this.#input = new CoreBuffer(core);
    this.scratch = scratch;
  }

  /** How many shards there are, at most SHARDS_MAX, and which one this core is. Once, before anything else. */
  setShards(count: number, self: number): void {
    if (count > SHARDS_MAX) throw new Error(`${count} shards, at most ${SHARDS_MAX} are possible`);
    this.#core.exports.cache_shards(count, self);
  }

  /** Seeds the hash of label sets and lines: the same in all shards. Before anything is hashed. */
  seed(seed: bigint): void {
    this.#core.exports.hash_seed(Number(seed & 0xffffffffn), Number((seed >> 32n) & 0xffffffffn));
  }

  open(): LineCache {
    const cache = this.#core.exports.cache_open() >>> 0;
    if (cache === 0) throw new OutOfMemory('no memory for a line cache');
    return cache as LineCache;
  }

  /** Frees a cache; write its series' stale markers first, with allStale(). */
  close(cache: LineCache): void {
    this.#core.exports.cache_close(cache);
  }

  cacheBytes(cache: LineCache): number {
    return this.#core.exports.cache_bytes(cache) >>> 0;
  }

  /** The labels that every series of this target gets. Uses the scratch. Copies. */
  setTarget(cache: LineCache, labels: Labels, honorLabels: boolean): void {
    this.scratch.write(labels);
    this.#check(this.#core.exports.cache_target(cache, honorLabels));
  }

  /** Copies a body into the core. It stays there until the next load(). */
  load(bytes: Uint8Array): Body {
    if (!this.#input.reserve(bytes.length + BODY_SLACK, 0)) {
      throw new OutOfMemory(`no memory for a body of ${bytes.length} bytes`);
    }
    this.#core.bytes.set(bytes, this.#input.address);
    return { address: this.#input.address, length: bytes.length };
  }

  /** Copies a body that lies in linear memory, so that it may be changed. It stays there until the next load(). */
  copy({ address, length }: Body): Body {
    if (!this.#input.reserve(length + BODY_SLACK, 0)) throw new OutOfMemory(`no memory for a body of ${length} bytes`);
    this.#core.bytes.copyWithin(this.#input.address, address, address + length);
    return { address: this.#input.address, length };
  }

  /** The bytes of a body. Lends. */
  bytesOf({ address, length }: Body): Buffer {
    return Buffer.from(this.#core.memory.buffer, address, length);
  }

  /**
   * Inflates a gzip body, which lies in linear memory, to at most `bytesMax` bytes. It stays there until the next
   * load(). Throws GzipError.
   */
  inflate(body: Body, bytesMax: number): Body {
    const input = this.#input;
    const sink: BodySink = {
      reserve: (bytes, kept) => {
        // A core's memory does not shrink: no more room than may be needed.
        const wanted = Math.min(bytes, bytesMax + 1);
        if (!input.reserve(wanted + BODY_SLACK, kept)) return undefined;
        return this.#core.u8(input.address, input.capacity - BODY_SLACK);
      },
    };
    const length = gunzipInto(this.#core.u8(body.address, body.length), sink, bytesMax);
    return { address: input.address, length };
  }

  parse(cache: LineCache, body: Body, timeMs: number, options: ParseOptions): Parsed {
    return this.#parse(cache, body, timeMs, options, 0);
  }

  /** Rows and misses of only those lines of the body parsed last whose series were forgotten since. */
  retry(cache: LineCache, body: Body, timeMs: number, options: ParseOptions): Parsed {
    return this.#parse(cache, body, timeMs, options, ParseOption.Retry);
  }

  /** Forgets series of `owner`, which knows their sids no longer. */
  forget(cache: LineCache, owner: number, sids: Uint32Array): void {
    const { exports } = this.#core;
    if (sids.length === 0) return;
    const block = exports.heap_alloc(sids.byteLength) >>> 0;
    if (block === 0) throw new OutOfMemory('no memory to forget series');
    this.#core.u32(block, sids.length).set(sids);
    const status: Status = exports.cache_forget(cache, owner, block, sids.length);
    exports.heap_free(block, sids.byteLength);
    this.#check(status);
  }

  /** Puts the labels of a miss, with the target's, into the scratch. Throws a LabelError: the scrape fails. */
  readLabels(cache: LineCache, miss: number): void {
    const fault: LabelFault = this.#core.exports.exposition_labels(cache, miss, this.#seriesAddress);
    if (fault !== LabelFault.None) throw this.scratch.error(fault);
  }

  /** The same of the series of an exemplar, or of a native histogram. */
  readLabelsOf(cache: LineCache, { record, ...of }: ExemplarLine | HistogramPlace): void {
    const { exports, view } = this.#core;
    const [series, bytes] = [view.getUint32(record, true), view.getUint32(record + 4, true)];
    const float = 'exemplar' in of ? view.getUint32(record + 12, true) >>> 28 : 0;
    const fault: LabelFault = exports.exposition_labels_at(cache, this.#seriesAddress + series, bytes, float);
    if (fault !== LabelFault.None) throw this.scratch.error(fault);
  }

  /** The same of a series given as text: a character for each byte. */
  readLabelsOfText(cache: LineCache, series: string): void {
    const { exports } = this.#core;
    const block = exports.heap_alloc(series.length) >>> 0;
    if (block === 0) throw new OutOfMemory('no memory for the text of a series');
    for (let i = 0, bytes = this.#core.u8(block, series.length); i < series.length; i++)
      bytes[i] = series.charCodeAt(i);
    const fault: LabelFault = exports.exposition_labels_at(cache, block, series.length, 0);
    exports.heap_free(block, series.length);
    if (fault !== LabelFault.None) throw this.scratch.error(fault);
  }

  /** Tells a miss its series, for now and for later scrapes. */
  resolve(cache: LineCache, miss: number, sid: number, ref: number, owner: number): void {
    this.#check(this.#core.exports.cache_resolve(cache, miss, sid, ref, owner));
  }

  /** The series of a miss is dropped by metric relabelling, now and in later scrapes. */
  drop(cache: LineCache, miss: number): void {
    this.#core.exports.cache_drop(cache, miss, true);
  }

  /** The sample of a miss is not taken this time (no memory for a new series); the next scrape asks again. */
  refuse(cache: LineCache, miss: number): void {
    this.#core.exports.cache_drop(cache, miss, false);
  }

  /** Takes the last body back, rows and all: its labels were bad, or a limit was exceeded. */
  takeBack(cache: LineCache): void {
    this.#core.exports.exposition_take_back(cache);
  }

  /** Adds rows, in front of all others, for start times of the body parsed last that may be new. Its misses are resolved. */
  settleStarts(cache: LineCache): void {
    this.#check(this.#core.exports.exposition_settle_starts(cache));
  }

  /** Adds rows with stale markers for the series that the scrape before had and this one had not. */
  vanished(cache: LineCache, timeMs: number): void {
    this.#check(this.#core.exports.cache_vanished(cache, timeMs));
  }

  /** Adds rows with stale markers for all series of the last good scrape: this one failed, or the target goes. */
  allStale(cache: LineCache, timeMs: number): void {
    this.#check(this.#core.exports.cache_all_stale(cache, timeMs));
  }

  /** Lines or series of the last body that nobody knew. */
  get missCount(): number {
    return this.#core.exports.exposition_miss_count() >>> 0;
  }

  /** Samples in the body parsed last that are left after metric relabelling. Final once all misses are resolved. */
  get samplesKept(): number {
    const { exports } = this.#core;
    return exports.exposition_scraped() - exports.exposition_dropped();
  }

  /** Series of the last good body that the one before it did not have. Final once all misses are resolved. */
  added(cache: LineCache): number {
    return this.#core.exports.cache_added(cache) >>> 0;
  }

  rows(owner: number): Rows {
    const { exports } = this.#core;
    return { address: exports.batch_rows(owner) >>> 0, count: exports.batch_count(owner) >>> 0 };
  }

  /** The bytes of an owner's rows. Lends. */
  rowBytes(owner: number): Uint8Array {
    const { address, count } = this.rows(owner);
    return this.#core.u8(address, count * ROW_BYTES);
  }

  /** Copies packed rows of another shard into the core. They stay there until the next load. */
  loadRows(bytes: Uint8Array): Rows {
    return { address: this.load(bytes).address, count: bytes.length / ROW_BYTES };
  }

  clearRows(): void {
    this.#core.exports.batch_clear();
  }

  /** The metadata lines of the body parsed last that are new or came back; of a bad one those before the fault. */
  metadata(): MetadataLine[] {
    const { exports, view } = this.#core;
    const count = exports.exposition_metadata_count();
    const address = exports.exposition_metadata() >>> 0;
    return Array.from({ length: count }, (_, i) => {
      const at = address + i * RECORD_BYTES;
      const last = view.getUint32(at + 12, true);
      const metric = this.#text(view.getUint32(at, true), view.getUint32(at + 4, true));
      const text = this.#text(view.getUint32(at + 8, true), last & 0x0fffffff);
      switch (last >>> 28) {
        case MetadataKind.Help:
          return { kind: 'help', metric, text: unescapeHelp(text, this.#format) };
        case MetadataKind.Unit:
          return { kind: 'unit', metric, text };
        case MetadataKind.TypeNumber:
          return { kind: 'type', metric, text: PROTOBUF_TYPES[view.getUint32(at + 8, true)]! };
        default:
          return { kind: 'type', metric, text };
      }
    });
  }

  /** The exemplars of the body parsed last, where they were to be listed. */
  *exemplars(): Generator<ExemplarLine> {
    const { exports } = this.#core;
    const count = exports.exposition_exemplar_count();
    for (let i = 0; i < count; i++) {
      const record = (exports.exposition_exemplars() >>> 0) + i * RECORD_BYTES;
      const [series, bytes, exemplar, last] = this.#record(record);
      yield {
        series: this.#series(series, bytes),
        sample: this.#series(series + bytes, exemplar - series - bytes),
        exemplar: this.#series(exemplar, last & 0x0fffffff),
        record,
      };
    }
  }

  /** Native histograms of the body parsed last, where they were to be listed. */
  *histograms(): Generator<HistogramPlace> {
    const { exports } = this.#core;
    const count = exports.exposition_histogram_count();
    for (let i = 0; i < count; i++) {
      const record = (exports.exposition_histograms() >>> 0) + i * RECORD_BYTES;
      const [series, bytes, metric, last] = this.#record(record);
      yield {
        series: this.#series(series, bytes),
        metric: this.#core.u8(this.#body.address + metric, last & 0x0fffffff),
        isGauge: ((last >>> 28) & 1) !== 0,
        isClassic: ((last >>> 28) & 2) !== 0,
        record,
      };
    }
  }

  #record(at: number): [number, number, number, number] {
    const { view } = this.#core;
    return [
      view.getUint32(at, true),
      view.getUint32(at + 4, true),
      view.getUint32(at + 8, true),
      view.getUint32(at + 12, true),
    ];
  }

  counts(): LineCounts {
    const { exports } = this.#core;
    return {
      expected: exports.exposition_lines_expected(),
      known: exports.exposition_lines_known(),
      new: exports.exposition_lines_new(),
    };
  }

  /** Numbers that needed the slow, exact way, since the core started: more than a few hide something. */
  get floatFallbacks(): number {
    return this.#core.exports.float_fallbacks();
  }

  #parse(cache: LineCache, body: Body, timeMs: number, options: ParseOptions, bits: number): Parsed {
    const { exports } = this.#core;
    this.#body = body;
    this.#format = options.format ?? 'text';
    const how = optionBits(options) | bits;
    const isProtobuf = this.#format === 'protobuf';
    const parse = isProtobuf ? exports.exposition_parse_protobuf : exports.exposition_parse;
    const status: Status = parse(cache, body.address, body.length, timeMs, how);
    this.#seriesAddress = isProtobuf ? exports.exposition_spelled() >>> 0 : body.address;
    if (status !== Status.Ok) return this.#fault(status === Status.NoMemory);
    return {
      ok: true,
      samples: exports.exposition_scraped(),
      misses: exports.exposition_miss_count(),
      metadata: exports.exposition_metadata_count(),
    };
  }

  #fault(noMemory: boolean): Parsed {
    if (noMemory) return { ok: false, message: 'no memory to parse the exposition', offset: 0, noMemory };
    const { exports } = this.#core;
    const { address, length } = this.#body;
    if (this.#format === 'protobuf') {
      const offset = (exports.exposition_wire_fault_at() >>> 0) - address;
      const words = WIRE_WORDS[exports.exposition_wire_fault() as WireFault];
      const message = `proto: malformed io.prometheus.client.MetricFamily: ${words} at byte ${offset}`;
      return { ok: false, message, offset, noMemory };
    }
    const place = {
      fault: exports.exposition_fault(),
      token: exports.exposition_error_token(),
      entry: (exports.exposition_error_entry() >>> 0) - address,
      at: (exports.exposition_error_at() >>> 0) - address,
      cursor: (exports.exposition_error_cursor() >>> 0) - address,
    };
    // Of text, one more byte than the body: the parser ended the last line.
    const message = describeFault(this.#core.u8(address, length + (this.#format === 'text' ? 1 : 0)), place);
    return { ok: false, message, offset: place.at, noMemory };
  }

  #series(offset: number, length: number): string {
    return Buffer.from(this.#core.memory.buffer, this.#seriesAddress + offset, length).toString('latin1');
  }

  #text(offset: number, length: number): string {
    return Buffer.from(this.#core.memory.buffer, this.#body.address + offset, length).toString('utf8');
  }

  #check(status: Status): void {
    if (status === Status.NoMemory) throw new OutOfMemory('the memory limit of this core is reached');
  }
}

function optionBits(options: ParseOptions): number {
  return (
    (options.honorTimestamps ? ParseOption.HonorTimestamps : 0) |
    (options.trackTimestampsStaleness ? ParseOption.TrackTimestampsStaleness : 0) |
    (options.format === 'openmetrics' ? ParseOption.OpenMetrics : 0) |
    (options.exemplars ? ParseOption.Exemplars : 0) |
    (options.nativeHistograms ? ParseOption.NativeHistograms : 0) |
    (options.classicToo ? ParseOption.ClassicToo : 0) |
    (options.customBuckets ? ParseOption.CustomBuckets : 0) |
    (options.startTimes ? ParseOption.Starts : 0)
  );
}

/** By their numbers. */
const PROTOBUF_TYPES = ['counter', 'gauge', 'summary', 'unknown', 'histogram', 'gaugehistogram'] as const;

/** Of HELP texts \\ and \n are escapes; in OpenMetrics \" is, too. */
function unescapeHelp(text: string, format: BodyFormat): string {
  if (format === 'protobuf') return text;
  const escapes = format === 'openmetrics' ? /\\[\\n"]/g : /\\[\\n]/g;
  return text.replace(escapes, (escape) => (escape === '\\n' ? '\n' : escape[1]!));
}
