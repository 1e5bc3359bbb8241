// What a run found: a table for the terminal, JSON for machines, a chart of the ratios.

import type { Measure, Outcome } from './bench.js';
import { type Budget, budgetOf, isMet } from './budgets.js';

/** The server that the others are compared with. */
export const SUBJECT = 'narthex';

export interface Row {
  readonly path: string;
  readonly measure: Measure;
  /** By server. */
  readonly values: ReadonlyMap<string, number>;
  /** Ours divided by the other's, by server; below 1 is better where less is better. */
  readonly ratios: ReadonlyMap<string, number>;
  readonly budget: Budget | undefined;
}

export function rowsOf(outcomes: readonly Outcome[]): Row[] {
  const rows: Row[] = [];
  const measures = new Map<string, { path: string; measure: Measure; values: Map<string, number> }>();
  for (const { path, server, measures: all } of outcomes) {
    for (const measure of all) {
      const key = `${path} ${measure.id}`;
      const row = measures.get(key) ?? { path, measure, values: new Map<string, number>() };
      row.values.set(server, measure.value);
      measures.set(key, row);
    }
  }
  for (const { path, measure, values } of measures.values()) {
    const ours = values.get(SUBJECT);
    const ratios = new Map<string, number>();
    if (ours !== undefined && measure.better) {
      for (const [server, value] of values)
        if (server !== SUBJECT && ours / value > 0 && value > 0) ratios.set(server, ours / value);
    }
    rows.push({ path, measure, values, ratios, budget: budgetOf(path, measure.id) });
  }
  return rows;
}

/** The rows of one path, as lines of text. */
export function table(outcomes: readonly Outcome[]): string {
  const servers = [...new Set(outcomes.map(({ server }) => server))];
  const peers = servers.filter((server) => server !== SUBJECT);
  const compared = servers.includes(SUBJECT);
  const rows = rowsOf(outcomes);
  const cells = rows.map(({ measure, values, ratios, budget }) => [
    measure.label,
    ...servers.map((server) => numberText(values.get(server), measure.unit)),
    ...(compared ? peers.map((peer) => ratioText(ratios.get(peer))) : []),
    compared ? budgetText(budget, values, ratios, measure.unit) : '',
  ]);
  const head = ['', ...servers, ...(compared ? peers.map((peer) => `÷ ${peer}`) : []), compared ? 'budget' : ''];
  const lines = [outcomes[0]?.title ?? '', ...columns([head, ...cells])];
  for (const { server, checks, failure } of outcomes) {
    if (failure !== undefined) lines.push(`  ${server} FAILED: ${failure}`);
    else if (checks.length > 0) lines.push(`  ${server} holds what it acknowledged: ${checks.join('; ')}`);
  }
  return `${lines.join('\n')}\n`;
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

function budgetText(
  budget: Budget | undefined,
  values: ReadonlyMap<string, number>,
  ratios: ReadonlyMap<string, number>,
  unit: string,
): string {
  const value = budget?.against === undefined ? values.get(SUBJECT) : ratios.get(budget.against);
  if (!budget || value === undefined || Number.isNaN(value)) return '';
  const text = (limit: number | undefined) =>
    budget.against === undefined ? numberText(limit, unit) : `${limit}× ${budget.against}`;
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
