// What queries with several fragments see: one view for each query, from its first fragment to its end.

import type { Queries, View } from '../wasm/query.js';

/** The snapshot of a query with one fragment. */
export const ALONE = 0;

export class Snapshots {
  readonly #queries: Queries;
  readonly #views = new Map<number, View>();

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /**
   * A view for a fragment: of what the first fragment of the snapshot saw, if this one is not the first. Nothing is
   * kept for fragments that are alone.
   */
  view(snapshot: number, watermark: number): View {
    if (snapshot === ALONE) return this.#queries.view(watermark);
    let view = this.#views.get(snapshot);
    if (view === undefined) {
      view = this.#queries.view(watermark);
      this.#views.set(snapshot, view);
    }
    return this.#queries.copyView(view);
  }

  close(snapshot: number): void {
    const view = this.#views.get(snapshot);
    if (view === undefined) return;
    this.#views.delete(snapshot);
    this.#queries.closeView(view);
  }
}
