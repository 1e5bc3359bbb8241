// Remarks as they arise, each of them once.

import type { Note, NoteKind } from './source.js';

export class Notes {
  readonly #all = new Map<string, Note>();

  constructor(notes: readonly Note[] = []) {
    for (const note of notes) this.add(note);
  }

  add(note: Note): void {
    this.#all.set(`${note.kind} ${note.metric}`, note);
  }

  /** A remark that is about an aggregation: `metric` is empty where it names none. */
  aggregation(kind: NoteKind & `aggregation-${string}`, metric = ''): void {
    this.add({ kind, metric });
  }

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  get list(): Note[] {
    return [...this.#all.values()];
  }
}
