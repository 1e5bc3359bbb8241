// The receiving side of a shard besides scrapes: remote writes, and series that main hands in.

import type { Exemplar } from '../model/exemplar.js';
import type { MetricMetadata } from '../model/family.js';
import { histogramFault } from '../model/histogram-check.js';
import { withUsableSchema } from '../model/histogram-shape.js';
import { decodeHistograms } from '../model/histogram-table.js';
import { type Labels, labelsOf, pairsOf } from '../model/labels.js';
import { storedHistogramOf } from '../model/stored-histogram.js';
import { packLabels } from '../tsdb/wal/exemplar-record.js';
import type { Core } from '../wasm/core.js';
import type { Body, Exposition, LineCache } from '../wasm/exposition.js';
import { type Head, NO_SERIES, type SeriesIndex } from '../wasm/head.js';
import { LabelError } from '../wasm/label-scratch.js';
import { OutOfMemory } from '../wasm/out-of-memory.js';
import { DEFAULT_WRITE_LIMITS, NO_FAULT, RemoteWrite } from '../wasm/remote-write.js';
import { ROW_BYTES, SERIES_OF_ROW } from '../wasm/rows.js';
import type { AppendScope, OpenScope } from './append.js';
import type { ShardExemplars } from './exemplars.js';
import type { Families } from './families.js';
import { type OtlpBody, rewriteOtlp } from './otlp/body.js';
import type { AppendedSeries, Reply, Request, Span, WriteReply, WrittenBody } from './protocol.js';
import type { SideMessage, SideSamples } from './side-samples.js';
import { AdoptedIndex, type ShardPlace, StrangerList, takeOutgoing } from './targets.js';
import { WireError } from './wire.js';
import { type ExtraSeries, extrasOf } from './write-extras.js';
import { rewriteV2 } from './write-v2.js';

/** What a request leaves besides its rows. */
interface Taken {
  /** Why the whole body is refused. */
  readonly malformed: string | undefined;
  readonly invalidSeries: number;
  readonly firstInvalid: string | undefined;
  /** Series with histograms or exemplars. */
  readonly extras: readonly ExtraSeries[];
  readonly metadata: readonly MetricMetadata[];
  /** Of an export. */
  readonly leftOut: readonly string[];
}

/** A request of version 1.0 in the core's memory. */
interface Plain {
  readonly body: Body;
  /** Why series of it were left out already. */
  readonly faults: readonly string[];
  readonly leftOut?: readonly string[];
}

const NOTHING_TAKEN: Taken = {
  malformed: undefined,
  invalidSeries: 0,
  firstInvalid: undefined,
  extras: [],
  metadata: [],
  leftOut: [],
};

/** Series that no request named for two epochs are dropped from the cache; an epoch is this many requests. */
const EPOCH_REQUESTS = 100_000;
const EPOCH_UNKNOWN_MIN = 10_000;

const LIMITS = DEFAULT_WRITE_LIMITS;

/** A time and the bits of a value, as main packs them. */
const SAMPLE_BYTES = 16;

export class ShardWrites {
  readonly #core: Core;
  readonly #exposition: Exposition;
  readonly #remote: RemoteWrite;
  readonly #cache: LineCache;
  readonly #head: Head;
  readonly #scope: OpenScope;
  readonly #place: ShardPlace;
  readonly #exemplars: ShardExemplars;
  readonly #families: Families;
  readonly #side: SideSamples | undefined;
  /** In this epoch. */
  #requests = 0;
  #unknown = 0;

  constructor(
    core: Core,
    exposition: Exposition,
    head: Head,
    scope: OpenScope,
    place: ShardPlace,
    exemplars: ShardExemplars,
    families: Families,
    side: SideSamples | undefined,
  ) {
    this.#core = core;
    this.#exposition = exposition;
    this.#remote = new RemoteWrite(core, exposition);
    this.#cache = this.#remote.open();
    this.#head = head;
    this.#scope = scope;
    this.#place = place;
    this.#exemplars = exemplars;
    this.#families = families;
    this.#side = side;
  }

