// The query side of a shard: open fragments, evaluated one morsel a job.
//
// Window functions that the core lacks run here, in TypeScript, over the raw samples
// of each morsel; so do aggregations over them.

import type { Labels } from '../model/labels.js';
import { METADATA_LABELS, METRIC_NAME, valueOf, withoutMetadata } from '../model/labels.js';
import { ColumnsBuilder } from '../promql/exec/columns.js';
import { foldColumns } from '../promql/exec/partial.js';
import type { Columns, Fragment, Note } from '../promql/exec/source.js';
import { evaluateWindows, lacksCounterName, needsCounterName } from '../promql/exec/window/evaluate.js';
import type { Core } from '../wasm/core.js';
import { hasWindowFn, MORSEL, type MorselSize, Queries, type Query, type QuerySamples } from '../wasm/query.js';
import { Select, type SeriesList } from '../wasm/select.js';
import { decodeLabels, encodeLabels } from './columns.js';
import type { ColumnsMessage, Reply, Request } from './protocol.js';
import { Snapshots } from './snapshots.js';

/** Series times steps of one morsel, at most: some milliseconds, and 4 MiB of values. */
const MORSEL_CELLS = 2 ** 19;
/** The same where they are written as text, at some 40 ns a cell. */
const TEXT_CELLS = 2 ** 16;

interface OpenQuery {
  readonly list: SeriesList;
  readonly query: Query;
  readonly fragment: Fragment | undefined;
  /** Rows of TypeScript functions whose groups are folded at the end. */
  readonly builder: ColumnsBuilder | undefined;
  /** Whether rows come out as text. */
  readonly isText?: boolean;
}

export class ShardQueries {
  readonly #core: Core;
  readonly #select: Select;
  readonly #queries: Queries;
  readonly #snapshots: Snapshots;
  readonly #morsel: MorselSize;
  readonly #open = new Map<number, OpenQuery>();
  #last: number;

  constructor(core: Core, firstNumber = 0, morsel = MORSEL) {
    this.#core = core;
    this.#last = firstNumber;
    this.#morsel = morsel;
    this.#select = new Select(core);
    this.#queries = new Queries(core);
    this.#snapshots = new Snapshots(this.#queries);
  }

  get openCount(): number {
    return this.#open.size;
  }

  open({ fragment, snapshot, watermark, render }: Request<'openQuery'>): Reply<'openQuery'> {
    const list = this.#select.series(fragment.matchers);
    const open = this.#guard(list, (): OpenQuery => {
      const view = this.#snapshots.view(snapshot, watermark);
      const { startMs, stepMs, count } = fragment.steps;
      if (hasWindowFn(fragment.fn)) {
        const window = { startMs, stepMs, steps: count, windowMs: fragment.windowMs };
        if (render !== undefined) {
          const dropped = fragment.dropName ? [...METADATA_LABELS] : [];
          const query = this.#queries.openText(list, view, fragment.fn, window, dropped, render);
          return { list, query, fragment, builder: undefined, isText: true };
        }
        // Main takes the names off plain rows, and looks at them for the query's annotations.
        const dropName = fragment.dropName && fragment.aggregate !== undefined;
        const query = this.#queries.open(list, view, fragment.fn, window, dropName, fragment.aggregate);
        return { list, query, fragment, builder: undefined };
      }
      const endMs = startMs + stepMs * (count - 1);
      const query = this.#queries.openSamples(list, view, endMs - startMs + fragment.windowMs, endMs);
      const builder = fragment.aggregate === undefined ? undefined : new ColumnsBuilder(count);
      return { list, query, fragment, builder };
    });
    return this.#add(open);
  }

  openSamples({ matchers, windowMs, endMs, snapshot, watermark }: Request<'openSamples'>): Reply<'openQuery'> {
    const list = this.#select.series(matchers);
    const open = this.#guard(list, (): OpenQuery => {
      const query = this.#queries.openSamples(list, this.#snapshots.view(snapshot, watermark), windowMs, endMs);
      return { list, query, fragment: undefined, builder: undefined };
    });
    return this.#add(open);
  }

  next(number: number): Reply<'nextMorsel'> {
    const open = this.#get(number);
    const { query, fragment, isText = false } = open;
    const before = query.samples;
    const done = query.next(this.#morselOf(fragment, isText ? TEXT_CELLS : MORSEL_CELLS));
    const samples = query.samples - before;
    if (isText) return { done, samples, columns: undefined, raw: undefined, notes: [], text: query.text() };
    if (fragment === undefined) return { done, samples, raw: query.rawSamples(), columns: undefined, notes: [] };
    if (!hasWindowFn(fragment.fn)) return { done, samples, ...this.#evaluate(open, query.rawSamples(), done) };
    const columns = fragment.aggregate === undefined ? rowsMessage(query) : done ? groupsMessage(query) : undefined;
    return { done, samples, columns, raw: undefined, notes: [] };
  }

  closeSnapshot(snapshot: number): void {
    this.#snapshots.close(snapshot);
  }

  close(number: number): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    this.#open.delete(number);
    open.query.close();
    this.#select.release(open.list);
  }

  /** Fewer series where each has very many steps: time and memory of a morsel go by cells. */
  #morselOf(fragment: Fragment | undefined, cellsMax: number): MorselSize {
    const series = Math.floor(cellsMax / (fragment?.steps.count ?? 1));
    return { ...this.#morsel, series: Math.max(1, Math.min(this.#morsel.series, series)) };
  }

  /** Evaluates a TypeScript window function over the samples of a morsel. */
  #evaluate(
    open: OpenQuery,
    raw: QuerySamples,
    done: boolean,
  ): { columns: ColumnsMessage | undefined; raw: undefined; notes: Note[] } {
    const fragment = open.fragment!;
    const builder = open.builder ?? new ColumnsBuilder(fragment.steps.count);
    const notes: Note[] = [];
    for (const series of eachSeries(raw)) evaluateSeries(series, fragment, builder, notes);
    if (open.builder !== undefined && !done) return { columns: undefined, raw: undefined, notes };
    const columns = builder.finish();
    return {
      columns: fragment.aggregate === undefined ? columnsMessage(columns) : partialMessage(columns, fragment),
      raw: undefined,
      notes,
    };
  }

  /** Evaluates the first morsel at once: most queries have only this one, and are closed with it. */
  #add(open: OpenQuery): Reply<'openQuery'> {
    const query = ++this.#last;
    this.#open.set(query, open);
    const series = open.list.count;
    try {
      const first = this.next(query);
      if (!first.done) return { query, series, first };
      this.close(query);
      return { query, series, first };
    } catch (error) {
      this.close(query);
      throw error;
    }
  }

  #get(number: number): OpenQuery {
    const open = this.#open.get(number);
    if (open === undefined) throw new Error(`query ${number} is not open`);
    return open;
  }

  /** Releases the list when opening fails, before a query has it. */
  #guard<T>(list: SeriesList, open: () => T): T {
    try {
      return open();
    } catch (error) {
      this.#select.release(list);
      throw error;
    }
  }

  get select(): Select {
    return this.#select;
  }

  get core(): Core {
    return this.#core;
  }
}

