// A Kubernetes API for tests: objects by collection, lists in pages, watches that tell what changes, versions that are
// forgotten.

import type { ServerResponse } from 'node:http';
import { sendJson, serve, type TestServer } from './discovery.js';

export interface KubernetesObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

interface Watcher {
  readonly collection: string;
  readonly namespace: string;
  readonly response: ServerResponse;
}

export class FakeKubernetes {
  readonly server: TestServer;
  readonly #objects = new Map<string, Map<string, KubernetesObject>>();
  readonly #watchers = new Set<Watcher>();
  readonly #events: { version: number; collection: string; event: unknown }[] = [];
  #version = 100;
  /** Versions before this one are forgotten. */
  #oldest = 0;
  pageObjects = 1000;
  /** Answers every list with this status while it is set. */
  refusal: number | undefined;
  /** Forgets the versions of lists under way, once. */
  forgetsNextPage = false;
  token: string | undefined;

  private constructor(server: TestServer) {
    this.server = server;
  }

  static async start(): Promise<FakeKubernetes> {
    let api: FakeKubernetes | undefined;
    const server = await serve((request, response) => {
      api!.#answer(new URL(request.url!, 'http://x'), request.headers.authorization, response);
    });
    api = new FakeKubernetes(server);
    return api;
  }

  /** Adds an object or changes it. */
  put(collection: string, object: KubernetesObject): void {
    const objects = this.#of(collection);
    const key = keyOf(object);
    const type = objects.has(key) ? 'MODIFIED' : 'ADDED';
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } };
    objects.set(key, versioned);
    this.#tell(collection, { type, object: versioned });
  }

  remove(collection: string, name: string, namespace = 'x'): void {
    const objects = this.#of(collection);
    const key = [...objects.keys()].find(
      (candidate) => candidate === `${namespace}/${name}` || candidate === `/${name}`,
    )!;
    const object = objects.get(key)!;
    objects.delete(key);
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } };
    this.#tell(collection, { type: 'DELETED', object: versioned });
  }

  /** Removes an object without telling those who watch, and forgets that it did. */
  removeSilently(collection: string, name: string): void {
    this.#of(collection).delete(`x/${name}`);
    this.#oldest = ++this.#version;
  }

  bookmark(collection: string): void {
    const object = { metadata: { resourceVersion: String(++this.#version) } };
    this.#tell(collection, { type: 'BOOKMARK', object });
  }

  /** Ends all watches: in good order, with an error event, or by cutting the connections. */
  endWatches(how: 'end' | 'gone' | 'cut'): void {
    for (const { response } of this.#watchers) {
      if (how === 'cut') response.destroy();
      else {
        const object = { kind: 'Status', code: 410, message: 'too old resource version' };
        response.end(how === 'gone' ? `${JSON.stringify({ type: 'ERROR', object })}\n` : '');
      }
    }
    this.#watchers.clear();
  }

  get watches(): number {
    return this.#watchers.size;
  }

  #of(collection: string): Map<string, KubernetesObject> {
    let objects = this.#objects.get(collection);
    if (objects === undefined) {
      objects = new Map();
      this.#objects.set(collection, objects);
    }
    return objects;
  }

  #tell(collection: string, event: unknown): void {
    this.#events.push({ version: this.#version, collection, event });
    for (const watcher of this.#watchers) {
      if (watcher.collection === collection) this.#write(watcher, event);
    }
  }

  /** In pieces, as networks do it. */
  #write({ response, namespace }: Watcher, event: unknown): void {
    const { object } = event as { object: KubernetesObject };
    if (namespace !== '' && object.metadata.namespace !== undefined && object.metadata.namespace !== namespace) return;
    const line = `${JSON.stringify(event)}\n`;
    const middle = line.length >> 1;
    response.write(line.slice(0, middle));
    response.write(line.slice(middle));
  }

  #answer(url: URL, authorization: string | undefined, response: ServerResponse): void {
    const parts = /^\/(api\/v1|apis\/[^/]+\/v1)\/(?:namespaces\/([^/]+)\/)?([a-z]+)$/.exec(url.pathname);
    if (parts === null) return void sendJson(response, { message: 'no such thing' }, 404);
    if (this.token !== undefined && authorization !== `Bearer ${this.token}`) {
      return void sendJson(response, { kind: 'Status', message: 'Unauthorized' }, 401);
    }
    const [, , namespace = '', collection = ''] = parts;
    if (url.searchParams.get('watch') === '1') this.#watch(url, namespace, collection, response);
    else this.#list(url, namespace, collection, response);
  }

  #watch(url: URL, namespace: string, collection: string, response: ServerResponse): void {
    const from = Number(url.searchParams.get('resourceVersion'));
    if (from < this.#oldest) return void sendJson(response, { kind: 'Status', code: 410 }, 410);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watcher = { collection, namespace, response };
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
    for (const { version, collection: changed, event } of this.#events) {
      if (version > from && changed === collection) this.#write(watcher, event);
    }
  }

  #list(url: URL, namespace: string, collection: string, response: ServerResponse): void {
    if (this.refusal !== undefined) return void sendJson(response, { message: 'not now' }, this.refusal);
    const all = [...this.#of(collection)]
      .filter(([key]) => namespace === '' || key.startsWith(`${namespace}/`))
      .map(([, object]) => object);
    const start = Number(url.searchParams.get('continue') ?? 0);
    if (start > 0 && this.forgetsNextPage) {
      this.forgetsNextPage = false;
      return void sendJson(response, { kind: 'Status', code: 410 }, 410);
    }
    const isPaged = url.searchParams.has('limit');
    const end = isPaged ? start + this.pageObjects : all.length;
    const metadata = { resourceVersion: String(this.#version), ...(end < all.length ? { continue: String(end) } : {}) };
    sendJson(response, { metadata, items: all.slice(start, end) });
  }
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
