// Columns and shares of aggregates as messages, and back.
// The bytes: docs/formats/shard-messages.md.

import type { FloatHistogram } from '../model/histogram.js';
import { decodeHistograms, encodeHistograms, type HistogramTable, tableBytes } from '../model/histogram-table.js';
import { type HistogramShare, type HistogramShares, stateOf } from '../promql/exec/histogram-shares.js';
import { HistogramMean, HistogramSum } from '../promql/exec/histogram-sum.js';
import type { PartialAggregate } from '../promql/exec/partial.js';
import type { Columns } from '../promql/exec/source.js';
import { decodeLabels, encodeLabels } from './columns.js';

/** Label sets and columns as bytes. All move. */
export interface ColumnsMessage {
  readonly strings: ArrayBuffer;
  readonly rows: ArrayBuffer;
  readonly rowCount: number;
  /** rowCount × steps × 8 bytes each: one array for plain rows, several state columns for an aggregate. */
  readonly values: ArrayBuffer[];
  readonly present: ArrayBuffer;
  /** Rows: the native histograms of some cells. */
  readonly histograms?: CellsMessage;
  /** Aggregates: what native histograms add to some cells. */
  readonly shares?: SharesMessage;
}

/** Native histograms, one for each of `cells`. Moves. */
export interface CellsMessage {
  /** u32. */
  readonly cells: ArrayBuffer;
  readonly table: HistogramTable;
}

/** Shares of histogram sums and means, one for each of `cells`. Moves. */
export interface SharesMessage {
  /** u32. */
  readonly cells: ArrayBuffer;
  /** u8: bits of ShareFlag. */
  readonly flags: ArrayBuffer;
  /** f64: how many histograms went in. */
  readonly counts: ArrayBuffer;
  /** u32: number of the metric in `names`. */
  readonly metrics: ArrayBuffer;
  readonly names: string[];
  readonly sums: HistogramTable;
  /** Of those shares alone that say so. */
  readonly lost: HistogramTable;
}

export enum ShareFlag {
  Broken = 1,
  Reconciled = 2,
  SawReset = 4,
  SawNotReset = 8,
  /** A mean whose sum is one already. */
  Running = 16,
  HasLost = 32,
}

export function columnsMessage({ labels, steps, values, present, histograms }: Columns): ColumnsMessage {
  const cells = labels.length * steps;
  return {
    ...encodeLabels(labels),
    rowCount: labels.length,
    values: [values.slice(0, cells).buffer],
    present: present.slice(0, cells).buffer,
    ...(histograms !== undefined && histograms.size > 0 && { histograms: encodeCells(histograms) }),
  };
}

export function encodeCells(histograms: ReadonlyMap<number, FloatHistogram>): CellsMessage {
  return {
    cells: Uint32Array.from(histograms.keys()).buffer,
    table: encodeHistograms([...histograms.values()]),
  };
}

/** Adds the histograms to those of a larger whole, in which the first cell of the message is `offset`. */
export function decodeCells({ cells, table }: CellsMessage, into: Map<number, FloatHistogram>, offset = 0): void {
  const numbers = new Uint32Array(cells);
  decodeHistograms(table).forEach((histogram, i) => {
    into.set(offset + numbers[i]!, histogram);
  });
}

export function partialMessage({ labels, state, present, histograms }: PartialAggregate): ColumnsMessage {
  return {
    ...encodeLabels(labels),
    rowCount: labels.length,
    values: state.map((column) => column.slice().buffer),
    present: present.slice().buffer,
    ...(histograms !== undefined && histograms.size > 0 && { shares: encodeShares(histograms) }),
  };
}

export function decodePartial(message: ColumnsMessage, op: PartialAggregate['op'], steps: number): PartialAggregate {
  const { strings, rows, rowCount, values, present, shares } = message;
  return {
    op,
    labels: decodeLabels(strings, rows, rowCount),
    steps,
    present: new Uint8Array(present),
    state: values.map((column) => new Float64Array(column)),
    ...(shares !== undefined && { histograms: decodeShares(shares, op) }),
  };
}

function encodeShares(shares: HistogramShares): SharesMessage {
  const states = [...shares.values()].map((share) => ({ ...stateOf(share), share }));
  const names = new Map<string, number>();
  const numberOf = (metric: string) => names.get(metric) ?? names.set(metric, names.size).size - 1;
  return {
    cells: Uint32Array.from(shares.keys()).buffer,
    flags: Uint8Array.from(states, (state) => flagsOf(state, state.share)).buffer,
    counts: Float64Array.from(states, ({ count }) => count).buffer,
    metrics: Uint32Array.from(states, ({ share }) => numberOf(share.metric)).buffer,
    names: [...names.keys()],
    sums: encodeHistograms(states.map(({ sum }) => sum)),
    lost: encodeHistograms(states.flatMap(({ lost }) => lost ?? [])),
  };
}

function flagsOf(state: ReturnType<typeof stateOf>, { broken }: HistogramShare): number {
  let flags = 0;
  if (broken) flags |= ShareFlag.Broken;
  if (state.reconciled) flags |= ShareFlag.Reconciled;
  if (state.sawReset) flags |= ShareFlag.SawReset;
  if (state.sawNotReset) flags |= ShareFlag.SawNotReset;
  if (state.running) flags |= ShareFlag.Running;
  if (state.lost !== undefined) flags |= ShareFlag.HasLost;
  return flags;
}

function decodeShares(message: SharesMessage, op: PartialAggregate['op']): HistogramShares {
  const cells = new Uint32Array(message.cells);
  const flags = new Uint8Array(message.flags);
  const counts = new Float64Array(message.counts);
  const metrics = new Uint32Array(message.metrics);
  const losses = decodeHistograms(message.lost).values();
  const shares: HistogramShares = new Map();
  decodeHistograms(message.sums).forEach((sum, i) => {
    const has = (flag: ShareFlag) => (flags[i]! & flag) !== 0;
    const state = {
      sum,
      lost: has(ShareFlag.HasLost) ? losses.next().value : undefined,
      reconciled: has(ShareFlag.Reconciled),
      sawReset: has(ShareFlag.SawReset),
      sawNotReset: has(ShareFlag.SawNotReset),
      count: counts[i]!,
      running: has(ShareFlag.Running),
    };
    const fold = op === 'avg' ? HistogramMean.of(state) : HistogramSum.of(state);
    shares.set(cells[i]!, { fold, metric: message.names[metrics[i]!]!, broken: has(ShareFlag.Broken) });
  });
  return shares;
}

/** What the columns take in memory, label tables aside. */
export function columnsBytes({ values, present, histograms, shares }: ColumnsMessage): number {
  let bytes = values.reduce((sum, column) => sum + column.byteLength, present.byteLength);
  if (histograms !== undefined) bytes += tableBytes(histograms.table);
  if (shares !== undefined) bytes += tableBytes(shares.sums) + tableBytes(shares.lost);
  return bytes;
}
