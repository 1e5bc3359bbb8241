// A shard whose core trapped or whose thread died is made again from the log, while the others go on.
//
//   death ──► calls are refused ──► appends under way end; their records are in the log
//         ──► a new thread with a new memory ──► replay ──► calls are taken again
//
// What kills a shard may well be in the log, or come again with the next request: after some
// deaths in a row the server gives up rather than loop.

import { type Clock, sleep } from '../base/clock.js';
import type { ShardClient } from './client.js';
import type { BlockRefusal } from './history/history.js';
import type { Shards } from './shards.js';

export interface RebuildHooks {
  onDeath(index: number, reason: Error): void;
  /** Reads the log back into the new shard. Rejects with IncompleteLog where that is to be tried again with another. */
  replay(client: ShardClient, index: number): Promise<void>;
  /** The shard takes calls again; what is called now comes first. `refused` are blocks that it cannot open. */
  onBack(index: number, refused: readonly BlockRefusal[]): void;
  /** Shards died too often: it makes no sense to go on. */
  onHopeless(reason: Error): void;
}

/** The log cannot be read as a whole just now: a shard made from it would lack what others were promised. */
export class IncompleteLog extends Error {
  override readonly name = 'IncompleteLog';
}

const DEATHS_MAX = 3;
const DEATHS_WITHIN_MS = 300_000;
/** How often, and how soon, a log is tried again that cannot be read. */
const TRIES_MAX = 10;
const RETRY_MS = 1000;

export class Rebuilder {
  readonly #shards: Shards;
  readonly #clock: Clock;
  readonly #hooks: RebuildHooks;
  /** When shards died, of late. */
  #deaths: number[] = [];
  #rebuilt = 0;

  constructor(shards: Shards, clock: Clock, hooks: RebuildHooks) {
    this.#shards = shards;
    this.#clock = clock;
    this.#hooks = hooks;
    shards.handles.forEach(({ client }, index) => {
      client.onDeath = (reason) => this.#died(index, reason);
    });
  }

  /** Shards made again since the start. */
  get rebuilt(): number {
    return this.#rebuilt;
  }

  #died(index: number, reason: Error): void {
    const nowMs = this.#clock.monotonicMs();
    this.#deaths = [...this.#deaths.filter((atMs) => nowMs - atMs < DEATHS_WITHIN_MS), nowMs];
    this.#hooks.onDeath(index, reason);
    if (this.#deaths.length >= DEATHS_MAX) {
      const minutes = DEATHS_WITHIN_MS / 60_000;
      this.#hooks.onHopeless(
        new Error(`shards died ${DEATHS_MAX} times in ${minutes} minutes, last: ${reason.message}`),
      );
      return;
    }
    this.#rebuild(index).catch((error: Error) => this.#died(index, error));
  }

  async #rebuild(index: number): Promise<void> {
    await this.#shards.appends.settled();
    for (let tries = 1; ; tries++) {
      try {
        const refused = await this.#shards.restart(index, (client) => this.#hooks.replay(client, index));
        this.#rebuilt++;
        return this.#hooks.onBack(index, refused);
      } catch (error) {
        if (!(error instanceof IncompleteLog)) throw error;
        // A start goes on without what cannot be read, and says so.
        if (tries === TRIES_MAX) return this.#hooks.onHopeless(error);
      }
      await sleep(this.#clock, RETRY_MS);
    }
  }
}
