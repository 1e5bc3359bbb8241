// serverset_sd: members as Finagle and Aurora write them.
//
//   {"serviceEndpoint": {"host", "port"}, "additionalEndpoints": {name: {"host", "port"}}, "status", "shard"}

import type { SectionOf } from '../../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../../model/labels.js';
import { hostPort, labelPart, type Pairs } from '../../group.js';
import type { Session } from '../../session.js';
import type { Tree } from '../../tree.js';
import { watchMembers } from './members.js';

const PREFIX = '__meta_serverset_';

export function discoverServerset(section: SectionOf<'serverset'>, session: Session): Promise<void> {
  return watchMembers(section, session, memberLabels);
}

function memberLabels(member: Tree, path: string): Labels {
  const { host, port } = endpointOf(member.at('serviceEndpoint'));
  return labelsOf([
    ['__address__', hostPort(host, port)],
    [`${PREFIX}path`, path],
    [`${PREFIX}endpoint_host`, host],
    [`${PREFIX}endpoint_port`, port],
    [`${PREFIX}status`, member.at('status').text],
    [`${PREFIX}shard`, String(member.at('shard').number)],
    ...member.at('additionalEndpoints').entries.flatMap(([name, additional]): Pairs => {
      const endpoint = endpointOf(additional);
      return [
        [`${PREFIX}endpoint_host_${labelPart(name)}`, endpoint.host],
        [`${PREFIX}endpoint_port_${labelPart(name)}`, endpoint.port],
      ];
    }),
  ]);
}

function endpointOf(endpoint: Tree): { host: string; port: string } {
  return { host: endpoint.at('host').text, port: endpoint.at('port').text };
}
