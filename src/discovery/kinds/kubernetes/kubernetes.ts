// kubernetes_sd: the objects of a cluster, listed and watched.
//
//   role ─► the objects it needs ─► one watch for each kind and namespace ─► cluster ─► groups by object
//
// Nothing is said before everything has been listed once. Source of a group: `pod/<namespace>/<name>` and the like.

import type { SectionOf } from '../../../config/discovery-keys.js';
import type { Session } from '../../session.js';
import { type Access, accessOf, ownNamespace } from './access.js';
import { Cluster, RESOURCES, type Resource } from './cluster.js';
import { type ApiAsker, pluginAskers } from './plugin.js';
import { ROLES } from './roles.js';
import { WatchedObjects } from './watch.js';

/** Where the cluster cannot be found, it is looked for that often. */
const ACCESS_EVERY_MS = 30_000;
const ANSWER_MS = 60_000;

export async function discoverKubernetes(section: SectionOf<'kubernetes'>, session: Session): Promise<void> {
  while (!session.hasEnded) {
    try {
      const access = accessOf(section, session.disk);
      return await watchCluster(section, access, session);
    } catch (error) {
      session.failed(error);
      await session.pause(ACCESS_EVERY_MS);
    }
  }
}

async function watchCluster(section: SectionOf<'kubernetes'>, access: Access, session: Session): Promise<void> {
  const { source, make } = ROLES.get(section.role)!;
  const role = section.role as Resource;
  const cluster = new Cluster({ session, role, sourcePrefix: source, make: make(section.attachMetadata) });
  const newAsker = askersOf(access, session);
  const stores = resourcesOf(section).flatMap((resource) => {
    const { path, collection, isNamespaced } = RESOURCES[resource];
    const selector = section.selectors.find((candidate) => candidate.role === resource);
    return (isNamespaced ? namespacesOf(section, session) : ['']).map((namespace) => {
      const folder = namespace === '' ? path : `${path}/namespaces/${encodeURIComponent(namespace)}`;
      const store = new WatchedObjects({
        url: `${access.server}/${folder}/${collection}`,
        labelSelector: selector?.label ?? '',
        fieldSelector: selector?.field ?? '',
        asker: newAsker(),
        session,
        onEvent: (event, key) => cluster.onEvent(resource, event, key),
      });
      cluster.add(resource, store);
      return store;
    });
  });
  const running = Promise.all(stores.map((store) => store.run()));
  void Promise.all(stores.map((store) => store.whenListed)).then(() => {
    if (!session.hasEnded) cluster.start();
  });
  await running;
}

/** One for each watch: they last. */
function askersOf({ http, plugin }: Access, session: Session): () => ApiAsker {
  if (plugin === undefined) return () => session.askerOf(http, ANSWER_MS);
  return pluginAskers(plugin, http, session, ANSWER_MS);
}

/** The kinds of objects a role looks at. */
function resourcesOf({ role, attachMetadata }: SectionOf<'kubernetes'>): Resource[] {
  const isBehindService = role === 'endpoints' || role === 'endpointslice';
  const hasPods = isBehindService || role === 'pod';
  const resources: Resource[] = [role as Resource];
  if (isBehindService) resources.push('service', 'pod');
  if (hasPods && attachMetadata.node) resources.push('node');
  if (role !== 'node' && attachMetadata.namespace) resources.push('namespace');
  if (role === 'pod' && attachMetadata.deployment) resources.push('replicaset');
  if (role === 'pod' && attachMetadata.cronjob) resources.push('job');
  return resources;
}

/** The empty name is all of them. */
function namespacesOf({ namespaces }: SectionOf<'kubernetes'>, { disk }: Session): string[] {
  const names = namespaces.ownNamespace ? [...namespaces.names, ownNamespace(disk)] : [...namespaces.names];
  return names.length === 0 ? [''] : [...new Set(names)];
}
