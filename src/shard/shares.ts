// What the shards gave for one reading, as it came: not joined, not decoded. It moves
// between threads as it is, and becomes columns or series where operators run.

import type { FloatHistogram } from '../model/histogram.js';
import { declinedColumns, emptyColumns } from '../promql/exec/columns.js';
import { stripMetadata } from '../promql/exec/metadata.js';
import { finishPartial, mergePartials, type PartialAggregate } from '../promql/exec/partial.js';
import type { Columns, Fragment, Note, RawSeries } from '../promql/exec/source.js';
import { counterNameNotes, needsCounterName } from '../promql/exec/window/evaluate.js';
import type { RenderedText } from '../wasm/render.js';
import { type ColumnsMessage, decodeCells, decodePartial } from './column-messages.js';
import { decodeLabels, joinBuffers } from './columns.js';
import { decodeSamples } from './mixed-series.js';
import type { Morsel, SamplesMessage } from './protocol.js';

/** One shard's part. */
export interface Share {
  readonly columns: ColumnsMessage[];
  readonly raw: SamplesMessage[];
  readonly texts: RenderedText[];
  readonly notes: Note[];
  declined?: true;
  /** The whole answer, of all shards: main had it itself. The share is the only one then. */
  known?: Columns;
}

export function emptyShare(): Share {
  return { columns: [], raw: [], texts: [], notes: [] };
}

/** Adds what a morsel brought, if anything. */
export function addMorsel(share: Share, { columns, raw, text, notes, declined }: Morsel): void {
  if (declined) share.declined = declined;
  if (columns !== undefined && columns.rowCount > 0) share.columns.push(columns);
  if (raw !== undefined) share.raw.push(raw);
  if (text !== undefined && text.rowCount > 0) share.texts.push(text);
  share.notes.push(...notes);
}

/** Whether a source could not do what was asked of it: something else is to be read in its place. */
export function areDeclined(shares: readonly Share[]): boolean {
  return shares.some(({ declined }) => declined);
}

/** The answer to a fragment. Takes the shares' arrays. */
export function columnsOf(shares: readonly Share[], fragment: Fragment): Columns {
  const [only] = shares;
  if (only?.known !== undefined) return only.known;
  if (areDeclined(shares)) return declinedColumns(fragment.steps.count);
  const notes = shares.flatMap((share) => share.notes);
  const columns =
    fragment.aggregate === undefined ? joinRows(shares, fragment) : joinGroups(shares, fragment, fragment.aggregate.op);
  return notes.length === 0 ? columns : { ...columns, notes: [...notes, ...(columns.notes ?? [])] };
}

/** The answer to a question for raw samples. */
export function seriesOf(shares: readonly Share[]): RawSeries[] {
  return shares.flatMap((share) => share.raw.flatMap(decodeSamples));
}

function joinRows(shares: readonly Share[], fragment: Fragment): Columns {
  const { count } = fragment.steps;
  const parts = shares.flatMap((share) => share.columns);
  const tables = parts.map((part) => decodeLabels(part.strings, part.rows, part.rowCount));
  const labels = tables.flat();
  const histograms = new Map<number, FloatHistogram>();
  let cells = 0;
  for (const part of parts) {
    if (part.histograms !== undefined) decodeCells(part.histograms, histograms, cells);
    cells += part.rowCount * count;
  }
  return {
    // Where rows have histograms, or are groups, the shard has made the remarks.
    ...(needsCounterName(fragment.fn) &&
      fragment.quantile === undefined && {
        notes: counterNameNotes(tables.filter((_, i) => parts[i]!.histograms === undefined).flat()),
      }),
    labels: fragment.dropName ? stripMetadata(labels).labels : labels,
    steps: count,
    values: new Float64Array(joinBuffers(parts.map((part) => part.values[0]!))),
    present: new Uint8Array(joinBuffers(parts.map((part) => part.present))),
    ...(histograms.size > 0 && { histograms }),
  };
}

function joinGroups(shares: readonly Share[], fragment: Fragment, op: PartialAggregate['op']): Columns {
  const { count } = fragment.steps;
  const partials = shares.flatMap((share) => share.columns.map((part) => decodePartial(part, op, count)));
  return partials.length === 0 ? emptyColumns(count) : finishPartial(mergePartials(partials));
}
