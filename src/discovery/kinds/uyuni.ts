// uyuni_sd: endpoints that are monitored on the systems of a Uyuni server, by XML-RPC at <server>/rpc/api.
//
//   auth.login                                            a token for ten minutes
//   system.listSystemGroupsForSystemsWithEntitlement      which systems, and their groups
//   system.monitoring.listEndpoints                       what is to be scraped there
//   system.getNetworkForSystems                           and where
//
// All are one group, named by the URL.

import { Leased } from '../../base/lease.js';
import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';
import { methodCall, methodResponse, type RpcValue } from '../xmlrpc.js';

const PREFIX = '__meta_uyuni_';
const TOKEN_SECONDS = 600;
/** Asked for anew when half of its time is over. */
const EARLY_MS = (TOKEN_SECONDS / 2) * 1000;

export function discoverUyuni(section: SectionOf<'uyuni'>, session: Session): Promise<void> {
  const { username, password, entitlement, separator, refreshIntervalMs } = section;
  const asker = session.asker(section, refreshIntervalMs);
  const url = `${section.server.replace(/\/+$/, '')}/rpc/api`;

  async function call(method: string, ...parameters: readonly RpcValue[]): Promise<Tree> {
    const body = Buffer.from(methodCall(method, parameters));
    const headers = [['Content-Type', 'text/xml']] as const;
    return methodResponse((await asker.get({ url, method: 'POST', headers, body })).text);
  }

  const token = new Leased(session.clock, EARLY_MS, async () => {
    const value = (await call('auth.login', username, password?.reveal() ?? '', TOKEN_SECONDS)).text;
    return { value, untilMs: session.clock.nowMs() + TOKEN_SECONDS * 1000 };
  });

  async function targets(): Promise<Labels[]> {
    const key = await token.get();
    const systems = (await call('system.listSystemGroupsForSystemsWithEntitlement', key, entitlement)).items;
    const ids = systems.map((system) => system.at('id').number);
    const endpoints = (await call('system.monitoring.listEndpoints', key, ids)).items;
    const networks = byId((await call('system.getNetworkForSystems', key, ids)).items, 'system_id');
    const groups = byId(systems, 'id');
    return endpoints.map((endpoint) => {
      const id = endpoint.at('system_id').text;
      const names = (groups.get(id)?.at('system_groups').items ?? []).map((group) => group.at('name').text);
      return targetOf(endpoint, networks.get(id), names.join(separator));
    });
  }

  return refreshing(session, refreshIntervalMs, async () => {
    try {
      return [{ source: url, labels: [], targets: await targets() }];
    } catch (error) {
      token.drop();
      throw error;
    }
  });
}

function byId(items: readonly Tree[], key: string): ReadonlyMap<string, Tree> {
  return new Map(items.map((item) => [item.at(key).text, item]));
}

function targetOf(endpoint: Tree, network: Tree | undefined, groups: string): Labels {
  const hostname = network?.at('hostname').text ?? '';
  return labelsOf([
    ['__address__', `${hostname}:${endpoint.at('port').number}`],
    [`${PREFIX}minion_hostname`, hostname],
    [`${PREFIX}primary_fqdn`, network?.at('primary_fqdn').text ?? ''],
    [`${PREFIX}system_id`, endpoint.at('system_id').text],
    [`${PREFIX}groups`, groups],
    [`${PREFIX}endpoint_name`, endpoint.at('endpoint_name').text],
    [`${PREFIX}exporter`, endpoint.at('exporter_name').text],
    [`${PREFIX}proxy_module`, endpoint.at('module').text],
    [`${PREFIX}metrics_path`, endpoint.at('path').text],
    [`${PREFIX}scheme`, endpoint.at('tls_enabled').isTrue ? 'https' : 'http'],
  ]);
}
