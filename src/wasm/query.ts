// The façade of the query kernel: fragments evaluated in the core, morsel by morsel.

import { AggregateOp, QueryMode, READERS_MAX, Status } from '../../assembly/layout.js';
import type { Core } from './core.js';
import { AGGREGATE_OPS, type AggregateName, WINDOW_FNS } from './eval.js';
import { copyOut, type LabelTable, takeLabelTable } from './label-table.js';
import { OutOfMemory } from './out-of-memory.js';
import { openRendering, type RenderedText, type Rendering, type RenderSpec, takeText } from './render.js';
import type { SeriesList } from './select.js';
import { openShaping, type QueryCellOp, type QueryKeep, type Shaping } from './shaping.js';
import { NO_SYMBOL, symbolOf } from './strings.js';

export { READERS_MAX };

/** How much of a query is evaluated at once, before others get their turn. */
export interface MorselSize {
  /** Samples decoded. */
  readonly samples: number;
  /** Series looked at, where they have few samples each. */
  readonly series: number;
}

/** About two milliseconds. */
export const MORSEL: MorselSize = { samples: 200_000, series: 50_000 };

/** What a query computes over each series, and when. */
export interface QueryWindow {
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
  readonly windowMs: number;
  /** Of the function, as those of a fragment. */
  readonly args?: readonly number[];
}

/** How rows are folded into groups. */
export interface QueryAggregate {
  readonly op: AggregateName;
  readonly grouping: 'by' | 'without';
  readonly labels: readonly string[];
}

/** Groups whose φ-quantiles, φ in [0, 1], are wanted: of them there are no shares, one shard makes them whole. */
export interface QueryQuantile {
  readonly op: 'quantile';
  readonly phi: number;
  readonly grouping: 'by' | 'without';
  readonly labels: readonly string[];
}

type GroupOp = (QueryAggregate | QueryQuantile)['op'];

function codeOf(op: GroupOp): AggregateOp {
  return op === 'quantile' ? AggregateOp.Quantile : AGGREGATE_OPS.get(op)!;
}

/** Rows of one morsel. */
export interface QueryRows {
  readonly labels: LabelTable;
  readonly count: number;
  /** count × steps f64. */
  readonly values: ArrayBuffer;
  /** count × steps bytes. */
  readonly present: ArrayBuffer;
}

/** Raw samples of one morsel's series. */
export interface QuerySamples {
  readonly labels: LabelTable;
  /** Samples of each series (u32). */
  readonly counts: ArrayBuffer;
  readonly times: ArrayBuffer;
  readonly values: ArrayBuffer;
}

/** All samples of one morsel's series, stale markers among them, of each series even where it has none. */
export interface QueryAllSamples extends QuerySamples {
  /** Of each series (u32). */
  readonly series: ArrayBuffer;
}

/** The share of this core in an aggregation: groups and state columns as promql/exec/partial.ts has them. */
export interface QueryGroups {
  readonly labels: LabelTable;
  readonly count: number;
  readonly present: ArrayBuffer;
  readonly state: ArrayBuffer[];
}

/** Whether the kernel has a window function; others run in TypeScript over raw samples. */
export function hasWindowFn(fn: string): boolean {
  return WINDOW_FNS.has(fn);
}

/** Series changed by appends after a query's watermark, as the query must see them. Owned by the query that is opened with it. */
export type View = number & { readonly __ref: 'View' };

export class Queries {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** How many readers may be called to help with a query. */
  setReaders(count: number): void {
    this.#core.exports.round_readers(count);
  }

  /** The address of what the core shares with its readers, for as long as it lives. */
  get round(): number {
    return this.#core.exports.round_address() >>> 0;
  }

  /** Series that readers evaluated. */
  get helped(): number {
    return this.#core.exports.round_helped();
  }

  /** How often readers were called. */
  get calls(): number {
    return this.#core.exports.round_calls();
  }

  /** Whether others wait for this core. */
  get isHurried(): boolean {
    return this.#core.exports.round_hurried();
  }

  /** Gives back what the rows of a large morsel took, once they are copied. */
  trimRows(): void {
    this.#core.exports.query_trim_rows();
  }

  /** Freezes what is visible at a watermark, for queries that are opened with it. */
  view(watermark: number): View {
    const view = this.#core.exports.journal_open(watermark) >>> 0;
    if (view === 0) throw new OutOfMemory();
    return view as View;
  }

  /** Another view of the same, for another query. */
  copyView(view: View): View {
    const copy = this.#core.exports.journal_copy(view) >>> 0;
    if (copy === 0) throw new OutOfMemory();
    return copy as View;
  }

  /** For a view that no query took. */
  closeView(view: View): void {
    this.#core.exports.journal_close(view);
  }