interface SeriesSamples {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
}

function* eachSeries(raw: QuerySamples): Generator<SeriesSamples> {
  const counts = new Uint32Array(raw.counts);
  const labels = decodeLabels(raw.labels.strings, raw.labels.rows, counts.length);
  const times = new Float64Array(raw.times);
  const values = new Float64Array(raw.values);
  let at = 0;
  for (let i = 0; i < counts.length; i++) {
    const end = at + counts[i]!;
    yield { labels: labels[i]!, times: times.subarray(at, end), values: values.subarray(at, end) };
    at = end;
  }
}

function evaluateSeries(series: SeriesSamples, fragment: Fragment, builder: ColumnsBuilder, notes: Note[]): void {
  const metric = valueOf(series.labels, METRIC_NAME);
  const offset = builder.row(fragment.dropName ? withoutMetadata(series.labels) : series.labels);
  const row = { values: builder.values, present: builder.present, histograms: builder.histograms, offset };
  const samples = { times: series.times, values: series.values, count: series.times.length };
  const found = evaluateWindows(fragment, samples, row, (kind) => notes.push({ kind, metric }));
  if (found === 0) builder.dropRow();
  else if (needsCounterName(fragment.fn) && lacksCounterName(metric)) notes.push({ kind: 'no-counter-name', metric });
}

function rowsMessage(query: Query): ColumnsMessage {
  const { labels, count, values, present } = query.rows();
  return { ...labels, rowCount: count, values: [values], present };
}

function groupsMessage(query: Query): ColumnsMessage {
  const { labels, count, state, present } = query.groups();
  return { ...labels, rowCount: count, values: state, present };
}

function columnsMessage(columns: Columns): ColumnsMessage {
  const cells = columns.labels.length * columns.steps;
  return {
    ...encodeLabels(columns.labels),
    rowCount: columns.labels.length,
    values: [columns.values.slice(0, cells).buffer],
    present: columns.present.slice(0, cells).buffer,
  };
}

function partialMessage(columns: Columns, fragment: Fragment): ColumnsMessage {
  const partial = foldColumns(columns, fragment.aggregate!);
  return {
    ...encodeLabels(partial.labels),
    rowCount: partial.labels.length,
    values: partial.state.map((column) => column.slice().buffer),
    present: partial.present.slice().buffer,
  };
}
