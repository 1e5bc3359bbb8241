// All that a query reads, gathered before its operators run: a source that has the answers.
//
// It crosses threads as it is. Columns are joined where and when they are asked for, and handed on: the executor
// asks for each reading once.

import type { Matcher } from '../model/matcher.js';
import { presentCount } from '../promql/exec/columns.js';
import type { ReadingSize } from '../promql/exec/cost.js';
import { type Reading, readingKey } from '../promql/exec/readings.js';
import type { Columns, Fragment, QueryContext, RawSeries, Source } from '../promql/exec/source.js';
import { sampleCount } from './mixed-series.js';
import { columnsOf, type Share, seriesOf } from './shares.js';

/** Shares by the keys of their readings. All buffers move. */
export type Gathered = Map<string, readonly Share[]>;

/** Asks for what was not known beforehand. */
export type AskMore = (reading: Reading, context: QueryContext) => Promise<readonly Share[]>;

/** Labels in JavaScript take this many times the bytes of their table of numbers. */
const LABELS_GROWTH = 4;

export class GatheredSource implements Source {
  readonly #shares: Gathered;
  readonly #ask: AskMore;

  /** Takes the shares. */
  constructor(shares: Gathered, ask: AskMore) {
    this.#shares = shares;
    this.#ask = ask;
  }

  async select(fragment: Fragment, context: QueryContext): Promise<Columns> {
    const columns = columnsOf(await this.#take({ kind: 'fragment', fragment }, context), fragment);
    context.charge(presentCount(columns));
    return columns;
  }

  /** Raw samples were charged for when they were gathered. */
  async samples(
    matchers: readonly Matcher[],
    windowMs: number,
    endMs: number,
    context: QueryContext,
  ): Promise<RawSeries[]> {
    return seriesOf(await this.#take({ kind: 'samples', samples: { matchers, windowMs, endMs } }, context));
  }

  async #take(reading: Reading, context: QueryContext): Promise<readonly Share[]> {
    const key = readingKey(reading);
    const shares = this.#shares.get(key) ?? (await this.#ask(reading, context));
    this.#shares.delete(key);
    context.check();
    context.reserve(labelBytes(shares) * LABELS_GROWTH);
    return shares;
  }
}

function labelBytes(shares: readonly Share[]): number {
  let bytes = 0;
  for (const { columns, raw } of shares) {
    for (const { rows, strings } of columns) bytes += rows.byteLength + strings.byteLength;
    for (const { labels } of raw) bytes += labels.rows.byteLength + labels.strings.byteLength;
  }
  return bytes;
}

export function sizeOf(shares: readonly Share[]): ReadingSize {
  let rows = 0;
  let samples = 0;
  let histograms = 0;
  for (const { columns, raw, known } of shares) {
    rows += known?.labels.length ?? 0;
    for (const { rowCount, histograms: cells, shares: sums } of columns) {
      rows += rowCount;
      histograms += ((cells?.cells.byteLength ?? 0) + (sums?.cells.byteLength ?? 0)) / 4;
    }
    for (const message of raw) {
      rows += message.counts.byteLength / 4;
      samples += sampleCount(message);
    }
  }
  return { rows, samples, histograms };
}
