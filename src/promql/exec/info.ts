// info(): the labels of info series, such as target_info, added to other series.
//
// A series is joined with the info series that has the same identifying labels, of
// each info metric by itself; of several at one step the one with the newest
// sample. Labels that the series has already stay as they are.

import { keyOf, type Labels, labelsOf, METRIC_NAME, pairsOf, valueOf } from '../../model/labels.js';
import { compileMatcher, type Matcher } from '../../model/matcher.js';
import { executionError, SAME_LABELS } from '../errors.js';
import type { InfoSelection } from '../plan/plan.js';
import { ColumnsBuilder, copyCell, hasHistograms } from './columns.js';
import { windowEnds } from './ranges.js';
import { ABSENT, type Columns, type Fragment, type Steps } from './source.js';
import { type VectorValue, vector } from './value.js';

const IDENTIFYING = ['instance', 'job'] as const;
const DEFAULT_INFO: Matcher = { name: METRIC_NAME, op: '=', value: 'target_info' };

/** Reads a fragment, as the executor does it. */
type Select = (fragment: Fragment) => Promise<Columns>;

export async function addInfo(
  base: VectorValue,
  selection: InfoSelection,
  steps: Steps,
  lookbackMs: number,
  select: Select,
): Promise<VectorValue> {
  const wanted = new Wanted(selection.matchers);
  const matchers = wanted.selector(base.columns);
  const fragment = {
    matchers,
    steps: windowEnds(steps, selection.offsetMs, selection.atMs),
    windowMs: lookbackMs,
    args: [],
    dropName: false,
  };
  const isEmpty = matchers.length === 0;
  const samples = isEmpty ? undefined : await select({ ...fragment, fn: 'last' });
  if (samples !== undefined && hasHistograms(samples)) throw executionError('info sample should be float');
  const times = isEmpty ? undefined : await select({ ...fragment, fn: 'timestamp' });
  return new InfoJoin(base, times, wanted).run();
}

/** What the second argument of info() asks for. */
class Wanted {
  readonly #names: readonly Matcher[];
  /** Conditions on data labels; where there are any, only their labels are added. */
  readonly #data: readonly Matcher[];
  readonly #isInfoName: (name: string) => boolean;

  constructor(matchers: readonly Matcher[] | undefined) {
    const all = matchers ?? [];
    const names = all.filter(({ name }) => name === METRIC_NAME);
    this.#names = effectiveNames(names);
    this.#data = all.filter(({ name }) => name !== METRIC_NAME);
    const tests = this.#names.map(compileMatcher);
    this.#isInfoName = (name) => tests.every((test) => test(name));
  }

  /** Info series themselves are left alone. */
  isInfo(labels: Labels): boolean {
    return this.#isInfoName(valueOf(labels, METRIC_NAME));
  }

