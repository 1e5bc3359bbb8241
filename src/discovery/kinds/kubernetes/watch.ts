// All objects of one kind, kept as they are now: listed once, then watched.
//
//   LIST, page by page ──resourceVersion──► WATCH: ADDED, MODIFIED, DELETED, BOOKMARK … ends ─► WATCH again from the last
//     ▲                                        │                                                 version seen
//     └──────── 410: that version is forgotten ┘
//
// Whatever fails is tried again, later each time; the objects stay as they were.

import { jsonOf, refusal } from '../../http.js';
import type { Session } from '../../session.js';
import { parseJson, type Tree } from '../../tree.js';
import type { ApiAsker } from './plugin.js';

export type ObjectEvent = 'add' | 'update' | 'delete';

export interface WatchOptions {
  /** The collection: `https://host/api/v1/namespaces/x/pods`. */
  readonly url: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly asker: ApiAsker;
  readonly session: Session;
  readonly onEvent: (event: ObjectEvent, key: string) => void;
}

const PAGE_OBJECTS = 500;
/** A watch lasts so long at least, and up to twice that: many watchers should not come back at once. */
const WATCH_SECONDS_MIN = 300;
/** An answer to a list, and what a watch gets beyond its time. */
const ANSWER_MS = 60_000;
const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 30_000;

/** Throws nothing; its promise of the first list never rejects. */
export class WatchedObjects {
  readonly #options: WatchOptions;
  #objects = new Map<string, Tree>();
  /** Where to watch from; empty while a list is needed. */
  #version = '';
  #listed: (() => void) | undefined;
  /** Resolves when the objects have been listed for the first time. */
  readonly whenListed: Promise<void>;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.whenListed = new Promise((resolve) => {
      this.#listed = resolve;
    });
  }

  get(key: string): Tree | undefined {
    return this.#objects.get(key);
  }

  get keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  /** Resolves when the session has ended. */
  async run(): Promise<void> {
    const { session } = this.#options;
    let retryMs = RETRY_MS_MIN;
    while (!session.hasEnded) {
      try {
        if (this.#version === '') {
          await this.#list();
          this.#listed?.();
        }
        const startMs = session.clock.monotonicMs();
        await this.#watch();
        retryMs = RETRY_MS_MIN;
        // A server that ends every watch at once is not to be asked all the time.
        await session.pause(Math.max(0, startMs + RETRY_MS_MIN - session.clock.monotonicMs()));
      } catch (error) {
        if (session.hasEnded) return;
        session.metrics.kubernetesFailures.value++;
        session.failed(error);
        await session.pause(retryMs * (1 + session.prng.float()));
        retryMs = Math.min(2 * retryMs, RETRY_MS_MAX);
      }
    }
  }

  async #list(): Promise<void> {
    const found = new Map<string, Tree>();
    let next = '';
    let version = '';
    do {
      const page = await this.#ask({ limit: String(PAGE_OBJECTS), continue: next }).catch((error) => {
        // The list went stale between two pages: from the beginning, in one piece.
        if (next === '' || !(error instanceof GoneError)) throw error;
        found.clear();
        return this.#ask({});
      });
      for (const object of page.at('items').items) found.set(keyOf(object), object);
      version = page.at('metadata', 'resourceVersion').text;
      next = page.at('metadata', 'continue').text;
    } while (next !== '');
    this.#replace(found);
    this.#version = version;
  }

  async #ask(parameters: Readonly<Record<string, string>>): Promise<Tree> {
    const answer = await this.#options.asker.ask({ url: this.#url(parameters), timeoutMs: ANSWER_MS });
    if (answer.status === 410) throw new GoneError();
    if (answer.status !== 200) throw refusal(answer);
    return jsonOf(answer);
  }

  /** Resolves when the server has ended the watch in good order. */
  async #watch(): Promise<void> {
    const { asker, session } = this.#options;
    const seconds = Math.round(WATCH_SECONDS_MIN * (1 + session.prng.float()));
    const url = this.#url({
      watch: '1',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
      resourceVersion: this.#version,
    });
    let fault: Error | undefined;
    let isGone = false;
    const onLine = (line: string) => {
      const event = parseJson(line);
      if (event.at('type').text !== 'ERROR') this.#take(event.at('type').text, event.at('object'));
      else if (event.at('object', 'code').number === 410) isGone = true;
      else fault ??= new Error(`watch failed: ${event.at('object', 'message').text}`);
    };
    const answer = await asker.lines({ url, timeoutMs: seconds * 1000 + ANSWER_MS }, onLine);
    if (answer.status === 410) isGone = true;
    else if (answer.status !== 200) fault = refusal(answer);
    if (isGone) this.#version = '';
    else if (fault !== undefined) throw fault;
  }

  #take(type: string, object: Tree): void {
    this.#version = object.at('metadata', 'resourceVersion').text || this.#version;
    if (type === 'BOOKMARK') return;
    const key = keyOf(object);
    if (type === 'DELETED') {
      if (this.#objects.delete(key)) this.#options.onEvent('delete', key);
      return;
    }
    const event = this.#objects.has(key) ? 'update' : 'add';
    this.#objects.set(key, object);
    this.#options.onEvent(event, key);
  }

  #replace(found: Map<string, Tree>): void {
    const before = this.#objects;
    this.#objects = found;
    for (const key of found.keys()) this.#options.onEvent(before.has(key) ? 'update' : 'add', key);
    for (const key of before.keys()) if (!found.has(key)) this.#options.onEvent('delete', key);
  }

  #url(parameters: Readonly<Record<string, string>>): string {
    const { url, labelSelector, fieldSelector } = this.#options;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...parameters, labelSelector, fieldSelector })) {
      if (value !== '') query.set(name, value);
    }
    return `${url}?${query}`;
  }
}

/** The server has forgotten the version that was asked for. */
class GoneError extends Error {
  constructor() {
    super('the resource version is too old');
  }
}

/** `namespace/name`, or the name of what is in no namespace. */
export function keyOf(object: Tree): string {
  return pathOf(object.at('metadata', 'namespace').text, object.at('metadata', 'name').text);
}

export function pathOf(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}