  write(request: Request<'write'>): WriteReply {
    this.#age();
    const scope = this.#scope(request);
    const strangers = new StrangerList();
    const taken = this.#take(request, scope, strangers, undefined);
    const { malformed } = taken;
    const own = this.#exposition.rows(this.#place.index);
    const nearRef = own.count === 0 ? 0 : this.#head.nearRef(own.address);
    const outgoing = this.#appendRows(scope);
    const { elsewhere, faults } = this.#appendExtras(scope, taken.extras);
    return {
      ...scope.finish(),
      error: malformed ?? taken.firstInvalid ?? faults[0],
      malformed: malformed !== undefined,
      invalidSeries: taken.invalidSeries + faults.length,
      elsewhere,
      outgoing,
      strangers: strangers.list(),
      nearRef,
      metadata: this.#families.changesIn(taken.metadata),
      leftOut: taken.leftOut,
    };
  }

  /** The same body again, its strangers known by now: their rows only, for all others went their way the first time. */
  complete(request: Request<'completeWrite'>): Reply<'completeWrite'> {
    const scope = this.#scope(request);
    const adopted = new AdoptedIndex(request.strangers);
    const strangers = new StrangerList();
    this.#take(request, scope, strangers, adopted);
    const outgoing = takeOutgoing(this.#exposition, this.#place).map(({ owner, rows }) => ({
      owner,
      rows: rowsOf(rows, (series) => adopted.has(owner, series)),
    }));
    this.#exposition.clearRows();
    return {
      ...scope.finish(),
      outgoing: outgoing.filter(({ rows }) => rows.byteLength > 0),
      strangers: strangers.list(),
    };
  }

  /** Series that belong here, with their samples. */
  append(request: Request<'append'>): WriteReply {
    const scope = this.#scope(request);
    let invalid = 0;
    let error: string | undefined;
    for (const { labels, samples, side, stored, exemplars = [] } of request.series) {
      try {
        this.#exposition.scratch.write(labels);
      } catch (reason) {
        if (!(reason instanceof LabelError)) throw reason;
        invalid++;
        error ??= reason.message;
        continue;
      }
      const isMade = samples.byteLength > 0 || side !== undefined || stored !== undefined;
      const series = isMade ? scope.seriesOfScratch() : this.#head.resolve();
      if (series === NO_SERIES) continue;
      this.#appendInOrder(scope, series, samples, side);
      scope.received(series, stored ?? []);
      this.#appendExemplars(scope, series, labels, exemplars);
      if (side !== undefined) this.#side?.addStarts(series, request.append, side);
    }
    return {
      ...scope.finish(),
      error,
      malformed: false,
      invalidSeries: invalid,
      outgoing: [],
      strangers: [],
      nearRef: 0,
    };
  }

  /** Floats and histograms of a series, as their times have them. */
  #appendInOrder(scope: AppendScope, series: SeriesIndex, samples: ArrayBuffer, side: SideMessage | undefined): void {
    const floats = new Float64Array(samples);
    const times = new Float64Array(side?.histogramTimes ?? new ArrayBuffer(0));
    const histograms = side === undefined ? [] : decodeHistograms(side.histograms);
    let from = 0;
    histograms.forEach((histogram, i) => {
      let end = from;
      while (2 * end < floats.length && floats[2 * end]! < times[i]!) end++;
      this.#appendFloats(scope, series, samples.slice(from * SAMPLE_BYTES, end * SAMPLE_BYTES));
      from = end;
      scope.histogram(series, times[i]!, storedHistogramOf(histogram));
    });
    this.#appendFloats(scope, series, samples.slice(from * SAMPLE_BYTES));
  }

  #appendFloats(scope: AppendScope, series: SeriesIndex, samples: ArrayBuffer): void {
    const { address, count } = this.#exposition.loadRows(packRows(series, this.#head.refLow(series), samples));
    scope.rows(address, count);
  }

  forget(owner: number, series: Uint32Array): void {
    this.#remote.forget(this.#cache, owner, series);
  }

  /** Ends an epoch after so many requests, or once so many unknown series came that most of the cache may be of the past. */
  #age(): void {
    const unknownMax = Math.max(EPOCH_UNKNOWN_MIN, this.#head.seriesCount);
    if (++this.#requests < EPOCH_REQUESTS && this.#unknown < unknownMax) return;
    this.#requests = 0;
    this.#unknown = 0;
    this.#remote.age(this.#cache);
  }

  /** Decodes and scans a body; its rows are in the batches then. */
  #take(written: WrittenBody, scope: AppendScope, strangers: StrangerList, adopted: AdoptedIndex | undefined): Taken {
    this.#exposition.clearRows();
    const plain = this.#plain(written);
    if ('malformed' in plain) return plain;
    const { leftOut = [] } = plain;
    const takesStarts = written.version === 2 && written.startTimes;
    const scanned = this.#remote.scan(this.#cache, plain.body, LIMITS, takesStarts);
    if (!scanned.ok) return refused(scanned);
    this.#unknown += scanned.misses;
    let invalidSeries = plain.faults.length;
    let firstInvalid = plain.faults[0];
    for (let miss = 0; miss < scanned.misses; miss++) {
      if (this.#remote.settle(this.#cache, miss)) continue;
      const fault = this.#remote.readLabels(miss, LIMITS);
      if (fault !== NO_FAULT) {
        this.#remote.refuse(this.#cache, miss);
        firstInvalid ??= this.#remote.describe(fault);
        invalidSeries++;
        continue;
      }
      this.#resolve(miss, scope, strangers, adopted);
    }
    const extras = scanned.histograms + scanned.metadata + (this.#exemplars.isOn ? scanned.exemplars : 0);
    // They are all taken the first time: a request that is completed is here for its rows.
    if (extras === 0 || adopted !== undefined) return { ...NOTHING_TAKEN, invalidSeries, firstInvalid, leftOut };
    const { address, length } = plain.body;
    try {
      const { series, metadata } = extrasOf(this.#core.bytes.subarray(address, address + length), takesStarts);
      return { malformed: undefined, invalidSeries, firstInvalid, extras: series, metadata, leftOut };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { ...NOTHING_TAKEN, invalidSeries: invalidSeries + 1, firstInvalid: error.message };
    }
  }

  /** A body as a request of version 1.0, until the next one is loaded. */
  #plain({ body, version, startTimes }: WrittenBody): Plain | Taken {
    if (typeof version === 'object') return this.#translated(body, version);
    const decoded = this.#remote.decodeAt(body.address, body.bytes, LIMITS);
    if (!decoded.ok) return refused(decoded);
    return version === 1 ? { body: decoded.body, faults: [] } : this.#rewritten(decoded.body, startTimes);
  }

  #translated({ address, bytes }: Span, otlp: OtlpBody): Plain | Taken {
    try {
      const { body, faults } = rewriteOtlp(this.#core.bytes.subarray(address, address + bytes), otlp);
      return { body: this.#exposition.load(body), faults: [], leftOut: faults };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { ...NOTHING_TAKEN, malformed: `malformed OTLP export: ${error.message}` };
    }
  }

  /** A body of version 2.0. */
  #rewritten({ address, length }: Body, startTimes: boolean): Plain | Taken {
    try {
      const { body, faults } = rewriteV2(this.#core.bytes.subarray(address, address + length), startTimes);
      return { body: this.#exposition.load(body), faults };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { ...NOTHING_TAKEN, malformed: `proto: malformed io.prometheus.write.v2.Request: ${error.message}` };
    }
  }

  /** Those of series that belong here; the others, by owner, and why some were refused. */
  #appendExtras(
    scope: AppendScope,
    all: readonly ExtraSeries[],
  ): { elsewhere: NonNullable<WriteReply['elsewhere']>; faults: string[] } {
    const elsewhere = new Map<number, AppendedSeries[]>();
    const faults: string[] = [];
    for (const { labels, histograms: received, exemplars } of all) {
      const histograms = received.map((one) => ({ ...one, histogram: withUsableSchema(one.histogram) }));
      const fault = histograms.map(({ histogram }) => histogramFault(histogram)).find((one) => one !== undefined);
      const stored = histograms.filter(({ histogram }) => histogramFault(histogram) === undefined);
      if (fault !== undefined) faults.push(fault);
      if (stored.length + exemplars.length === 0) continue;
      // Without histograms the labels were looked at with the floats.
      const owner = this.#ownerOf(labels, stored.length > 0 ? faults : []);
      if (owner === undefined) continue;
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
      this.#appendExemplars(scope, series, labels, exemplars);
    }
    return { elsewhere: [...elsewhere].map(([owner, series]) => ({ owner, series })), faults };
  }

  /** Of a series whose labels may have come in any order. */
  #appendExemplars(scope: AppendScope, series: SeriesIndex, labels: Labels, exemplars: readonly Exemplar[]): void {
    if (exemplars.length === 0) return;
    const packed = packLabels(labelsOf(pairsOf(labels)));
    for (const exemplar of exemplars) scope.exemplar(series, packed, exemplar);
  }

  /** Leaves the labels in the scratch; undefined where they are no label set. */
  #ownerOf(labels: Labels, faults: string[]): number | undefined {
    try {
      this.#exposition.scratch.write(labels);
    } catch (error) {
      if (!(error instanceof LabelError)) throw error;
      faults.push(error.message);
      return undefined;
    }
    if (labels.some((text, i) => i % 2 === 0 && text === '__name__')) return this.#head.owner(this.#place.count);
    faults.push('no metric name');
    return undefined;
  }

  /** Finds or makes the series whose labels are in the scratch. */
  #resolve(miss: number, scope: AppendScope, strangers: StrangerList, adopted: AdoptedIndex | undefined): void {
    const owner = this.#head.owner(this.#place.count);
    if (owner === this.#place.index) {
      const series = adopted === undefined ? scope.seriesOfScratch() : NO_SERIES;
      if (series === NO_SERIES) this.#remote.refuse(this.#cache, miss);
      else this.#remote.resolve(this.#cache, miss, series, this.#head.refLow(series), owner);
      return;
    }
    if (adopted === undefined && !scope.asks()) {
      this.#remote.refuse(this.#cache, miss);
      return;
    }
    const labels = this.#exposition.scratch.read();
    const found = adopted?.find(labels);
    if (found !== undefined && found.series >= 0) {
      this.#remote.resolve(this.#cache, miss, found.series, found.ref, found.owner);
      return;
    }
    if (found === undefined) strangers.add(owner, labels);
    this.#remote.refuse(this.#cache, miss);
  }

  #appendRows(scope: AppendScope): WriteReply['outgoing'] {
    const own = this.#exposition.rows(this.#place.index);
    scope.rows(own.address, own.count);
    const outgoing = takeOutgoing(this.#exposition, this.#place);
    this.#exposition.clearRows();
    return outgoing;
  }
}

