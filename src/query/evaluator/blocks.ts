// Results in blocks of rows: each crosses threads by itself, and is rendered by itself.

import type { FloatHistogram } from '../../model/histogram.js';
import type { Columns, RawSeries, Steps } from '../../promql/exec/source.js';
import { type ColumnsMessage, columnsMessage, decodeCells } from '../../shard/column-messages.js';
import { decodeLabels } from '../../shard/columns.js';
import { decodeSamples, mixedMessage } from '../../shard/mixed-series.js';
import type { SamplesMessage } from '../../shard/protocol.js';
import type { RowData } from '../render.js';

/** Rows of a result, one after the other. All buffers move. */
export type Block = (
  | { readonly kind: 'vector'; readonly timeMs: number; readonly columns: ColumnsMessage }
  | { readonly kind: 'range'; readonly steps: Steps; readonly columns: ColumnsMessage }
  | { readonly kind: 'raw'; readonly samples: SamplesMessage }
) & {
  readonly rowCount: number;
  /** Cells or samples, as a measure of work. */
  readonly cells: number;
};

/** About so many cells or samples are in a block: some milliseconds of rendering, some megabytes of text. */
export const BLOCK_CELLS = 2 ** 16;

/** What becomes of a result is copied once more while it is cut. */
export function bytesOf(data: RowData): number {
  if (data.kind !== 'raw') return data.columns.values.byteLength + data.columns.present.byteLength;
  return data.series.reduce((sum, { times }) => sum + 16 * times.length, 0);
}

/** Cuts a result; `cellsMax` may be Infinity. There is at least one block. */
export function cutBlocks(data: RowData, cellsMax = BLOCK_CELLS): Block[] {
  return data.kind === 'raw' ? rawBlocks(data.series, cellsMax) : columnBlocks(data, cellsMax);
}

function columnBlocks(data: Exclude<RowData, { kind: 'raw' }>, cellsMax: number): Block[] {
  const { labels, steps } = data.columns;
  const rowsMax = Math.max(1, Math.floor(cellsMax / steps));
  const blocks: Block[] = [];
  for (let from = 0; from === 0 || from < labels.length; from += rowsMax) {
    const rows = rowsOf(data.columns, from, Math.min(labels.length, from + rowsMax));
    const rowCount = rows.labels.length;
    const common = { columns: columnsMessage(rows), rowCount, cells: rowCount * steps };
    if (data.kind === 'vector') blocks.push({ kind: 'vector', timeMs: data.timeMs, ...common });
    else blocks.push({ kind: 'range', steps: data.steps, ...common });
  }
  return blocks;
}

/** Views of some rows. */
function rowsOf({ labels, steps, values, present, histograms }: Columns, from: number, to: number): Columns {
  const [first, end] = [from * steps, to * steps];
  const rows = { labels: labels.slice(from, to), steps };
  const cells = { values: values.subarray(first, end), present: present.subarray(first, end) };
  if (histograms === undefined) return { ...rows, ...cells };
  const kept = [...histograms].filter(([cell]) => cell >= first && cell < end);
  return { ...rows, ...cells, histograms: new Map(kept.map(([cell, histogram]) => [cell - first, histogram])) };
}

function rawBlocks(series: readonly RawSeries[], cellsMax: number): Block[] {
  const blocks: Block[] = [];
  for (let from = 0; from === 0 || from < series.length; ) {
    let to = from;
    let cells = 0;
    for (; to < series.length && cells < cellsMax; to++) cells += series[to]!.times.length;
    const counted = series.slice(from, to).map((one) => ({ ...one, count: one.times.length }));
    const samples = mixedMessage(counted, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    blocks.push({ kind: 'raw', samples, rowCount: to - from, cells });
    from = Math.max(to, from + 1);
  }
  return blocks;
}

/** A block as a result of its own; takes its buffers. */
export function decodeBlock(block: Block): RowData {
  switch (block.kind) {
    case 'vector':
      return { kind: 'vector', timeMs: block.timeMs, columns: decodeRows(block.columns, 1) };
    case 'range':
      return { kind: 'range', steps: block.steps, columns: decodeRows(block.columns, block.steps.count) };
    case 'raw':
      return { kind: 'raw', series: decodeSamples(block.samples) };
  }
}

function decodeRows({ strings, rows, rowCount, values, present, histograms }: ColumnsMessage, steps: number): Columns {
  const decoded = new Map<number, FloatHistogram>();
  if (histograms !== undefined) decodeCells(histograms, decoded);
  return {
    labels: decodeLabels(strings, rows, rowCount),
    steps,
    values: new Float64Array(values[0]!),
    present: new Uint8Array(present),
    ...(decoded.size > 0 && { histograms: decoded }),
  };
}
