// Remote reads in a shard: open ones, and the messages of their next series.

import { MessageWriter } from '../base/message-writer.js';
import type { Core } from '../wasm/core.js';
import { type MorselSize, Queries } from '../wasm/query.js';
import type { Select, SeriesList } from '../wasm/select.js';
import { encodeLabels } from './columns.js';
import type { HistogramStore } from './histogram-store.js';
import type { OpenHistory, ShardHistory } from './history/history.js';
import type { Reply, Request } from './protocol.js';
import { writeSeries } from './read-messages.js';
import { ALONE } from './snapshots.js';
import { StoredReader } from './stored-series.js';

interface Open {
  readonly request: Request<'openRead'>;
  readonly list: SeriesList;
  readonly history: OpenHistory;
  readonly reader: StoredReader;
}

/** Some milliseconds: to encode a sample takes longer than to decode it. */
const MORSEL: MorselSize = { samples: 20_000, series: 2000 };

export class ShardReads {
  readonly #select: Select;
  readonly #history: ShardHistory;
  readonly #store: HistogramStore;
  readonly #queries: Queries;
  readonly #open = new Map<number, Open>();
  #last: number;

  constructor(core: Core, select: Select, history: ShardHistory, store: HistogramStore, firstNumber: number) {
    this.#select = select;
    this.#history = history;
    this.#store = store;
    this.#queries = new Queries(core);
    this.#last = firstNumber;
  }

  open(request: Request<'openRead'>): Reply<'openRead'> {
    const { matchers, startMs, endMs, watermark } = request;
    const history = this.#history.open(ALONE, watermark);
    try {
      const span = { minTimeMs: startMs, maxTimeMs: endMs };
      const past = history.select([matchers], span);
      const list = history.join(this.#select, this.#select.series(matchers), past);
      const parts = { queries: this.#queries, histograms: this.#store, history };
      const reader = this.#releasing(
        list,
        () => new StoredReader(parts, list, this.#queries.view(watermark), span, past),
      );
      this.#open.set(++this.#last, { request, list, history, reader });
      return { read: this.#last, series: list.count };
    } catch (error) {
      history.close();
      throw error;
    }
  }

  next(number: number): Reply<'nextRead'> {
    const open = this.#open.get(number);
    if (open === undefined) throw new Error(`read ${number} is not open`);
    this.#history.cache.prepare();
    const { reader, request, history } = open;
    const series = reader.next(MORSEL).filter(({ times, histograms }) => times.length + histograms.length > 0);
    const to = new MessageWriter(Number.MAX_SAFE_INTEGER, 1 << 16);
    const ends: number[] = [];
    const counts = new Uint32Array(series.length);
    let samples = 0;
    series.forEach((one, i) => {
      const its = writeSeries(to, one, request);
      counts[i] = its.length;
      for (const end of its) ends.push(end);
      samples += one.times.length + one.histograms.length;
    });
    return {
      ...{ done: reader.done, samples, faults: history.faults.take() },
      labels: encodeLabels(series.map(({ labels }) => labels)),
      counts: counts.buffer,
      ends: Uint32Array.from(ends).buffer,
      messages: to.finish().slice().buffer,
    };
  }

  close(number: number): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    this.#open.delete(number);
    open.reader.close();
    this.#select.release(open.list);
    open.history.close();
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
}
