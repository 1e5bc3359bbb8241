// The query side of a shard: open fragments, evaluated one morsel a job.
//
// A query's series are in one or two stretches: those with floats alone, which the core
// evaluates where it has the function, and those with samples beside the head. Window
// functions that the core lacks run here, in TypeScript, over the raw samples of each
// morsel; so do all functions over series of the second kind, and aggregations over both.
// Main merges what the two give as it merges shards.

import { METADATA_LABELS } from '../model/labels.js';
import { lacksCounterName } from '../promql/counters.js';
import { ColumnsBuilder } from '../promql/exec/columns.js';
import { addFragmentRow, declines } from '../promql/exec/fragment-row.js';
import { foldColumns } from '../promql/exec/partial.js';
import { type Fragment, type Note, STOP_WORD } from '../promql/exec/source.js';
import { needsCounterName } from '../promql/exec/window/evaluate.js';
import { exactName } from '../promql/plan/pushdown.js';
import type { Core } from '../wasm/core.js';
import type { SeriesIndex } from '../wasm/head.js';
import { type Places, placesOf } from '../wasm/places.js';
import {
  hasWindowFn,
  MORSEL,
  type MorselSize,
  Queries,
  type Query,
  type QueryRows,
  type QueryWindow,
  type View,
} from '../wasm/query.js';
import { Select, type SeriesList } from '../wasm/select.js';
import { type ColumnsMessage, columnsMessage, partialMessage } from './column-messages.js';
import type { HistoryFeed } from './history/feed.js';
import { BlockHistograms, withBlocks } from './history/histograms.js';
import type { OpenHistory, ShardHistory } from './history/history.js';
import type { TimeSpan } from './history/selection.js';
import { eachMixed, eachSeries, type MorselSeries, mixedMessage } from './mixed-series.js';
import type { Morsel, Reply, Request, ShardSetup } from './protocol.js';
import { QueryFault } from './query-fault.js';
import { Scratch, type ScratchShare } from './scratch.js';
import type { SideSamples } from './side-samples.js';
import { Snapshots } from './snapshots.js';

/** Series times steps of one morsel, at most: some milliseconds, and 4 MiB of values. */
const MORSEL_CELLS = 2 ** 19;
/** The same where they are written as text, at some 40 ns a cell. */
const TEXT_CELLS = 2 ** 16;

/** While nobody waits a morsel takes so many times its samples, as in the core. */
const PATIENCE = 12;

/** Rows and states of groups are counted in 32 bits: a value of 8 bytes for each of so many steps fits several times. */
const STEPS_MAX = 2 ** 26;

type QuerySetup = Pick<ShardSetup, 'firstNumber' | 'morsel' | 'readers' | 'scratch'>;

/** Series of a query that are evaluated alike. */
interface Stretch {
  readonly list: SeriesList;
  readonly query: Query;
  /** What blocks have of these series, where they have anything. */
  readonly feed: HistoryFeed | undefined;
  /** Of a mixed stretch: the native histograms in blocks of the series of a morsel. */
  readonly histograms: BlockHistograms | undefined;
  /** By the core, which may leave rows as text; here, from floats; here, from all samples. */
  readonly by: 'core' | 'text' | 'floats' | 'mixed';
}

interface OpenedStretches {
  readonly stretches: Stretch[];
  readonly defer: OpenQuery['defer'];
}

/** (startMs, endMs]. */
interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

interface OpenQuery extends TimeRange {
  /** One more comes where blocks have histograms of series of the others. */
  readonly stretches: Stretch[];
  readonly history: OpenHistory;
  /** Opens a mixed stretch of series whose histograms came to light. */
  readonly defer: (numbers: Uint32Array) => Stretch;
  /** The stretch under way. */
  at: number;
  readonly fragment: Fragment | undefined;
  readonly watermark: number;
  /** Rows evaluated here whose groups are folded at the end. */
  readonly builder: ColumnsBuilder | undefined;
  readonly scratch: ScratchShare;
}

