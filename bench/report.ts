// What a run found: a table for the terminal, JSON for machines, a chart of the ratios.

import type { Measure, Outcome } from './bench.js';
import { type Budget, budgetOf, isMet } from './budgets.js';

/** The server that the others are compared with. */
export const SUBJECT = 'narthex';

export interface Row {
  readonly path: string;
  readonly measure: Measure;
  /** By server. */
  readonly measures: ReadonlyMap<string, Measure>;
  /** Ours divided by the other's, by server; below 1 is better where less is better. */
  readonly ratios: ReadonlyMap<string, number>;
  readonly budget: Budget | undefined;
}

export function rowsOf(outcomes: readonly Outcome[]): Row[] {
  const rows = new Map<string, { path: string; measure: Measure; measures: Map<string, Measure> }>();
  for (const { path, server, measures } of outcomes) {
    for (const measure of measures) {
      const key = `${path} ${measure.id}`;
      const row = rows.get(key) ?? { path, measure, measures: new Map<string, Measure>() };
      row.measures.set(server, measure);
      rows.set(key, row);
    }
  }
  return [...rows.values()].map((row) => {
    const budget = budgetOf(row.path, row.measure.id);
    return { ...row, ratios: row.measure.better ? ratiosOf(row.measures) : new Map(), budget };
  });
}

function ratiosOf(measures: ReadonlyMap<string, Measure>): Map<string, number> {
  const ratios = new Map<string, number>();
  const ours = measures.get(SUBJECT)?.value;
  if (ours === undefined) return ratios;
  for (const [server, { value }] of measures) {
    if (server !== SUBJECT && ours / value > 0 && value > 0) ratios.set(server, ours / value);
  }
  return ratios;
}

/** Whether a query takes us longer than the faster of the others. */
function isSlower({ measure, ratios }: Row): boolean {
  return measure.p99 !== undefined && [...ratios.values()].some((ratio) => ratio > 1);
}

