// /federate in a shard: open ones, and the text of their next families.

import type { Labels } from '../model/labels.js';
import type { Core } from '../wasm/core.js';
import { Federation } from '../wasm/federate.js';
import { Queries, type Query } from '../wasm/query.js';
import type { Select, SeriesList } from '../wasm/select.js';
import type { Reply, Request } from './protocol.js';

interface Open {
  readonly list: SeriesList;
  readonly query: Query;
  readonly federation: Federation;
}

export class ShardFederations {
  readonly #core: Core;
  readonly #select: Select;
  readonly #queries: Queries;
  readonly #open = new Map<number, Open>();
  #last: number;

  constructor(core: Core, select: Select, firstNumber: number) {
    this.#core = core;
    this.#last = firstNumber;
    this.#select = select;
    this.#queries = new Queries(core);
  }

  open(request: Request<'openFederate'>): Reply<'openFederate'> {
    const { selectors, fromMs, toMs, watermark, externalLabels, utf8 } = request;
    const list = this.#select.anyOf(selectors);
    const window = { startMs: toMs, stepMs: 1, steps: 1, windowMs: toMs - fromMs };
    const query = this.#releasing(list, () =>
      this.#queries.open(list, this.#queries.view(watermark), 'last', window, false),
    );
    const federation = this.#start(list, query, externalLabels, utf8);
    this.#open.set(++this.#last, { list, query, federation });
    return { query: this.#last, names: federation.names.length };
  }

  next(request: Request<'nextFederate'>): Reply<'nextFederate'> {
    return this.#get(request.query).federation.next(request.bytes);
  }

  close(number: number): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    this.#open.delete(number);
    open.federation.close();
    open.query.close();
    this.#select.release(open.list);
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