  /** Takes the view; the list stays the caller's until close(). */
  open(
    list: SeriesList,
    view: View,
    fn: string,
    window: QueryWindow,
    dropName: boolean,
    aggregate?: QueryAggregate | QueryQuantile,
  ): Query {
    const mode = aggregate === undefined ? QueryMode.Rows : QueryMode.Groups;
    return this.#open(list, view, WINDOW_FNS.get(fn)!, window, mode, dropName, aggregate);
  }

  /** The same for rows that leave as text, or groups where this core has all of their members. Takes the view, as open() does. */
  openText(
    list: SeriesList,
    view: View,
    fn: string,
    window: QueryWindow,
    dropped: readonly string[],
    spec: RenderSpec,
    aggregate?: QueryAggregate | QueryQuantile,
  ): Query {
    const query = this.open(list, view, fn, window, false, aggregate);
    try {
      const symbols = this.#symbols(dropped);
      query.render(openRendering(this.#core, spec, window.steps, symbols), spec.form);
      return query;
    } catch (error) {
      query.close();
      throw error;
    }
  }

  /** Has a query's rows shaped from its first morsel on. */
  shape(query: Query, program: readonly QueryCellOp[], keep: QueryKeep | undefined): void {
    query.shape(openShaping(this.#core, program, keep, query.steps, () => this.#groups(keep!)));
  }

  /** A query that gives the raw samples in (endMs - windowMs, endMs]. */
  openSamples(list: SeriesList, view: View, windowMs: number, endMs: number): Query {
    const window = { startMs: endMs, stepMs: 1, steps: 1, windowMs };
    return this.#open(list, view, WINDOW_FNS.get('present_over_time')!, window, QueryMode.Samples, false, undefined);
  }

  /** The same with stale markers, and with series that have no samples. */
  openAllSamples(list: SeriesList, view: View, windowMs: number, endMs: number): Query {
    const window = { startMs: endMs, stepMs: 1, steps: 1, windowMs };
    // Of all functions it is this one that sees stale markers.
    return this.#open(list, view, WINDOW_FNS.get('last')!, window, QueryMode.AllSamples, false, undefined);
  }

  #open(
    list: SeriesList,
    view: View,
    fn: number,
    window: QueryWindow,
    mode: QueryMode,
    dropName: boolean,
    aggregate: QueryAggregate | QueryQuantile | undefined,
  ): Query {
    const { exports } = this.#core;
    const op = aggregate === undefined ? 0 : codeOf(aggregate.op);
    const { startMs, stepMs, steps, windowMs, args: [argument = 0, shiftMs = 0] = [] } = window;
    let groups = 0;
    try {
      groups = aggregate === undefined ? 0 : this.#groups(aggregate);
      const name = dropName ? symbolOf(this.#core, '__name__') : NO_SYMBOL;
      const address =
        exports.query_open(
          fn,
          startMs,
          stepMs,
          steps,
          windowMs,
          mode,
          op,
          groups,
          view,
          list.address,
          list.count,
          name,
          argument,
          shiftMs,
        ) >>> 0;
      if (address === 0) throw new OutOfMemory();
      if (aggregate?.op === 'quantile') exports.query_phi(address, aggregate.phi);
      return new Query(this.#core, address, steps, aggregate?.op);
    } catch (error) {
      if (groups !== 0) exports.groups_close(groups);
      exports.journal_close(view);
      throw error;
    }
  }

  #groups(aggregate: Pick<QueryAggregate, 'grouping' | 'labels'>): number {
    const { exports } = this.#core;
    const without = aggregate.grouping === 'without';
    const names = without ? [...aggregate.labels, '__name__'] : aggregate.labels;
    const symbols = this.#symbols(names);
    const address = symbols.length === 0 ? 0 : exports.heap_alloc(symbols.length * 4) >>> 0;
    if (symbols.length > 0 && address === 0) throw new OutOfMemory();
    if (address !== 0) this.#core.u32(address, symbols.length).set(symbols);
    const groups = exports.groups_open(address, symbols.length, without) >>> 0;
    if (groups !== 0) return groups;
    if (address !== 0) exports.heap_free(address, symbols.length * 4);
    throw new OutOfMemory();
  }

  /** The symbols of those strings that any series has. */
  #symbols(texts: readonly string[]): number[] {
    return texts.map((text) => symbolOf(this.#core, text)).filter((symbol) => symbol !== NO_SYMBOL);
  }
}

export class Query {
  readonly #core: Core;
  readonly #address: number;
  #corrupt = 0;
  readonly #steps: number;
  readonly #op: GroupOp | undefined;
  #rendering: { readonly address: Rendering; readonly form: RenderSpec['form'] } | undefined;

  constructor(core: Core, address: number, steps: number, op: GroupOp | undefined) {
    this.#core = core;
    this.#address = address;
    this.#steps = steps;
    this.#op = op;
  }

  /** The query's address in the core, for kernels that read through it. */
  get address(): number {
    return this.#address;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Blocks have all that is before a time: the head's samples from before it are not seen. */
  setFloor(floorMs: number): void {
    this.#core.exports.query_floor(this.#address, floorMs);
  }

  /** The place in its list of the next series. */
  get place(): number {
    return this.#core.exports.query_cursor(this.#address) >>> 0;
  }

  /** Whether the head has all that the query wants of a series, so that blocks need not be looked at. */
  isAnsweredByHead(series: number): boolean {
    return this.#core.exports.query_head_answers(this.#address, series);
  }

  /** The time from which on the query must not see samples of a series; beyond all times where it sees all. */
  cutMs(series: number): number {
    return this.#core.exports.query_cut(this.#address, series);
  }

  /** Takes the shaping. */
  shape(address: Shaping): void {
    this.#core.exports.query_shape(this.#address, address);
  }

  /** Samples decoded so far. */
  get samples(): number {
    return this.#core.exports.query_samples(this.#address);
  }

  /** Chunks that could not be decoded, since this was last asked. */
  takeCorrupt(): number {
    const all = this.#core.exports.query_corrupt_of(this.#address);
    const more = all - this.#corrupt;
    this.#corrupt = all;
    return more;
  }

  /** Evaluates the next morsel; true when that was the last. */
  next({ samples, series } = MORSEL): boolean {
    const done = this.#core.exports.query_morsel(this.#address, samples, series);
    if (this.#core.exports.query_status() !== Status.Ok) throw new OutOfMemory();
    return done;
  }

  /** The rows of the last morsel: copies. */
  rows(): QueryRows {
    const { exports } = this.#core;
    const count = exports.query_rows() >>> 0;
    return {
      labels: takeLabelTable(this.#core),
      count,
      values: copyOut(this.#core, exports.query_values(), count * this.#steps * 8),
      present: copyOut(this.#core, exports.query_present(), count * this.#steps),
    };
  }

  /** Rows come out as text from now on. Takes the rendering. */
  render(address: Rendering, form: RenderSpec['form']): void {
    this.#core.exports.query_render(this.#address, address);
    this.#rendering = { address, form };
  }

  /** The rows of the last morsel, of a query that renders: copies. */
  text(): RenderedText {
    const { address, form } = this.#rendering!;
    return takeText(this.#core, address, form);
  }

  /** The raw samples of the last morsel: copies. */
  rawSamples(): QuerySamples {
    const { exports } = this.#core;
    const bytes = exports.query_values_bytes() >>> 0;
    return {
      labels: takeLabelTable(this.#core),
      counts: copyOut(this.#core, exports.query_present(), (exports.query_rows() >>> 0) * 4),
      times: copyOut(this.#core, exports.query_times(), bytes),
      values: copyOut(this.#core, exports.query_values(), bytes),
    };
  }

  /** All samples of the last morsel, of a query that gives them: copies. */
  allSamples(): QueryAllSamples {
    const { exports } = this.#core;
    const rows = exports.query_rows() >>> 0;
    const bytes = exports.query_values_bytes() >>> 0;
    const numbers = new Uint32Array(copyOut(this.#core, exports.query_present(), rows * 8));
    return {
      labels: takeLabelTable(this.#core),
      counts: numbers.filter((_, i) => i % 2 === 0).buffer,
      series: numbers.filter((_, i) => i % 2 === 1).buffer,
      times: copyOut(this.#core, exports.query_times(), bytes),
      values: copyOut(this.#core, exports.query_values(), bytes),
    };
  }

  /** The groups of a query for quantiles, after the last morsel: copies. */
  groupRows(): QueryRows {
    const { exports } = this.#core;
    const count = exports.query_groups(this.#address);
    if (count < 0) throw new OutOfMemory();
    return {
      labels: takeLabelTable(this.#core),
      count,
      values: copyOut(this.#core, exports.query_values(), count * this.#steps * 8),
      present: copyOut(this.#core, exports.query_present(), count * this.#steps),
    };
  }

  /** The groups, after the last morsel: copies. */
  groups(): QueryGroups {
    const { exports } = this.#core;
    const count = exports.query_groups(this.#address);
    if (count < 0) throw new OutOfMemory();
    const labels = takeLabelTable(this.#core);
    const steps = this.#steps;
    const present = new Uint8Array(count * steps);
    const columns = exports.aggregate_columns(codeOf(this.#op!));
    const state = Array.from({ length: columns }, () => new Float64Array(count * steps));
    for (let group = 0; group < count; group++) {
      const address = exports.query_state(this.#address, group) >>> 0;
      state.forEach((column, i) => {
        column.set(this.#core.f64(address + i * steps * 8, steps), group * steps);
      });
      present.set(this.#core.u8(address + columns * steps * 8, steps), group * steps);
    }
    return { labels, count, present: present.buffer, state: state.map((column) => column.buffer) };
  }

  close(): void {
    this.#core.exports.query_close(this.#address);
  }
}
