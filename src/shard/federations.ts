// /federate in a shard: open ones, and their next families.
//
//   floats       the core renders all series whose newest sample is a float
//   histograms   series of the head with native histograms: a part of its own, so that main can merge both by family
//   the rest     series of which the history has chunks of histograms, late ones or those of blocks, which come to
//                light while floats are rendered: behind these

import type { Core } from '../wasm/core.js';
import { Federation } from '../wasm/federate.js';
import type { SeriesIndex } from '../wasm/head.js';
import { type MorselSize, Queries, type Query } from '../wasm/query.js';
import type { Select, SeriesList } from '../wasm/select.js';
import { type FederatedBlock, type IsWanted, SampleWriter } from './federate-samples.js';
import type { HistogramStore } from './histogram-store.js';
import type { HistoryFeed } from './history/feed.js';
import type { OpenHistory, ShardHistory } from './history/history.js';
import type { HistorySelection, TimeSpan } from './history/selection.js';
import type { Reply, Request } from './protocol.js';
import { ALONE } from './snapshots.js';
import { StoredReader } from './stored-series.js';

/** Series that are rendered in TypeScript. */
interface Part {
  readonly list: SeriesList;
  readonly reader: StoredReader;
  readonly writer: SampleWriter;
  readonly isWanted: IsWanted;
}

interface Open {
  readonly request: Request<'openFederate'>;
  readonly list: SeriesList;
  readonly query: Query;
  readonly federation: Federation;
  readonly history: OpenHistory;
  readonly past: HistorySelection | undefined;
  readonly span: TimeSpan;
  readonly feed: HistoryFeed;
  /** Numbers of those that have histograms in the head. */
  readonly mixed: ReadonlySet<number>;
  readonly histograms: Part | undefined;
  rest: Part | undefined;
}

/** Of the samples of the lookback one of each series is wanted. */
const MORSEL: MorselSize = { samples: 50_000, series: 2000 };

const NO_SERIES: SeriesList = { address: 0, count: 0, bytes: 0 };

export class ShardFederations {
  readonly #core: Core;
  readonly #select: Select;
  readonly #history: ShardHistory;
  readonly #store: HistogramStore;
  readonly #queries: Queries;
  readonly #open = new Map<number, Open>();
  #last: number;

  constructor(core: Core, select: Select, history: ShardHistory, store: HistogramStore, firstNumber: number) {
    this.#core = core;
    this.#last = firstNumber;
    this.#select = select;
    this.#history = history;
    this.#store = store;
    this.#queries = new Queries(core);
  }

  open(request: Request<'openFederate'>): Reply<'openFederate'> {
    const { selectors, fromMs, toMs, watermark } = request;
    const history = this.#history.open(ALONE, watermark);
    try {
      const span = { minTimeMs: Math.floor(fromMs) + 1, maxTimeMs: Math.floor(toMs) };
      const past = history.select(selectors, span);
      const list = history.join(this.#select, this.#select.anyOf(selectors), past);
      const window = { startMs: toMs, stepMs: 1, steps: 1, windowMs: toMs - fromMs };
      const query = this.#releasing(list, () =>
        this.#queries.open(list, this.#queries.view(watermark), 'last', window, false),
      );
      const federation = this.#start(list, query, request);
      const feed = history.feed(query, federation.list, past, span);
      const opened = { request, list, query, federation, history, past, span, feed };
      const numbers = this.#mixedOf(federation);
      const histograms = this.#histograms(opened, numbers);
      this.#open.set(++this.#last, { ...opened, mixed: new Set(numbers), histograms, rest: undefined });
      return { query: this.#last, names: federation.names.length, hasHistograms: histograms !== undefined };
    } catch (error) {
      history.close();
      throw error;
    }
  }

  next({ query: number, bytes, part }: Request<'nextFederate'>): Reply<'nextFederate'> {
    const open = this.#get(number);
    this.#history.cache.prepare();
    if (part === 'histograms') return nextOf(open.histograms);
    if (open.rest !== undefined) return nextOf(open.rest);
    const { federation, feed, query } = open;
    feed.load(query, federation.place);
    const { done, text, blocks } = federation.next(bytes);
    if (done && feed.hasDeferred) open.rest = this.#restOf(open);
    const typed = blocks.map((block): FederatedBlock => ({ ...block, type: 'untyped' }));
    return { done: done && open.rest === undefined, text, blocks: typed };
  }

  close(number: number): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    this.#open.delete(number);
    this.#closePart(open.histograms);
    this.#closePart(open.rest);
    this.#closeFloats(open);
    open.history.close();
  }

  #closeFloats({ feed, federation, query, list }: Pick<Open, 'feed' | 'federation' | 'query' | 'list'>): void {
    feed.close();
    federation.close();
    query.close();
    this.#select.release(list);
  }

  #closePart(part: Part | undefined): void {
    if (part === undefined) return;
    part.reader.close();
    this.#select.release(part.list);
  }

  /** Series with histograms in the head, in the order of their families. */
  #mixedOf({ list }: Federation): Uint32Array {
    if (this.#store.isEmpty) return new Uint32Array(0);
    return this.#select.indexes(list).filter((one) => this.#store.has(one as SeriesIndex));
  }

  /** The floats of these series are the core's. Closes what is open where memory is refused. */
  #histograms(opened: Omit<Open, 'mixed' | 'histograms' | 'rest'>, numbers: Uint32Array): Part | undefined {
    if (numbers.length === 0) return undefined;
    try {
      return this.#part(opened, numbers, (_, isFloat) => !isFloat);
    } catch (error) {
      this.#closeFloats(opened);
      throw error;
    }
  }

  #restOf(open: Open): Part {
    const { mixed, feed } = open;
    return this.#part(open, feed.takeDeferred(), (number, isFloat) => isFloat || !mixed.has(number));
  }

  #part(
    { request, history, past, span }: Omit<Open, 'mixed' | 'histograms' | 'rest'>,
    numbers: Uint32Array,
    isWanted: IsWanted,
  ): Part {
    const list = this.#select.extended(NO_SERIES, numbers);
    return this.#releasing(list, () => {
      const parts = { queries: this.#queries, histograms: this.#store, history };
      const view = this.#queries.view(request.watermark);
      const reader = new StoredReader(parts, list, view, span, past);
      return { list, reader, writer: new SampleWriter(request), isWanted };
    });
  }

  /** Releases the list where opening a query over it fails. */
  #releasing<T>(list: SeriesList, open: () => T): T {
    try {
      return open();
    } catch (error) {
      this.#select.release(list);
      throw error;
    }
  }

  #start(list: SeriesList, query: Query, request: Request<'openFederate'>): Federation {
    try {
      return new Federation(this.#core, query, list, request);
    } catch (error) {
      query.close();
      this.#select.release(list);
      throw error;
    }
  }

  #get(number: number): Open {
    const open = this.#open.get(number);
    if (open === undefined) throw new Error(`federation ${number} is not open`);
    return open;
  }
}

function nextOf(part: Part | undefined): Reply<'nextFederate'> {
  if (part === undefined || part.reader.done) return { done: true, text: new ArrayBuffer(0), blocks: [] };
  const { reader, writer, isWanted } = part;
  const written = writer.write(reader.next(MORSEL), isWanted);
  return { done: reader.done, ...written };
}