  adds(label: string): boolean {
    return label !== METRIC_NAME && (this.#data.length === 0 || this.#data.some(({ name }) => name === label));
  }

  /** Whether a series that nothing was found for stays. */
  get allowsNone(): boolean {
    return this.#data.every((matcher) => compileMatcher(matcher)(''));
  }

  /** Matches all info series that some row may be joined with; empty where there can be none. */
  selector({ labels }: Columns): Matcher[] {
    const rows = labels.filter((row) => !this.isInfo(row));
    const identifying = IDENTIFYING.map((name) => ({
      name,
      values: new Set(rows.map((row) => valueOf(row, name)).filter((value) => value !== '')),
    })).filter(({ values }) => values.size > 0);
    if (identifying.length === 0) return [];
    const oneOf = identifying.map(
      ({ name, values }): Matcher => ({ name, op: '=~', value: [...values].map(escapePattern).join('|') }),
    );
    return [...oneOf, ...this.#data, ...this.#names];
  }
}

/** Without a condition that asks for names: target_info, or all that are called like info metrics. */
function effectiveNames(names: readonly Matcher[]): readonly Matcher[] {
  if (names.some(({ op }) => op === '=' || op === '=~')) return names;
  if (names.length > 0) return [{ name: METRIC_NAME, op: '=~', value: '.+_info' }, ...names];
  return [DEFAULT_INFO];
}

function escapePattern(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

class InfoJoin {
  readonly #base: VectorValue;
  /** The times of info samples, in seconds. */
  readonly #info: Columns | undefined;
  readonly #wanted: Wanted;
  readonly #out: ColumnsBuilder;
  readonly #rows = new Map<string, number>();
  readonly #drops: number[] = [];
  /** The metric names of info series. */
  readonly #metrics: readonly string[];

  constructor(base: VectorValue, info: Columns | undefined, wanted: Wanted) {
    this.#base = base;
    this.#info = info;
    this.#wanted = wanted;
    this.#out = new ColumnsBuilder(base.columns.steps, base.columns.labels.length);
    this.#metrics = [...new Set((info?.labels ?? []).map((row) => valueOf(row, METRIC_NAME)))];
  }

  run(): VectorValue {
    const { columns } = this.#base;
    const joined = new Map<string, Labels | undefined>();
    for (let step = 0; step < columns.steps; step++) {
      const newest = this.#newestAt(step);
      columns.labels.forEach((labels, row) => {
        const cell = row * columns.steps + step;
        if (columns.present[cell] === ABSENT) return;
        const partners = this.#partnersOf(labels, newest);
        const key = `${row} ${partners.join()}`;
        if (!joined.has(key)) joined.set(key, this.#join(labels, partners));
        const result = joined.get(key);
        if (result !== undefined) this.#write(result, row, cell, step);
      });
    }
    return vector(this.#out.finish(), this.#base.drops && Uint8Array.from(this.#drops));
  }

  /** By metric and identifying labels, the info row with the newest sample. */
  #newestAt(step: number): Map<string, number> {
    const newest = new Map<string, number>();
    const info = this.#info;
    if (info === undefined || this.#base.columns.present.length === 0) return newest;
    const timeOf = (row: number) => info.values[row * info.steps + step]!;
    info.labels.forEach((labels, row) => {
      if (info.present[row * info.steps + step] === ABSENT) return;
      const key = identityOf(labels, valueOf(labels, METRIC_NAME));
      const known = newest.get(key);
      if (known !== undefined && timeOf(known) === timeOf(row)) {
        const [first, second] = [known, row].map((index) => info.labels[index]!.join());
        throw executionError(`found duplicate series for info metric: existing ${first}, new ${second}`);
      }
      if (known === undefined || timeOf(row) > timeOf(known)) newest.set(key, row);
    });
    return newest;
  }

  #partnersOf(labels: Labels, newest: ReadonlyMap<string, number>): number[] {
    if (newest.size === 0 || this.#wanted.isInfo(labels)) return [];
    const rows = this.#metrics.map((metric) => newest.get(identityOf(labels, metric)));
    return rows.filter((row): row is number => row !== undefined);
  }

  /** undefined where the series is to be left out. */
  #join(labels: Labels, partners: readonly number[]): Labels | undefined {
    if (this.#wanted.isInfo(labels)) return labels;
    if (partners.length === 0) return this.#wanted.allowsNone ? labels : undefined;
    const added = new Map<string, string>();
    for (const row of partners) {
      for (const [name, value] of pairsOf(this.#info!.labels[row]!)) {
        if (!this.#wanted.adds(name)) continue;
        const known = added.get(name);
        if (known !== undefined && known !== value) throw executionError(`conflicting label: ${name}`);
        if (valueOf(labels, name) === '') added.set(name, value);
      }
    }
    return labelsOf([...pairsOf(labels), ...added]);
  }

  #write(labels: Labels, row: number, cell: number, step: number): void {
    const key = keyOf(labels);
    let offset = this.#rows.get(key);
    if (offset === undefined) {
      offset = this.#out.row(labels);
      this.#rows.set(key, offset);
      this.#drops.push(this.#base.drops?.[row] ?? 0);
    }
    if (this.#out.present[offset + step] !== ABSENT) throw executionError(SAME_LABELS);
    copyCell(this.#base.columns, cell, this.#out, offset + step);
  }
}

function identityOf(labels: Labels, metric: string): string {
  return [metric, ...IDENTIFYING.map((name) => valueOf(labels, name))].join('\xff');
}
