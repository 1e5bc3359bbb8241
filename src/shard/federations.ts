// /federate in a shard: open ones, and the text of their next families.

import type { Labels } from '../model/labels.js';
import type { Core } from '../wasm/core.js';
import { Federation } from '../wasm/federate.js';
import { Queries, type Query } from '../wasm/query.js';
import type { Select, SeriesList } from '../wasm/select.js';
import type { HistoryFeed } from './history/feed.js';
import type { OpenHistory, ShardHistory } from './history/history.js';
import type { Reply, Request } from './protocol.js';
import { ALONE } from './snapshots.js';

interface Open {
  readonly list: SeriesList;
  readonly query: Query;
  readonly federation: Federation;
  readonly history: OpenHistory;
  readonly feed: HistoryFeed | undefined;
}

export class ShardFederations {
  readonly #core: Core;
  readonly #select: Select;
  readonly #history: ShardHistory;
  readonly #queries: Queries;
  readonly #open = new Map<number, Open>();
  #last: number;

  constructor(core: Core, select: Select, history: ShardHistory, firstNumber: number) {
    this.#core = core;
    this.#last = firstNumber;
    this.#select = select;
    this.#history = history;
    this.#queries = new Queries(core);
  }

  open(request: Request<'openFederate'>): Reply<'openFederate'> {
    const { selectors, fromMs, toMs, watermark, externalLabels, utf8 } = request;
    const history = this.#history.open(ALONE, watermark);
    try {
      const span = { minTimeMs: Math.floor(fromMs) + 1, maxTimeMs: Math.floor(toMs) };
      const past = history.select(selectors, span);
      const list = history.join(this.#select, this.#select.anyOf(selectors), past);
      const window = { startMs: toMs, stepMs: 1, steps: 1, windowMs: toMs - fromMs };
      const query = this.#releasing(list, () =>
        this.#queries.open(list, this.#queries.view(watermark), 'last', window, false),
      );
      const federation = this.#start(list, query, externalLabels, utf8);
      const feed = history.feed(query, federation.list, past, span);
      this.#open.set(++this.#last, { list, query, federation, history, feed });
      return { query: this.#last, names: federation.names.length };
    } catch (error) {
      history.close();
      throw error;
    }
  }

  next(request: Request<'nextFederate'>): Reply<'nextFederate'> {
    const { federation, feed, query } = this.#get(request.query);
    this.#history.cache.prepare();
    feed?.load(query, federation.place);
    return federation.next(request.bytes);
  }

  close(number: number): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    this.#open.delete(number);
    open.feed?.close();
    open.federation.close();
    open.query.close();
    this.#select.release(open.list);
    open.history.close();
  }

  /** Releases the list where opening a query over it fails. */
  #releasing(list: SeriesList, open: () => Query): Query {
    try {
      return open();
    } catch (error) {
      this.#select.release(list);
      throw error;
    }
  }

  #start(list: SeriesList, query: Query, external: Labels, utf8: boolean): Federation {
    try {
      return new Federation(this.#core, query, list, external, utf8);
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
