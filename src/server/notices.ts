// What whoever looks after this server should know now, in Prometheus's words, and who is told of changes.

import type { Clock } from '../base/clock.js';
import type { Notification, NotificationListener, Notifications } from '../web/deps.js';

export const STARTING_UP = 'Prometheus is starting and replaying the write-ahead log (WAL).';
export const SHUTTING_DOWN = 'Prometheus is shutting down and gracefully stopping all operations.';
export const CONFIG_FAILED = 'Configuration reload has failed.';

export class Notices implements Notifications {
  readonly #clock: Clock;
  readonly #listenersMax: number;
  readonly #active = new Map<string, Notification>();
  readonly #listeners = new Set<NotificationListener>();

  constructor(clock: Clock, listenersMax: number) {
    this.#clock = clock;
    this.#listenersMax = listenersMax;
  }

  /** Begins to hold; nothing happens where it does already. */
  add(text: string): void {
    if (this.#active.has(text)) return;
    const notification = { text, sinceMs: this.#clock.nowMs(), active: true };
    this.#active.set(text, notification);
    this.#tell(notification);
  }

  /** Is over. */
  remove(text: string): void {
    const notification = this.#active.get(text);
    if (notification === undefined) return;
    this.#active.delete(text);
    this.#tell({ ...notification, active: false });
  }

  active(): readonly Notification[] {
    return [...this.#active.values()];
  }

  subscribe(listener: NotificationListener): (() => void) | undefined {
    if (this.#listeners.size >= this.#listenersMax) return undefined;
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets all go who listen. */
  close(): void {
    for (const listener of this.#listeners) listener.close();
  }

  #tell(notification: Notification): void {
    for (const listener of this.#listeners) listener.tell(notification);
  }
}