export class ShardQueries {
  readonly #core: Core;
  readonly #select: Select;
  readonly #queries: Queries;
  readonly #snapshots: Snapshots;
  readonly #side: SideSamples;
  readonly #history: ShardHistory;
  readonly #morsel: MorselSize;
  readonly #scratch: Scratch;
  readonly #open = new Map<number, OpenQuery>();
  #last: number;

  constructor(
    core: Core,
    side: SideSamples,
    history: ShardHistory,
    { firstNumber, morsel = MORSEL, readers, scratch }: QuerySetup,
  ) {
    this.#core = core;
    this.#side = side;
    this.#history = history;
    this.#last = firstNumber;
    this.#morsel = morsel;
    this.#scratch = new Scratch(core, scratch);
    this.#select = new Select(core);
    this.#queries = new Queries(core);
    this.#queries.setReaders(readers);
    this.#snapshots = new Snapshots(this.#queries);
  }

  /** The address of what this shard shares with its readers. */
  get round(): number {
    return this.#queries.round;
  }

  /** Whether readers have been called for. */
  get wantsReaders(): boolean {
    return this.#queries.calls > 0;
  }

  get openCount(): number {
    return this.#open.size;
  }

  open(request: Request<'openQuery'>): Reply<'openQuery'> {
    const { fragment, snapshot, watermark, render, stop } = request;
    const { startMs, stepMs, count } = fragment.steps;
    if (count > STEPS_MAX) throw new QueryFault('execution', `query has ${count} steps; a shard takes ${STEPS_MAX}`);
    const way = wayOf(fragment, render);
    if (fragment.quantile !== undefined && (!this.#side.isEmpty || (way !== 'core' && way !== 'text'))) return DECLINED;
    const endMs = startMs + stepMs * (count - 1);
    const range = { startMs: startMs - fragment.windowMs, endMs };
    const openOne = (list: SeriesList, by: Stretch['by']) => {
      const view = this.#snapshots.view(snapshot, watermark);
      if (by === 'floats' || by === 'mixed') return this.#openSamples(list, view, by, range);
      const window = { startMs, stepMs, steps: count, windowMs: fragment.windowMs, args: fragment.args };
      return this.#shaped(fragment, this.#openCore(list, view, fragment, window, by === 'text' ? render : undefined));
    };
    const builder = fragment.aggregate === undefined ? undefined : new ColumnsBuilder(count);
    return this.#add({ fragment, ...range, watermark, builder }, request, (history) =>
      this.#stretches(fragment.matchers, way, openOne, history, range, stop, fragment.fn),
    );
  }

  #openCore(
    list: SeriesList,
    view: View,
    { fn, dropName, aggregate, quantile }: Fragment,
    window: QueryWindow,
    render: Request<'openQuery'>['render'],
  ): Query {
    const grouped = aggregate ?? (quantile && { op: 'quantile' as const, ...quantile });
    if (render !== undefined) {
      const dropped = dropName && grouped === undefined ? [...METADATA_LABELS] : [];
      return this.#queries.openText(list, view, fn, window, dropped, render, grouped);
    }
    // Main takes the names off plain rows, and looks at them for the query's annotations.
    return this.#queries.open(list, view, fn, window, dropName && grouped !== undefined, grouped);
  }

