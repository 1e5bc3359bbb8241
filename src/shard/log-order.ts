// In which order appends go to the log: in that in which the shards have applied them.
//
//   shard 0   append 7, append 8            append 8 has all its answers, 7 waits for shard 1: the log gets 7, then 8
//   shard 1   append 9, append 7
//
// Whoever replays the log meets the samples of a series in the order of their times then, and a series before its samples; a
// Prometheus drops those that come too late. That costs nobody time: an append is visible, and answered, after all earlier ones in any case.
//
// An append has one place in a shard, that of the first of it that the shard applied. Where two went round each other on two shards, which
// takes two senders of the same series at the same time, the earlier number is first.

import { isAfter } from './appends.js';

interface Entry {
  readonly append: number;
  /** By shard: the number of its first part there. */
  readonly places: Map<number, number>;
  write: (() => void) | undefined;
}

export class LogOrder {
  /** Of each shard, what is not in the log yet, in the order of places. */
  readonly #queues = new Map<number, Entry[]>();
  readonly #entries = new Map<number, Entry>();

  /** A shard has applied something of an append; its parts are numbered as they were applied. */
  touch(append: number, shard: number, part: number): void {
    let entry = this.#entries.get(append);
    if (entry === undefined) this.#entries.set(append, (entry = { append, places: new Map(), write: undefined }));
    if (entry.places.has(shard)) return;
    entry.places.set(shard, part);
    let queue = this.#queues.get(shard);
    if (queue === undefined) this.#queues.set(shard, (queue = []));
    let at = queue.length;
    while (at > 0 && queue[at - 1]!.places.get(shard)! > part) at--;
    queue.splice(at, 0, entry);
  }

  /** The append is over: calls `write` as soon as all that was applied before it is written. What is not committed holds up what follows. */
  commit(append: number, write: () => void): void {
    const entry = this.#entries.get(append);
    if (entry === undefined) {
      write();
      return;
    }
    entry.write = write;
    let next: Entry | undefined = this.#isFirst(entry) ? entry : this.#next();
    for (; next !== undefined; next = this.#next()) this.#write(next);
  }

  /** What can be written now: the first everywhere, or of a ring the lowest number. */
  #next(): Entry | undefined {
    let [lowest, hasUnknown] = [undefined as Entry | undefined, false];
    for (const [first] of this.#queues.values()) {
      if (first === undefined) continue;
      if (first.write === undefined) hasUnknown = true;
      else if (this.#isFirst(first)) return first;
      else if (lowest === undefined || isBefore(first, lowest)) lowest = first;
    }
    return hasUnknown ? undefined : lowest;
  }

  #isFirst(entry: Entry): boolean {
    for (const shard of entry.places.keys()) if (this.#queues.get(shard)![0] !== entry) return false;
    return true;
  }

  #write(entry: Entry): void {
    for (const shard of entry.places.keys()) {
      const queue = this.#queues.get(shard)!;
      queue.splice(queue.indexOf(entry), 1);
    }
    this.#entries.delete(entry.append);
    entry.write!();
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return isAfter(b.append, a.append);
}