/** The rows of one path, as lines of text. */
export function table(outcomes: readonly Outcome[]): string {
  const lines = [outcomes[0]?.title ?? '', ...columns(cellsOf(outcomes))];
  for (const { server, checks, failure } of outcomes) {
    if (failure !== undefined) lines.push(`  ${server} FAILED: ${failure}`);
    else if (checks.length > 0) lines.push(`  ${server} holds what it acknowledged: ${checks.join('; ')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The same for docs/performance.md. */
export function markdown(outcomes: readonly Outcome[]): string {
  const [head, ...rows] = cellsOf(outcomes);
  const versions = new Map(outcomes.map(({ server, version }) => [server, version]));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = [
    `${outcomes[0]?.title ?? ''}.`,
    '',
    line(head!.map((cell) => [cell, versions.get(cell)].filter(Boolean).join(' '))),
    `|${'---|'.repeat(head!.length)}`,
    ...rows.map(line),
  ];
  for (const { server, failure } of outcomes) if (failure !== undefined) lines.push('', `${server} failed: ${failure}`);
  return `${lines.join('\n')}\n`;
}

function cellsOf(outcomes: readonly Outcome[]): string[][] {
  const servers = [...new Set(outcomes.map(({ server }) => server))];
  const peers = servers.filter((server) => server !== SUBJECT);
  const compared = servers.includes(SUBJECT);
  const rows = rowsOf(outcomes);
  const detailed = rows.some(({ measure }) => measure.p99 !== undefined);
  const head = [
    detailed ? 'median / p99 / CPU, ms' : '',
    ...servers,
    ...(compared ? peers.map((peer) => `÷ ${peer}`) : []),
    compared ? 'budget' : '',
  ];
  const cells = rows.map((row) => [
    row.measure.label,
    ...servers.map((server) => measureText(row.measures.get(server))),
    ...(compared ? peers.map((peer) => ratioText(row.ratios.get(peer))) : []),
    compared ? (isSlower(row) ? `SLOWER ${budgetText(row)}` : budgetText(row)) : '',
  ]);
  return [head, ...cells];
}

/** Of a repeated measure, median, p99 and processor time, without the unit, which the head of the table says. */
function measureText(measure: Measure | undefined): string {
  if (measure?.p99 === undefined) return numberText(measure?.value, measure?.unit ?? '');
  return [measure.value, measure.p99, measure.cpuMs].map((value) => numberText(value, '')).join(' / ');
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => {
    const cells = row.map((cell, i) =>
      i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
    );
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

export function numberText(value: number | undefined, unit: string): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  const big = Math.abs(value) >= 10_000;
  if (unit === 'B') return `${(value / 1e6).toFixed(value < 100e6 ? 1 : 0)} MB`;
  const digits = value === 0 || big ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const text = big && unit === '/s' ? `${(value / 1000).toFixed(0)} k` : value.toFixed(Math.min(digits, 3));
  return unit === '' ? text : unit === '/s' ? `${text}/s` : `${text} ${unit}`;
}

function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? '–' : `${ratio.toFixed(ratio < 0.1 ? 3 : 2)}×`;
}

function budgetText({ budget, measures, ratios, measure: { unit } }: Row): string {
  if (!budget) return '';
  const { against } = budget;
  const value = against === undefined ? measures.get(SUBJECT)?.value : ratios.get(against);
  if (value === undefined || Number.isNaN(value)) return '';
  const text = (limit: number | undefined) =>
    against === undefined ? numberText(limit, unit) : `${limit}× ${against}`;
  const limit = budget.atMost === undefined ? `≥ ${text(budget.atLeast)}` : `≤ ${text(budget.atMost)}`;
  return `${limit} ${isMet(budget, value) ? 'met' : 'OPEN'}`;
}

const BAR = { left: 330, width: 420, height: 14, gap: 6 };
/** Ratios from a hundredth to ten times, on a logarithmic scale. */
const LEAST = 0.01;
const MOST = 10;

/** One bar for each ratio, drawn so that longer to the left is better for us. */
export function chart(outcomes: readonly Outcome[], title: string): string {
  const bars = rowsOf(outcomes).flatMap(({ path, measure, ratios }) =>
    [...ratios].map(([peer, ratio]) => ({
      label: `${path}: ${measure.label}, against ${peer}`,
      ratio,
      good: measure.better === 'less' ? 1 / ratio : ratio,
    })),
  );
  const height = 60 + bars.length * (BAR.height + BAR.gap);
  const x = (good: number) => {
    const clamped = Math.min(1 / LEAST, Math.max(1 / MOST, good));
    return BAR.left + (BAR.width * Math.log10(clamped * MOST)) / Math.log10(MOST / LEAST);
  };
  const drawn = bars.map(({ label, good }, i) => {
    const y = 44 + i * (BAR.height + BAR.gap);
    const [from, to] = [Math.min(x(1), x(good)), Math.max(x(1), x(good))];
    const text = good >= 1 ? `${good.toFixed(1)} times better` : `${(1 / good).toFixed(1)} times worse`;
    return (
      `<text x="${BAR.left - 8}" y="${y + 11}" text-anchor="end">${escape(label)}</text>` +
      `<rect x="${from.toFixed(1)}" y="${y}" width="${(to - from).toFixed(1)}" height="${BAR.height}" fill="${good >= 1 ? '#2a7f62' : '#b3402a'}"/>` +
      `<text x="${(to + 6).toFixed(1)}" y="${y + 11}">${text}</text>`
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="${height}" font-family="sans-serif" font-size="12">` +
    `<rect width="900" height="${height}" fill="white"/><text x="16" y="24" font-size="15">${escape(title)}</text>` +
    `<line x1="${x(1)}" x2="${x(1)}" y1="36" y2="${height - 8}" stroke="#888"/>${drawn.join('')}</svg>\n`
  );
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
