// What the shards gave for one reading, as it came: not joined, not decoded. It moves
// between threads as it is, and becomes columns or series where operators run.

import { type Labels, withoutMetadata } from '../model/labels.js';
import { emptyColumns } from '../promql/exec/columns.js';
import { finishPartial, mergePartials, type PartialAggregate } from '../promql/exec/partial.js';
import type { Columns, Fragment, Note, RawSeries } from '../promql/exec/source.js';
import { counterNameNotes, needsCounterName } from '../promql/exec/window/evaluate.js';
import type { RenderedText } from '../wasm/render.js';
import { decodeLabels, joinBuffers } from './columns.js';
import type { ColumnsMessage, Morsel, SamplesMessage } from './protocol.js';

/** One shard's part. */
export interface Share {
  readonly columns: ColumnsMessage[];
  readonly raw: SamplesMessage[];
  readonly texts: RenderedText[];
  readonly notes: Note[];
}

export function emptyShare(): Share {
  return { columns: [], raw: [], texts: [], notes: [] };
}

/** Adds what a morsel brought, if anything. */
export function addMorsel(share: Share, { columns, raw, text, notes }: Morsel): void {
  if (columns !== undefined && columns.rowCount > 0) share.columns.push(columns);
  if (raw !== undefined) share.raw.push(raw);
  if (text !== undefined && text.rowCount > 0) share.texts.push(text);
  share.notes.push(...notes);
}

/** The answer to a fragment. Takes the shares' arrays. */
export function columnsOf(shares: readonly Share[], fragment: Fragment): Columns {
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
  const parts = shares.flatMap((share) => share.columns);
  const labels = parts.flatMap((part) => decodeLabels(part.strings, part.rows, part.rowCount));
  return {
    ...(needsCounterName(fragment.fn) && { notes: counterNameNotes(labels) }),
    labels: fragment.dropName ? labels.map(withoutMetadata) : labels,
    steps: fragment.steps.count,
    values: new Float64Array(joinBuffers(parts.map((part) => part.values[0]!))),
    present: new Uint8Array(joinBuffers(parts.map((part) => part.present))),
  };
}

function joinGroups(shares: readonly Share[], fragment: Fragment, op: PartialAggregate['op']): Columns {
  const partials = shares.flatMap((share) =>
    share.columns.map(
      (part): PartialAggregate => ({
        op,
        labels: decodeLabels(part.strings, part.rows, part.rowCount),
        steps: fragment.steps.count,
        present: new Uint8Array(part.present),
        state: part.values.map((column) => new Float64Array(column)),
      }),
    ),
  );
  if (partials.length === 0) return emptyColumns(fragment.steps.count);
  return finishPartial(mergePartials(partials));
}

function decodeSamples(message: SamplesMessage): RawSeries[] {
  const counts = new Uint32Array(message.counts);
  const labels: Labels[] = decodeLabels(message.labels.strings, message.labels.rows, counts.length);
  const times = new Float64Array(message.times);
  const values = new Float64Array(message.values);
  let at = 0;
  return labels.map((set, i) => {
    const end = at + counts[i]!;
    const series = { labels: set, times: times.subarray(at, end), values: values.subarray(at, end) };
    at = end;
    return series;
  });
}
