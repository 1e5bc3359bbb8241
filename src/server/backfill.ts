// Recording rules evaluated for a time that is past, and stored: for rules that are new, and for gaps.
//
//   rules in force ──► dry run ──► what recording rules gave, as text ──► import, a few blocks at a time
//
// Moments are those at which groups were evaluated, or would have been, so what is there already comes again at the same times.

import { formatSeries } from '../cli/tsdb/openmetrics-text.js';
import { type Labels, METRIC_NAME, valueOf } from '../model/labels.js';
import { formatFloat } from '../model/number.js';
import { type DryRunParts, type DryRunRequest, dryRun } from '../rules/dry-run/dry-run.js';
import type { RuleResults } from '../rules/results.js';

export interface Backfilled {
  readonly samples: number;
  /** Native histograms, which text cannot have, are left out. */
  readonly histograms: number;
  /** Evaluations of rules that failed. */
  readonly failures: number;
}

/** Takes OpenMetrics text. */
export type ImportText = (body: ArrayBuffer) => Promise<unknown>;

/** Text that is imported at a time. */
const BODY_CHARACTERS = 32 * 2 ** 20;

/** Rejects with what was wrong; what was imported before then is there. */
export async function backfill(
  request: DryRunRequest,
  parts: DryRunParts,
  importText: ImportText,
): Promise<Backfilled> {
  const recorded = new Set(
    request.groups.flatMap(({ rules }) => rules.flatMap(({ kind, name }) => (kind === 'recording' ? [name] : []))),
  );
  const text = new ImportedText(importText);
  let histograms = 0;
  const onResults = async ({ timeMs, results }: RuleResults) => {
    for (const { series, value, histogram } of results.flat()) {
      if (!recorded.has(valueOf(series.labels, METRIC_NAME))) continue;
      if (histogram === undefined) text.add(series.labels, timeMs, value);
      else histograms++;
    }
    await text.passIfLong();
  };
  const ran = await dryRun(request, { ...parts, onResults });
  await text.pass();
  const failures = ran.flatMap(({ rules }) => rules).reduce((sum, rule) => sum + rule.failures, 0);
  return { samples: text.samples, histograms, failures };
}

class ImportedText {
  samples = 0;
  readonly #import: ImportText;
  #lines: string[] = [];
  #characters = 0;

  constructor(importText: ImportText) {
    this.#import = importText;
  }

  add(labels: Labels, timeMs: number, value: number): void {
    const line = `${formatSeries(labels)} ${formatFloat(value)} ${(timeMs / 1000).toFixed(3)}\n`;
    this.#lines.push(line);
    this.#characters += line.length;
    this.samples++;
  }

  async passIfLong(): Promise<void> {
    if (this.#characters > BODY_CHARACTERS) await this.pass();
  }

  async pass(): Promise<void> {
    if (this.#lines.length === 0) return;
    const body = new TextEncoder().encode(`${this.#lines.join('')}# EOF\n`).slice();
    this.#lines = [];
    this.#characters = 0;
    await this.#import(body.buffer as ArrayBuffer);
  }
}
