// Things that come and go all the time, few at once: an array in which each knows its place.
//
// A Set or a Map that is empty again and again makes itself a new table each time, and of old tables each holds on to
// the next: what a small query leaves then outlives it until the heap is swept, a third of its processor time.

export interface Bagged {
  /** Its place in the bag that it is in. -1 outside; the bag's business. */
  place: number;
}

export class Bag<T extends Bagged> {
  readonly #things: T[] = [];

  get size(): number {
    return this.#things.length;
  }

  add(thing: T): void {
    if (thing.place >= 0) return;
    thing.place = this.#things.length;
    this.#things.push(thing);
  }

  /** Twice does no harm. */
  remove(thing: T): void {
    const { place } = thing;
    if (place < 0) return;
    const last = this.#things.pop()!;
    if (last !== thing) {
      this.#things[place] = last;
      last.place = place;
    }
    thing.place = -1;
  }

  /** Those that are in it now, in any order. */
  list(): T[] {
    return [...this.#things];
  }
}
