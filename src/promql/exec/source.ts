// What the PromQL engine reads from: not storage, only this.
//
// A fragment is the lowest part of a plan: a selector, the function over its
// samples, and the aggregation over that where it distributes. A source answers
// it in columns, all steps of a series at once. The head, a block, a set of
// shards and the tests' memory source are all sources.

import type { FloatHistogram } from '../../model/histogram.js';
import type { Labels } from '../../model/labels.js';
import type { Matcher } from '../../model/matcher.js';
import type { CellOp } from '../cells.js';

/** Evaluation times: startMs, startMs + stepMs, … `count` of them. An instant query has one, with stepMs 1. */
export interface Steps {
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
}

/** How a fragment's rows are folded into groups. */
export interface FragmentAggregate {
  readonly op: 'sum' | 'avg' | 'min' | 'max' | 'count' | 'group' | 'stddev' | 'stdvar';
  readonly grouping: 'by' | 'without';
  readonly labels: readonly string[];
}

/** Groups whose φ-quantiles are wanted, φ in [0, 1]. */
export interface FragmentQuantile {
  readonly phi: number;
  readonly grouping: 'by' | 'without';
  readonly labels: readonly string[];
}

/** Which cells matter: those among the best `k` of their group and step, NaN last, or the first `k` that are there. */
export interface FragmentBest {
  readonly order: 'largest' | 'smallest' | 'first';
  readonly k: number;
  readonly grouping: 'by' | 'without';
  readonly labels: readonly string[];
}

export interface Fragment {
  readonly matchers: readonly Matcher[];
  /** Where windows end: the query's steps, shifted by offset, or the one time of `@`. */
  readonly steps: Steps;
  /** A window is left-open and right-closed: (t - windowMs, t]. For an instant selector it is the lookback. */
  readonly windowMs: number;
  /**
   * The name of the function over the window. `last` is an instant selector: the newest sample,
   * none where that is a stale marker; `timestamp` is its time in seconds, `start_timestamp` the one
   * since which it counts, 0 where nobody said. Every other one is a name of
   * window/table.ts and ignores stale markers, as range selectors do.
   */
  readonly fn: string;
  /**
   * Constant scalar arguments of the function besides the window, in order. predict_linear has a second
   * one: the milliseconds by which the evaluation time is later than the window's end.
   */
  readonly args: readonly number[];
  /** Whether rows lose their metric name (as nearly all functions do). */
  readonly dropName: boolean;
  /**
   * What is done to each float then. It says nothing of native histograms: a source that meets one declines
   * the fragment (see Columns).
   */
  readonly cells?: readonly CellOp[];
  readonly aggregate?: FragmentAggregate;
  /** In place of an aggregate: rows are the groups. A source that cannot, or not at once, declines. */
  readonly quantile?: FragmentQuantile;
  /** A source may leave out other cells, and rows that have none left. Never beside an aggregate. */
  readonly best?: FragmentBest;
  /**
   * Only sums and counts of native histograms matter: a source may leave their buckets out. Hints then
   * say `reset` and `not_reset` for each sample after the first.
   */
  readonly histogramStats?: boolean;
}

/** What a cell of `present` says. */
export const ABSENT = 0;
export const FLOAT = 1;
/** The cell's value is in `histograms`. */
export const HISTOGRAM = 2;

/**
 * Rows × steps, row after row. Cell (row, step) is at index row * steps + step.
 * A cell has a float only where `present` is FLOAT; elsewhere `values` holds 0.
 */
export interface Columns {
  readonly labels: Labels[];
  readonly steps: number;
  readonly values: Float64Array;
  readonly present: Uint8Array;
  /** Native histograms by cell, beside the floats because they are few: exactly where `present` is HISTOGRAM. */
  readonly histograms?: ReadonlyMap<number, FloatHistogram>;
  /** Remarks for the query's annotations. */
  readonly notes?: readonly Note[];
  /** The source cannot do the fragment's `cells`, because there are native histograms, or its `quantile`; there are no rows. */
  readonly declined?: true;
}

/** Something about a series that the user should know; annotations.ts has the words. */
export interface Note {
  readonly kind: NoteKind;
  /** The series's metric name. */
  readonly metric: string;
  /** Of `no-counter-type`: what the type label says. */
  readonly type?: string;
}