  /** Closes the query where there is no memory for its shaping. */
  #shaped({ cells, best }: Fragment, query: Query): Query {
    if (cells === undefined && best === undefined) return query;
    try {
      this.#queries.shape(query, cells ?? [], best);
      return query;
    } catch (error) {
      query.close();
      throw error;
    }
  }

  openSamples(request: Request<'openSamples'>): Reply<'openQuery'> {
    const { matchers, windowMs, endMs, snapshot, watermark, stop } = request;
    const range = { startMs: endMs - windowMs, endMs };
    const openOne = (list: SeriesList, how: Stretch['by']) =>
      this.#openSamples(list, this.#snapshots.view(snapshot, watermark), how, range);
    return this.#add({ fragment: undefined, ...range, watermark, builder: undefined }, request, (history) =>
      this.#stretches(matchers, 'floats', openOne, history, range, stop),
    );
  }

  /** Where the series of a selector are; undefined where there are too many. */
  places({ matchers, most }: Request<'places'>): Places | undefined {
    const list = this.#select.series(matchers);
    try {
      if (list.count > most || this.#select.indexes(list).some((one) => this.#side.has(one as SeriesIndex)))
        return undefined;
      return placesOf(this.#core, list);
    } finally {
      this.#select.release(list);
    }
  }

  next(number: number): Reply<'nextMorsel'> {
    const open = this.#get(number);
    this.#history.cache.prepare();
    return this.#scratch.use(open.scratch, () => {
      const morsel = this.#next(open);
      this.#queries.trimRows();
      return morsel;
    });
  }

  #next(open: OpenQuery): Reply<'nextMorsel'> {
    const stretch = open.stretches[open.at]!;
    const { query } = stretch;
    const before = query.samples;
    const { aggregate, quantile } = open.fragment ?? {};
    const isText = stretch.by === 'text' && aggregate === undefined && quantile === undefined;
    const size = this.#morselOf(open.fragment, isText ? TEXT_CELLS : MORSEL_CELLS);
    let ended = this.#evaluateNext(stretch, size);
    // Of groups nothing comes out before the end, so what is loaded of blocks at a time need not be a morsel by itself.
    const isGrouped = stretch.by !== 'floats' && stretch.by !== 'mixed' && (aggregate ?? quantile) !== undefined;
    const most = before + size.samples * PATIENCE;
    while (isGrouped && stretch.feed?.isSpent(query) && query.samples < most && !this.#queries.isHurried) {
      ended = this.#evaluateNext(stretch, size);
    }
    const samples = query.samples - before;
    if (ended && quantile !== undefined && stretch.feed?.hasDeferred) return { ...DECLINED.first, samples };
    if (ended) this.#endStretch(open, stretch);
    const done = open.at === open.stretches.length;
    const morsel = {
      done,
      samples,
      columns: undefined,
      raw: undefined,
      notes: [],
      ...this.#take(open, stretch, ended),
    };
    return this.#faulty(open, query, morsel);
  }

  #evaluateNext({ feed, query }: Stretch, size: MorselSize): boolean {
    feed?.load(query);
    return query.next(size);
  }

  #endStretch(open: OpenQuery, { feed }: Stretch): void {
    open.at++;
    if (feed?.hasDeferred) open.stretches.push(open.defer(feed.takeDeferred()));
  }

  /** With what of the blocks could not be read, or decoded. */
  #faulty({ history }: OpenQuery, query: Query, morsel: Morsel): Morsel {
    const faults = history.faults.take();
    const damaged = query.takeCorrupt();
    if (damaged > 0) faults.push(`${damaged} chunks are damaged, their samples are missing`);
    return faults.length === 0 ? morsel : { ...morsel, faults };
  }

  closeSnapshot(snapshot: number): void {
    this.#scratch.count(undefined, () => {
      this.#snapshots.close(snapshot);
      this.#history.closeSnapshot(snapshot);
      this.#history.trim();
    });
  }

  close(number: number): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    this.#open.delete(number);
    this.#scratch.count(open.scratch, () => {
      this.#closeAll(open.stretches);
      open.history.close();
    });
    this.#scratch.count(undefined, () => this.#history.trim());
  }

  /** Fewer series where each has very many steps: time and memory of a morsel go by cells. */
  #morselOf(fragment: Fragment | undefined, cellsMax: number): MorselSize {
    const series = Math.floor(cellsMax / (fragment?.steps.count ?? 1));
    return { ...this.#morsel, series: Math.max(1, Math.min(this.#morsel.series, series)) };
  }

  /**
   * Finds the series and opens a query over each stretch of them: those with samples beside the head are
   * always evaluated here.
   */
  #stretches(
    matchers: Fragment['matchers'],
    by: Stretch['by'],
    open: (list: SeriesList, by: Stretch['by']) => Query,
    history: OpenHistory,
    range: TimeRange,
    stop: SharedArrayBuffer | undefined,
    fn?: string,
  ): OpenedStretches {
    const check = stop && (() => checkStop(stop));
    const span = spanOf(range);
    const past = history.select([matchers], span, check);
    const all = history.join(this.#select, this.#select.series(matchers, check), past);
    const isMixed = (series: SeriesIndex) => this.#side.has(series);
    const { rest, wanted } = this.#side.isEmpty ? { rest: all, wanted: undefined } : this.#select.part(all, isMixed);
    const lists: [SeriesList, Stretch['by']][] = [[rest, by]];
    if (wanted !== undefined && wanted.count > 0) lists.push([wanted, 'mixed']);
    const stretches: Stretch[] = [];
    const fed = (list: SeriesList, by: Stretch['by']): Stretch => {
      const query = open(list, by);
      const histograms = by === 'mixed' && past !== undefined ? new BlockHistograms() : undefined;
      return { list, query, by, histograms, feed: history.feed(query, list, past, span, histograms, fn) };
    };
    try {
      for (const [list, how] of lists) {
        stretches.push(fed(list, how));
      }
      const defer = (numbers: Uint32Array) => fed(this.#select.extended(NO_SERIES_LIST, numbers), 'mixed');
      return { stretches, defer };
    } catch (error) {
      this.#closeAll(stretches);
      for (const [list] of lists.slice(stretches.length)) this.#select.release(list);
      throw error;
    }
  }

  #openSamples(list: SeriesList, view: View, by: Stretch['by'], { startMs, endMs }: TimeRange): Query {
    if (by === 'mixed') return this.#queries.openAllSamples(list, view, endMs - startMs, endMs);
    return this.#queries.openSamples(list, view, endMs - startMs, endMs);
  }

  #closeAll(stretches: readonly Stretch[]): void {
    for (const { query, list, feed } of stretches) {
      feed?.close();
      query.close();
      this.#select.release(list);
    }
  }

  /** What the morsel just evaluated gives. */
  #take(open: OpenQuery, stretch: Stretch, ended: boolean): Partial<Morsel> {
    const { query, by } = stretch;
    const { fragment } = open;
    if (fragment === undefined) {
      if (by === 'floats') return { raw: query.rawSamples() };
      return { raw: mixedMessage(this.#series(open, stretch), open.startMs, open.endMs) };
    }
    if (by === 'text') return { text: query.text() };
    if (by !== 'core') return this.#evaluate(open, fragment, this.#series(open, stretch));
    if (fragment.quantile !== undefined) return ended ? quantilesOf(query, fragment) : {};
    if (fragment.aggregate === undefined) return { columns: rowsMessage(query.rows()) };
    return ended ? groupsOf(query, fragment) : {};
  }

  #series(
    { watermark, history, startMs, endMs }: OpenQuery,
    { query, by, histograms }: Stretch,
  ): Iterable<MorselSeries> {
    if (by !== 'mixed') return eachSeries(query.rawSamples());
    const raw = query.allSamples();
    const { faults } = history;
    const rangeOf = (series: number) => ({ startMs, endMs, watermark, cutMs: query.cutMs(series), faults });
    const mixed = eachMixed(raw, this.#side, rangeOf);
    return histograms === undefined ? mixed : withBlocks(raw, mixed, histograms, history.floorMs);
  }

  /** Evaluates a fragment over the series of a morsel; groups are folded when all stretches have ended. */
  #evaluate(open: OpenQuery, fragment: Fragment, all: Iterable<MorselSeries>): Partial<Morsel> {
    const builder = open.builder ?? new ColumnsBuilder(fragment.steps.count);
    for (const { labels, ...samples } of all) addFragmentRow(fragment, labels, samples, builder);
    if (declines(fragment, builder)) return { declined: true };
    if (fragment.aggregate === undefined) {
      const columns = builder.finish();
      return { columns: columnsMessage(columns), notes: [...(columns.notes ?? [])] };
    }
    if (open.at < open.stretches.length) return {};
    const columns = builder.finish();
    const partial = foldColumns(columns, fragment.aggregate);
    return { columns: partialMessage(partial), notes: [...(columns.notes ?? []), ...(partial.notes ?? [])] };
  }

  /** Evaluates the first morsel at once: most queries have only this one, and are closed with it. */
  #add(
    what: Omit<OpenQuery, 'stretches' | 'defer' | 'history' | 'at' | 'scratch'>,
    { snapshot, isRule }: Pick<Request<'openQuery'>, 'snapshot' | 'isRule'>,
    openStretches: (history: OpenHistory) => OpenedStretches,
  ): Reply<'openQuery'> {
    const scratch: ScratchShare = { bytes: 0, isRule: isRule === true };
    const history = this.#history.open(snapshot, what.watermark);
    const opened = orClose(history, () => this.#scratch.use(scratch, () => openStretches(history)));
    const { stretches } = opened;
    const query = ++this.#last;
    this.#open.set(query, { ...what, ...opened, history, at: 0, scratch });
    const series = stretches.reduce((sum, { list }) => sum + list.count, 0);
    if (what.fragment?.quantile !== undefined && series * what.fragment.steps.count > MORSEL_CELLS) {
      // Selecting of so many takes long, and cannot be done a morsel at a time.
      this.close(query);
      return DECLINED;
    }
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

  get select(): Select {
    return this.#select;
  }

  get core(): Core {
    return this.#core;
  }
}

/** Closes the history where the action fails. */
function orClose<T>(history: OpenHistory, action: () => T): T {
  try {
    return action();
  } catch (error) {
    history.close();
    throw error;
  }
}

/** Both ends in it. */
function spanOf({ startMs, endMs }: TimeRange): TimeSpan {
  return { minTimeMs: Math.floor(startMs) + 1, maxTimeMs: Math.floor(endMs) };
}

function checkStop(stop: SharedArrayBuffer): void {
  if (Atomics.load(new Int32Array(stop), STOP_WORD) !== 0) throw new QueryFault('execution', 'query has ended');
}

const NO_SERIES_LIST: SeriesList = { address: 0, count: 0, bytes: 0 };

/** Of a query that is not begun. */
const DECLINED: Reply<'openQuery'> = {
  query: 0,
  series: 0,
  first: { done: true, samples: 0, columns: undefined, raw: undefined, notes: [], declined: true },
};

function rowsMessage({ labels, count, values, present }: QueryRows): ColumnsMessage {
  return { ...labels, rowCount: count, values: [values], present };
}

/** How the series of a fragment are evaluated where they have floats alone. */
function wayOf({ fn }: Fragment, render: Request<'openQuery'>['render']): Stretch['by'] {
  if (hasWindowFn(fn)) return render === undefined ? 'core' : 'text';
  return fn === 'start_timestamp' ? 'mixed' : 'floats';
}

function groupsOf(query: Query, fragment: Fragment): Partial<Morsel> {
  const { labels, count, state, present } = query.groups();
  return remarked({ ...labels, rowCount: count, values: state, present }, fragment);
}

function quantilesOf(query: Query, fragment: Fragment): Partial<Morsel> {
  return remarked(rowsMessage(query.groupRows()), fragment);
}

/** Groups, and the remark about the name of those that went into them. */
function remarked(columns: ColumnsMessage, { fn, matchers }: Fragment): Partial<Morsel> {
  if (columns.rowCount === 0 || !needsCounterName(fn)) return { columns };
  // Such functions go down with an aggregation only where the name is one: see pushdown.ts.
  const metric = exactName(matchers) ?? '';
  const notes: Note[] = lacksCounterName(metric) ? [{ kind: 'no-counter-name', metric }] : [];
  return { columns, notes };
}
