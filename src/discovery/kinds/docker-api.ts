// What docker_sd and dockerswarm_sd share: how the engine is reached, filters, networks.
//
//   GET /networks     labels of networks, by their ids

import type { HttpClientConfig } from '../../config/http-client.js';
import { labelPart } from '../group.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

export interface DockerSection extends HttpClientConfig {
  /** `unix:///var/run/docker.sock`, `tcp://host:2375`, `http://…`, `https://…`. */
  readonly host: string;
  readonly refreshIntervalMs: number;
  readonly filters: readonly { readonly name: string; readonly values: readonly string[] }[];
}

export type Pairs = [name: string, value: string][];

export interface DockerEngine {
  get(path: string): Promise<Tree>;
  /** The same, of what the section's filters let pass. */
  getFiltered(path: string): Promise<Tree>;
  /** What targets say of the network with an id. */
  networks(prefix: string): Promise<(id: string) => Pairs>;
}

export function dockerEngine(section: DockerSection, session: Session): DockerEngine {
  const asker = session.asker(section, section.refreshIntervalMs);
  const unixSocket = /^unix:\/\/(.*)$/.exec(section.host)?.[1];
  const base = unixSocket === undefined ? section.host.replace(/^tcp:/, 'http:').replace(/\/+$/, '') : 'http://docker';
  const filters = JSON.stringify(
    Object.fromEntries(
      section.filters.map(({ name, values }) => [name, Object.fromEntries(values.map((value) => [value, true]))]),
    ),
  );
  const get = (path: string) => asker.json({ url: `${base}${path}`, unixSocket });
  return {
    get,
    getFiltered: (path) => get(section.filters.length === 0 ? path : `${path}?${new URLSearchParams({ filters })}`),
    async networks(prefix) {
      const list = (await get('/networks')).items.map((network): [string, Pairs] => [
        network.at('Id').text,
        [
          [`${prefix}network_id`, network.at('Id').text],
          [`${prefix}network_name`, network.at('Name').text],
          [`${prefix}network_scope`, network.at('Scope').text],
          [`${prefix}network_internal`, String(network.at('Internal').isTrue)],
          [`${prefix}network_ingress`, String(network.at('Ingress').isTrue)],
          ...labelPairs(`${prefix}network_label_`, network.at('Labels')),
        ],
      ]);
      const byId = new Map(list);
      return (id) => byId.get(id) ?? [];
    },
  };
}

/** Labels of theirs as labels of ours. */
export function labelPairs(prefix: string, labels: Tree): Pairs {
  return labels.entries.map(([name, value]) => [`${prefix}${labelPart(name)}`, value.text]);
}
