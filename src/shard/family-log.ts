// Metadata in the log, as Prometheus has it: an entry for each series, when the series is made and when something else is
// said of its family. Only where the server was started for it.

import type { MetricMetadata } from '../model/family.js';
import { namesOf } from '../model/family.js';
import type { SeriesIndex } from '../wasm/head.js';
import type { LabelScratch } from '../wasm/label-scratch.js';
import type { Select } from '../wasm/select.js';
import type { Families } from './families.js';

/** Series of one job: their entries take some milliseconds. */
const PAGE_SERIES = 5_000;

/** Takes the entry of a series for the log. */
export type WriteEntry = (series: SeriesIndex, metadata: MetricMetadata) => void;

interface Waiting {
  readonly metadata: MetricMetadata;
  /** Series up to this one have their entries. */
  after: number;
}

export class FamilyLog {
  readonly #families: Families;
  readonly #select: Select;
  readonly #scratch: LabelScratch;
  /** Families of whose series some have no entry yet. */
  #waiting: Waiting[] = [];

  constructor(families: Families, select: Select, scratch: LabelScratch) {
    this.#families = families;
    this.#select = select;
    this.#scratch = scratch;
  }

  /** What is known of the series whose labels are in the scratch. */
  ofScratch(): MetricMetadata | undefined {
    return this.#families.size === 0 ? undefined : this.#families.find(this.#scratch.metricName());
  }

  /** All series of a family want another entry. */
  add(metadata: MetricMetadata): void {
    this.#waiting = this.#waiting.filter((one) => one.metadata.metric !== metadata.metric);
    this.#waiting.push({ metadata, after: -1 });
  }

  /** Writes the next entries; whether that was all. */
  step(write: WriteEntry): boolean {
    let room = PAGE_SERIES;
    for (let next = this.#waiting[0]; next !== undefined && room > 0; next = this.#waiting[0]) {
      const page = this.#seriesBehind(next, room);
      for (const series of page) write(series, next.metadata);
      if (page.length < room) this.#waiting.shift();
      else next.after = page.at(-1)!;
      room -= page.length;
    }
    return this.#waiting.length === 0;
  }

  #seriesBehind({ metadata, after }: Waiting, most: number): SeriesIndex[] {
    const list = this.#select.anyOf(namesOf(metadata).map((value) => [{ name: '__name__', op: '=', value }]));
    try {
      const page: SeriesIndex[] = [];
      for (const series of this.#select.indexes(list)) {
        if (series <= after) continue;
        page.push(series as SeriesIndex);
        if (page.length === most) break;
      }
      return page;
    } finally {
      this.#select.release(list);
    }
  }
}
