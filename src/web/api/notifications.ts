// /api/v1/notifications: what whoever looks after this server should know now; `/live` tells of changes as they come, as
// server-sent events.

import type { Notification } from '../deps.js';
import { type ApiCall, type ApiRoute, GET, listJson, objectJson, sendData, timeJson } from './call.js';

/** They answer while the server starts, which is one of the things to be told. */
export const notificationRoutes: readonly ApiRoute[] = [
  { pattern: '/notifications', methods: GET, handler: notifications },
  { pattern: '/notifications/live', methods: GET, handler: live },
];

/** A line without meaning goes out this often: connections on which nothing moves are ended by many. */
const KEEP_ALIVE_MS = 5000;

async function notifications(call: ApiCall): Promise<void> {
  await sendData(call, listJson(call.deps.notifications.active().map(notificationJson)));
}

async function live(call: ApiCall): Promise<void> {
  const { deps, answer } = call;
  answer.header('Cache-Control', 'no-cache');
  const listener = new Listener();
  const leave = deps.notifications.subscribe(listener);
  if (leave === undefined) {
    answer.header('Content-Type', 'text/event-stream');
    return answer.empty(204);
  }
  const stream = answer.events();
  answer.signal.addEventListener('abort', () => listener.close());
  try {
    for (const active of deps.notifications.active()) listener.tell(active);
    while (!listener.closed) {
      const next = await listener.next(deps.clock, KEEP_ALIVE_MS);
      if (listener.closed) break;
      const lines = next.map((one) => `data: ${notificationJson(one)}\n\n`).join('');
      await stream.write(Buffer.from(lines === '' ? ':\n\n' : lines));
    }
    await stream.end();
  } finally {
    leave();
  }
}

function notificationJson({ text, sinceMs, active }: Notification): string {
  return objectJson([
    ['text', JSON.stringify(text)],
    ['date', timeJson(sinceMs)],
    ['active', String(active)],
  ]);
}

/** Keeps what comes until it is asked for. There are a few different ones in all, so nothing bounds them. */
class Listener {
  closed = false;
  #waiting: Notification[] = [];
  #wake: (() => void) | undefined;

  tell(notification: Notification): void {
    this.#waiting.push(notification);
    this.#wake?.();
  }

  close(): void {
    this.closed = true;
    this.#wake?.();
  }

  /** What has come, or comes within the time. */
  async next(clock: ApiCall['deps']['clock'], ms: number): Promise<Notification[]> {
    if (this.#waiting.length === 0 && !this.closed) {
      await new Promise<void>((resolve) => {
        const timer = clock.after(ms, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
