// The jobs of queries that wait for a shard, in a fair order: who has had the least of it
// goes first.
//
// A query is many short jobs. Taken in the order of arrival, a small query would wait for
// a job of each large one; so it is over before any of them has its next turn, and large
// ones share what is left. Now and then the longest wait counts instead, so that a flood
// of small queries does not stop large ones altogether.

/** What one query has had of all shards. */
export class ShardUsage {
  usedMs = 0;
}

export interface Turn {
  /** None: a question of one job. */
  readonly usage: ShardUsage | undefined;
  /** Throws when nobody wants the job any more. */
  readonly check?: (() => void) | undefined;
}

/** Each such turn goes to who has waited longest. */
const OLDEST_EVERY = 8;

export class FairLane<T extends Turn> {
  #waiting: T[] = [];
  #turns = 0;

  get length(): number {
    return this.#waiting.length;
  }

  push(turn: T): void {
    this.#waiting.push(turn);
  }

  /** Takes the next one. */
  shift(): T | undefined {
    if (this.#waiting.length <= 1) return this.#waiting.shift();
    const at = ++this.#turns % OLDEST_EVERY === 0 ? 0 : this.#leastUsed();
    return this.#waiting.splice(at, 1)[0];
  }

  /** The first of equals. */
  #leastUsed(): number {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    this.#waiting.forEach(({ usage }, i) => {
      const used = usage?.usedMs ?? 0;
      if (used >= least) return;
      least = used;
      best = i;
    });
    return best;
  }

  /** Takes all that nobody wants any more, with the reasons. */
  dropUnwanted(): { readonly turn: T; readonly reason: unknown }[] {
    const dropped: { turn: T; reason: unknown }[] = [];
    this.#waiting = this.#waiting.filter((turn) => {
      try {
        turn.check?.();
        return true;
      } catch (reason) {
        dropped.push({ turn, reason });
        return false;
      }
    });
    return dropped;
  }

  /** Takes all that wait. */
  drain(): T[] {
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }
}
