// stackit_sd: servers of one project.
//
//   GET <endpoint>/v1/projects/<project>/servers?details=true
//
// All are one group. Servers without an address are left out.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, labelPart, type Pairs } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';
import { StackitTokens } from './stackit-tokens.js';

const PREFIX = '__meta_stackit_';

export function discoverStackit(section: SectionOf<'stackit'>, session: Session): Promise<void> {
  const { project, region, port, refreshIntervalMs } = section;
  const asker = session.asker(section, refreshIntervalMs);
  const tokens = StackitTokens.of(section, session);
  const endpoint = (section.endpoint || `https://iaas.api.${region}.stackit.cloud`).replace(/\/+$/, '');
  const url = `${endpoint}/v1/projects/${encodeURIComponent(project)}/servers?details=true`;
  return refreshing(session, refreshIntervalMs, async () => {
    const headers = tokens === undefined ? [] : ([['Authorization', `Bearer ${await tokens.token()}`]] as const);
    const servers = (await asker.json({ url, headers })).at('items').items;
    return [
      { source: 'stackit', labels: [], targets: servers.flatMap((server) => targetsOf(server, { project, port })) },
    ];
  });
}

/** At its public address, where it has one. */
function targetsOf(server: Tree, { project, port }: { project: string; port: number }): Labels[] {
  const nics = server.at('nics').items;
  const publicIp = nics.map((nic) => nic.at('publicIp').text).find((ip) => ip !== '') ?? '';
  const privateIps = nics
    .map((nic): [string, string] => [nic.at('networkName').text, nic.at('ipv4').text])
    .filter(([, ip]) => ip !== '');
  const address = publicIp || privateIps[0]?.[1];
  if (address === undefined) return [];
  const labels: Pairs = [
    ['__address__', hostPort(address, port)],
    [`${PREFIX}project`, project],
    [`${PREFIX}id`, server.at('id').text],
    [`${PREFIX}name`, server.at('name').text],
    [`${PREFIX}availability_zone`, server.at('availabilityZone').text],
    [`${PREFIX}status`, server.at('status').text],
    [`${PREFIX}power_status`, server.at('powerStatus').text],
    [`${PREFIX}type`, server.at('machineType').text],
    [`${PREFIX}public_ipv4`, publicIp],
    ...privateIps.map(([network, ip]): [string, string] => [`${PREFIX}private_ipv4_${labelPart(network)}`, ip]),
    ...ownLabels(server.at('labels')),
  ];
  return [labelsOf(labels)];
}

/** Labels whose values are text; others have none. */
function ownLabels(labels: Tree): Pairs {
  return labels.entries.flatMap(([name, value]) =>
    value.isText
      ? [
          [`${PREFIX}labelpresent_${labelPart(name)}`, 'true'],
          [`${PREFIX}label_${labelPart(name)}`, value.text],
        ]
      : [],
  );
}