/** A body that is no request; one for which there is no memory now may be a good one. */
function refused({ message, noMemory }: { readonly message: string; readonly noMemory: boolean }): Taken {
  if (noMemory) throw new OutOfMemory();
  return { ...NOTHING_TAKEN, malformed: message };
}

/** Those rows whose series are wanted. */
function rowsOf(rows: ArrayBuffer, isWanted: (series: number) => boolean): ArrayBuffer {
  const from = new Uint8Array(rows);
  const view = new DataView(rows);
  const kept = new Uint8Array(from.length);
  let end = 0;
  for (let at = 0; at < from.length; at += ROW_BYTES) {
    if (!isWanted(view.getUint32(at, true) & SERIES_OF_ROW)) continue;
    kept.set(from.subarray(at, at + ROW_BYTES), end);
    end += ROW_BYTES;
  }
  return kept.slice(0, end).buffer;
}

/** Samples (f64 ms, value bits) as rows of one series. */
export function packRows(series: number, ref: number, samples: ArrayBuffer): Uint8Array {
  const count = samples.byteLength / 16;
  const from = new DataView(samples);
  const rows = new DataView(new ArrayBuffer(count * ROW_BYTES));
  for (let i = 0; i < count; i++) {
    const at = i * ROW_BYTES;
    rows.setUint32(at, series, true);
    rows.setUint32(at + 4, ref, true);
    rows.setBigInt64(at + 8, BigInt(from.getFloat64(i * 16, true)), true);
    rows.setBigUint64(at + 16, from.getBigUint64(i * 16 + 8, true), true);
  }
  return new Uint8Array(rows.buffer);
}
