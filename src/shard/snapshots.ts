// What queries with several fragments see: one view for each query, from its first fragment to its end.

import type { Queries, View } from '../wasm/query.js';

export class Snapshots {
  readonly #queries: Queries;
  readonly #views = new Map<number, View>();

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  /** A view for a fragment: of what the first fragment of the snapshot saw, if this one is not the first. */
  view(snapshot: number, watermark: number): View {
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
