// Metadata of metrics, by target: what HELP, TYPE and UNIT lines said last.

import type { MetricMetadata } from '../model/family.js';
import type { MetadataLine } from '../wasm/exposition.js';

interface Entry {
  type: string;
  help: string;
  unit: string;
}

/** What is known of a target's metrics, in texts. */
export interface MetadataSize {
  readonly entries: number;
  /** Of help, type and unit, as strings are long. */
  readonly bytes: number;
}

export class MetadataStore {
  readonly #targets = new Map<number, Map<string, Entry>>();

  /** Lines that are new or changed since the target's last scrape; gives what is known of their metrics now. */
  note(target: number, lines: readonly MetadataLine[]): MetricMetadata[] {
    let metrics = this.#targets.get(target);
    if (metrics === undefined) this.#targets.set(target, (metrics = new Map()));
    for (const { kind, metric, text } of lines) {
      let entry = metrics.get(metric);
      if (entry === undefined) metrics.set(metric, (entry = { type: 'unknown', help: '', unit: '' }));
      entry[kind] = kind === 'type' && text === 'untyped' ? 'unknown' : text;
    }
    const names = new Set(lines.map(({ metric }) => metric));
    return Array.from(names, (metric) => ({ metric, ...metrics.get(metric)! }));
  }

  size(target: number): MetadataSize {
    const entries = [...(this.#targets.get(target)?.values() ?? [])];
    const bytes = entries.reduce((sum, { type, help, unit }) => sum + type.length + help.length + unit.length, 0);
    return { entries: entries.length, bytes };
  }

  forget(target: number): void {
    this.#targets.delete(target);
  }

  /** All of it, or that of one metric, by target. */
  list(metric: string | undefined): { target: number; metadata: MetricMetadata[] }[] {
    const found = [];
    for (const [target, metrics] of this.#targets) {
      const metadata = [];
      for (const [name, entry] of metrics) {
        if (metric === undefined || metric === name) metadata.push({ metric: name, ...entry });
      }
      if (metadata.length > 0) found.push({ target, metadata });
    }
    return found;
  }
}
