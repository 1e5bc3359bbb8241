// Results of rules in a shard: rows of series that main knows, and series by their labels.

import type { Exposition } from '../wasm/exposition.js';
import { type Head, NO_SERIES, type SeriesIndex } from '../wasm/head.js';
import { LabelError } from '../wasm/label-scratch.js';
import type { AppendScope, OpenScope } from './append.js';
import type { AppendedSeries, RecordedPart, RecordReply, Request, ResultOutcome } from './protocol.js';
import type { ShardPlace } from './targets.js';
import { packRows } from './writes.js';

export class ShardRecords {
  readonly #exposition: Exposition;
  readonly #head: Head;
  readonly #scope: OpenScope;
  readonly #place: ShardPlace;

  constructor(exposition: Exposition, head: Head, scope: OpenScope, place: ShardPlace) {
    this.#exposition = exposition;
    this.#head = head;
    this.#scope = scope;
    this.#place = place;
  }

  record({ parts, ...header }: Request<'record'>): RecordReply {
    const scope = this.#scope(header);
    const places: number[] = [];
    const results: ResultOutcome[] = [];
    const gone: Uint32Array[] = [];
    const last = parts.length - 1;
    for (const part of parts.slice(0, last)) {
      const before = scope.outcome();
      gone.push(this.#rows(scope, part));
      const error = this.#named(scope, part, places, false);
      results.push(difference(before, scope.outcome(), error));
    }
    // Whether a series ends is not told: another rule may go on with it.
    const outcome = scope.outcome();
    gone.push(this.#rows(scope, parts[last]!));
    this.#named(scope, parts[last]!, places, true);
    return { outcome, results, places: Uint32Array.from(places), gone, wal: scope.finish().wal };
  }

  /** Gives the rows whose series is gone. */
  #rows(scope: AppendScope, { rows }: RecordedPart): Uint32Array {
    if (rows.byteLength === 0) return NO_ROWS;
    const known = scope.outcome().unknown;
    const { address, count } = this.#exposition.loadRows(new Uint8Array(rows));
    scope.rows(address, count);
    const { unknown } = scope.outcome();
    return unknown === known ? NO_ROWS : this.#head.unknownRows(unknown).slice(known);
  }

  /** Notes where each series is, and gives what is wrong with the labels of one. */
  #named(scope: AppendScope, { named }: RecordedPart, places: number[], isEnd: boolean): string | undefined {
    let error: string | undefined;
    for (const one of named) {
      try {
        this.#exposition.scratch.write(one.labels);
      } catch (reason) {
        if (!(reason instanceof LabelError)) throw reason;
        error ??= reason.message;
        places.push(this.#place.index, NO_SERIES, 0);
        continue;
      }
      const owner = this.#head.owner(this.#place.count);
      const series = owner === this.#place.index ? this.#append(scope, one, isEnd) : NO_SERIES;
      places.push(owner, series, series === NO_SERIES ? 0 : this.#head.refLow(series));
    }
    return error;
  }

  /** To the series whose labels are in the scratch. What only ends is not made. */
  #append(scope: AppendScope, { samples, stored = [] }: AppendedSeries, isEnd: boolean): SeriesIndex {
    const series = isEnd ? this.#head.resolve() : scope.seriesOfScratch();
    if (series === NO_SERIES) return series;
    if (samples.byteLength > 0) {
      const { address, count } = this.#exposition.loadRows(packRows(series, this.#head.refLow(series), samples));
      scope.rows(address, count);
    }
    for (const { timeMs, histogram } of stored) scope.histogram(series, timeMs, histogram);
    return series;
  }
}

const NO_ROWS = new Uint32Array(0);

type Counted = ReturnType<AppendScope['outcome']>;

/** What was refused between two looks, and why. */
function difference(before: Counted, after: Counted, error: string | undefined): ResultOutcome {
  const isShort = after.refusedSeries + after.noMemory > before.refusedSeries + before.noMemory;
  const outOfOrder = after.outOfOrder - before.outOfOrder;
  const duplicates = after.duplicate - before.duplicate;
  const tooOld = after.tooOld + after.tooFar - before.tooOld - before.tooFar;
  const reason =
    (outOfOrder > 0 && 'out of order sample') ||
    (duplicates > 0 && 'duplicate sample for timestamp') ||
    (tooOld > 0 && 'out of bounds') ||
    error ||
    (isShort && 'the memory limit is reached') ||
    undefined;
  return { outOfOrder, tooOld, duplicates, reason };
}
