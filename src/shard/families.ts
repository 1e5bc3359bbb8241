// What a shard knows of families of metrics, beside what each target says of its own (metadata.ts): from remote writes,
// from the log and, where it is kept in the log, from scrapes. The same in all shards: main tells them all.
//
// Some 300 bytes a family, however many series it has.

import { candidatesOf, type MetricMetadata, namesOf } from '../model/family.js';

/** No sender fills the memory with names: what is more is not remembered. */
const FAMILIES_MAX = 100_000;

interface Family {
  metadata: MetricMetadata;
  /** Whether it was named since the last prune(). */
  isFresh: boolean;
}

export class Families {
  readonly #families = new Map<string, Family>();

  get size(): number {
    return this.#families.size;
  }

  /** Those of a list that say something new; what they say is not remembered yet. The others are marked as fresh. */
  changesIn(all: readonly MetricMetadata[]): MetricMetadata[] {
    return all.filter((metadata) => {
      const known = this.#families.get(metadata.metric);
      if (known === undefined) return this.#families.size < FAMILIES_MAX;
      known.isFresh = true;
      return !isSame(known.metadata, metadata);
    });
  }

  /** Remembers; false where nothing is new. */
  learn(metadata: MetricMetadata): boolean {
    if (metadata.metric === '' || this.changesIn([metadata]).length === 0) return false;
    this.#families.set(metadata.metric, { metadata, isFresh: true });
    return true;
  }

  /** That of the family which a series of this name belongs to. */
  find(name: string): MetricMetadata | undefined {
    for (const candidate of candidatesOf(name)) {
      const metadata = this.#families.get(candidate)?.metadata;
      if (metadata !== undefined && namesOf(metadata).includes(name)) return metadata;
    }
    return undefined;
  }

  /** All, or the one of a name. */
  list(metric: string | undefined): MetricMetadata[] {
    if (metric === undefined) return Array.from(this.#families.values(), ({ metadata }) => metadata);
    const family = this.#families.get(metric);
    return family === undefined ? [] : [family.metadata];
  }

  /** Forgets those that have no series and were not named since the last time. */
  prune(hasSeries: (name: string) => boolean): void {
    for (const [name, family] of this.#families) {
      if (!family.isFresh && !namesOf(family.metadata).some(hasSeries)) this.#families.delete(name);
      family.isFresh = false;
    }
  }
}

function isSame(a: MetricMetadata, b: MetricMetadata): boolean {
  return a.type === b.type && a.help === b.help && a.unit === b.unit;
}
