// triton_sd: containers or compute nodes that Container Monitor knows.
//
//   GET https://<endpoint>:<port>/v<version>/discover        containers of the account, of some groups
//   GET https://<endpoint>:<port>/v<version>/gz/discover     compute nodes
//
// We are known by a client certificate. All are one group.

import type { SectionOf } from '../../config/discovery-keys.js';
import { httpClient } from '../../config/http-client.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, joined } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const PREFIX = '__meta_triton_';

type Section = SectionOf<'triton'>;

export function discoverTriton(section: Section, session: Session): Promise<void> {
  const { role, endpoint, port, version, groups, tlsConfig, refreshIntervalMs } = section;
  const asker = session.asker({ ...httpClient.defaults(), tlsConfig }, refreshIntervalMs);
  const path = role === 'cn' ? 'gz/discover' : 'discover';
  const query = role === 'container' && groups.length > 0 ? `?groups=${encodeURIComponent(groups.join(','))}` : '';
  const url = `https://${hostPort(endpoint, port)}/v${version}/${path}${query}`;
  return refreshing(session, refreshIntervalMs, async () => {
    const answer = await asker.json(url);
    const targets =
      role === 'cn'
        ? answer.at('cns').items.map((node) => nodeTarget(node, section))
        : answer.at('containers').items.map((container) => containerTarget(container, section));
    return [{ source: endpoint, labels: [], targets }];
  });
}

function containerTarget(container: Tree, { dnsSuffix, port }: Section): Labels {
  const id = container.at('vm_uuid').text;
  return labelsOf([
    ['__address__', hostPort(`${id}.${dnsSuffix}`, port)],
    [`${PREFIX}groups`, joined(container.at('groups').texts)],
    [`${PREFIX}machine_alias`, container.at('vm_alias').text],
    [`${PREFIX}machine_brand`, container.at('vm_brand').text],
    [`${PREFIX}machine_id`, id],
    [`${PREFIX}machine_image`, container.at('vm_image_uuid').text],
    [`${PREFIX}server_id`, container.at('server_uuid').text],
  ]);
}

function nodeTarget(node: Tree, { dnsSuffix, port }: Section): Labels {
  const id = node.at('server_uuid').text;
  return labelsOf([
    ['__address__', hostPort(`${id}.${dnsSuffix}`, port)],
    [`${PREFIX}machine_alias`, node.at('server_hostname').text],
    [`${PREFIX}machine_id`, id],
  ]);
}
