// The objects that a role looks at, and who looks at which: when an object changes, the groups that were made with it,
// or without it because it was not there, are made anew.
//
//   pod x/a ──looked up by──► endpoints x/s ──► group endpoints/x/s

import type { SourcedGroup } from '../../group.js';
import type { Session } from '../../session.js';
import type { Tree } from '../../tree.js';
import type { ObjectEvent, WatchedObjects } from './watch.js';

/** Kinds of objects: which API group and collection they are in, and whether in a namespace. */
export const RESOURCES = {
  node: { path: 'api/v1', collection: 'nodes', isNamespaced: false },
  namespace: { path: 'api/v1', collection: 'namespaces', isNamespaced: false },
  pod: { path: 'api/v1', collection: 'pods', isNamespaced: true },
  service: { path: 'api/v1', collection: 'services', isNamespaced: true },
  endpoints: { path: 'api/v1', collection: 'endpoints', isNamespaced: true },
  endpointslice: { path: 'apis/discovery.k8s.io/v1', collection: 'endpointslices', isNamespaced: true },
  ingress: { path: 'apis/networking.k8s.io/v1', collection: 'ingresses', isNamespaced: true },
  replicaset: { path: 'apis/apps/v1', collection: 'replicasets', isNamespaced: true },
  job: { path: 'apis/batch/v1', collection: 'jobs', isNamespaced: true },
} as const;

export type Resource = keyof typeof RESOURCES;

/** Finds objects for the group that is being made. Undefined also for kinds that nobody watches. */
export type Lookup = (resource: Resource, key: string) => Tree | undefined;

/** Makes the group of one object. */
export type GroupMaker = (object: Tree, lookup: Lookup) => Omit<SourcedGroup, 'source'>;

export interface ClusterOptions {
  readonly session: Session;
  readonly role: Resource;
  /** Names of groups begin with it. */
  readonly sourcePrefix: string;
  readonly make: GroupMaker;
}

export class Cluster {
  readonly #options: ClusterOptions;
  /** By kind; several where several namespaces are watched. */
  readonly #stores = new Map<Resource, WatchedObjects[]>();
  /** Objects that were looked up, as `pod x/a`, and the keys of the groups that did. */
  readonly #lookers = new Map<string, Set<string>>();
  #isReady = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  add(resource: Resource, store: WatchedObjects): void {
    const stores = this.#stores.get(resource);
    if (stores === undefined) this.#stores.set(resource, [store]);
    else stores.push(store);
  }

  /** All is listed: from now on every event counts. */
  start(): void {
    const { session, role } = this.#options;
    this.#isReady = true;
    const groups: SourcedGroup[] = [];
    for (const store of this.#stores.get(role) ?? []) {
      for (const key of store.keys) groups.push(this.#make(key, store.get(key)!));
    }
    session.replace(groups);
  }

  onEvent(resource: Resource, event: ObjectEvent, key: string): void {
    const { session, role } = this.#options;
    session.metrics.kubernetesEvents.with(resource, event).value++;
    if (!this.#isReady) return;
    if (resource === role) this.#refresh(key);
    for (const looker of [...(this.#lookers.get(`${resource} ${key}`) ?? [])]) this.#refresh(looker);
  }

  #refresh(key: string): void {
    const { session, role, sourcePrefix } = this.#options;
    const object = this.#find(role, key);
    if (object !== undefined) session.put(this.#make(key, object));
    else {
      session.drop(`${sourcePrefix}/${key}`);
      for (const lookers of this.#lookers.values()) lookers.delete(key);
    }
  }

  #make(key: string, object: Tree): SourcedGroup {
    const { make, sourcePrefix } = this.#options;
    const lookup: Lookup = (resource, wanted) => {
      if (!this.#stores.has(resource)) return undefined;
      const name = `${resource} ${wanted}`;
      const lookers = this.#lookers.get(name);
      if (lookers === undefined) this.#lookers.set(name, new Set([key]));
      else lookers.add(key);
      return this.#find(resource, wanted);
    };
    return { source: `${sourcePrefix}/${key}`, ...make(object, lookup) };
  }

  #find(resource: Resource, key: string): Tree | undefined {
    for (const store of this.#stores.get(resource) ?? []) {
      const object = store.get(key);
      if (object !== undefined) return object;
    }
    return undefined;
  }
}
