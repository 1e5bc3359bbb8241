// Storage, with what a dry run has written in place of what is stored of the same rules.

import type { Matcher } from '../../model/matcher.js';
import { aggregateColumns } from '../../promql/exec/aggregate.js';
import { blankColumns, declinedColumns, pickRows } from '../../promql/exec/columns.js';
import type { MemorySource } from '../../promql/exec/memory-source.js';
import { stripMetadata } from '../../promql/exec/metadata.js';
import type { Columns, Fragment, QueryContext, RawSeries, Source } from '../../promql/exec/source.js';
import type { Written } from '../written.js';

export class BesideSource implements Source {
  readonly #stored: Source;
  readonly #memory: MemorySource;
  readonly #written: Written;

  /** `written`: by the rules of the dry run, into `memory`. */
  constructor(stored: Source, memory: MemorySource, written: Written) {
    this.#stored = stored;
    this.#memory = memory;
    this.#written = written;
  }

  async select(fragment: Fragment, context: QueryContext): Promise<Columns> {
    if (!this.#mayRead(fragment.matchers)) return this.#stored.select(fragment, context);
    // Of both, names and all: which rows are whose shows by their labels.
    if (fragment.quantile !== undefined) return declinedColumns(fragment.steps.count);
    const { aggregate, best: _, ...rest } = fragment;
    const plain: Fragment = { ...rest, dropName: false };
    const [stored, own] = await Promise.all([this.#stored.select(plain, context), this.#memory.select(plain, context)]);
    if (stored.declined || own.declined) return declinedColumns(fragment.steps.count);
    const columns = joined(this.#others(stored), own);
    const named = fragment.dropName ? { ...columns, labels: stripMetadata(columns.labels).labels } : columns;
    if (aggregate === undefined) return named;
    const aggregated = aggregateColumns(named, aggregate);
    return { ...aggregated, notes: [...(named.notes ?? []), ...(aggregated.notes ?? [])] };
  }

  async samples(
    matchers: readonly Matcher[],
    windowMs: number,
    endMs: number,
    context: QueryContext,
  ): Promise<RawSeries[]> {
    const stored = await this.#stored.samples(matchers, windowMs, endMs, context);
    if (!this.#mayRead(matchers)) return stored;
    const own = await this.#memory.samples(matchers, windowMs, endMs, context);
    return [...stored.filter(({ labels }) => !this.#written.has(labels)), ...own];
  }

  close(): void {
    this.#stored.close?.();
  }

  /** What no rule writes is storage's alone. */
  #mayRead(matchers: readonly Matcher[]): boolean {
    return this.#written.readBySelector(matchers).length > 0;
  }

  #others(columns: Columns): Columns {
    const rows = [...columns.labels.keys()].filter((row) => !this.#written.has(columns.labels[row]!));
    return rows.length === columns.labels.length ? columns : pickRows(columns, rows);
  }
}

function joined(a: Columns, b: Columns): Columns {
  const { steps } = a;
  const cells = a.labels.length * steps;
  const all = blankColumns([...a.labels, ...b.labels], steps);
  for (const [columns, from] of [
    [a, 0],
    [b, cells],
  ] as const) {
    const end = columns.labels.length * steps;
    all.values.set(columns.values.subarray(0, end), from);
    all.present.set(columns.present.subarray(0, end), from);
    for (const [cell, histogram] of columns.histograms ?? []) all.histograms.set(from + cell, histogram);
  }
  return { ...all, notes: [...(a.notes ?? []), ...(b.notes ?? [])] };
}