export type NoteKind =
  | 'mixed-types'
  | 'mixed-schemas'
  | 'histograms-ignored'
  | 'not-counter'
  | 'not-gauge'
  | 'reconciled-addition'
  | 'reconciled-subtraction'
  | 'reconciled-aggregation'
  | 'reset-collision'
  | 'start-overlap'
  | 'aggregation-mixed'
  | 'aggregation-ignored'
  | 'aggregation-schemas'
  | 'aggregation-reconciled'
  | 'aggregation-collision'
  /** rate or increase gave a float for a metric that is not named like a counter. */
  | 'no-counter-name'
  /** The same for a metric whose type label says so; by the executor, never by a source. */
  | 'no-counter-type';

/** A run of raw samples of one series: for range vectors that are shown as they are, and for subqueries. */
export interface RawSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Start timestamps of the samples, 0 where unknown. Given where the feature use-start-timestamps is on only. */
  readonly starts?: Float64Array;
  readonly histogramTimes?: Float64Array;
  readonly histograms?: readonly FloatHistogram[];
  readonly histogramStarts?: Float64Array;
}

/** Rows of a result that are the text of the API's answer already: JSON objects in the order of the result. */
export interface RenderedRows {
  readonly rowCount: number;
  /** The first `limit` rows, commas between them, in pieces; 0 means all. */
  pieces(limit: number): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Where it is known what the rows take in memory. */
  readonly bytes?: number;
  /** Gives their memory back before the garbage collector would. Nothing that came of them may be looked at any more. */
  free?(): void;
  /** Aborted when rows that are still to come will not come. */
  readonly signal?: AbortSignal;
}

/** What rows are to look like. */
export interface RenderForm {
  /** `matrix`: all samples of a row, rows sorted by labels. `vector`: the sample of the only step. */
  readonly form: 'matrix' | 'vector';
  /** The query's own times, one for each step of the fragment. */
  readonly steps: Steps;
}

/** Of a query's shared words the one that is 1 once the query is to end. */
export const STOP_WORD = 1;

/** What a running query hands down: it stops the work early and bounds it. */
export interface QueryContext {
  /** Aborted at the deadline, on cancel and when the client goes away; the reason is the error to report. */
  readonly signal: AbortSignal;
  /**
   * Counts samples held in memory: cells with a value that are handed up, and raw samples. Throws the
   * query's limit error where there are too many. A negative number gives back.
   */
  charge(samples: number): void;
  /** A warning of the query's answer: something of what was asked for could not be read. */
  warn?(text: string): void;
  /** Words of shared memory, for threads that no signal reaches in the middle of their work; the one at STOP_WORD counts. */
  readonly words?: SharedArrayBuffer;
  /** Throws where the query is to end, as the signal would: for long loops, during which no signal arrives. Cheap. */
  check(): void;
  /**
   * Reserves memory for columns, until the query ends. Throws the query's limit error where all queries
   * together would take too much. Columns are dense: a row of few samples takes as much as one of many.
   */
  reserve(bytes: number): void;
  /**
   * Called between two pieces of work for the query, some milliseconds each: waits where other queries go first. Rejects
   * when the query is to end.
   */
  turn?(): Promise<void> | undefined;
}

export interface Source {
  /** Evaluates a fragment. Rows have distinct label sets unless dropping names made them alike; their order is free. */
  select(fragment: Fragment, context: QueryContext): Promise<Columns>;
  /** Samples in (endMs - windowMs, endMs], stale markers left out. */
  samples(matchers: readonly Matcher[], windowMs: number, endMs: number, context: QueryContext): Promise<RawSeries[]>;
  /** Evaluates a fragment to text; undefined where this source cannot. */
  render?(fragment: Fragment, form: RenderForm, context: QueryContext): Promise<RenderedRows | undefined>;
  /** About how many series and samples the matchers would find in (startMs, endMs]. */
  estimate?(
    matchers: readonly Matcher[],
    startMs: number,
    endMs: number,
  ): Promise<{ readonly series: number; readonly samples: number }>;
  /** The query is over: nothing more will be asked. */
  close?(): void;
}
