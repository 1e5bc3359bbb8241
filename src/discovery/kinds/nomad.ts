// nomad_sd: services that Nomad itself knows.
//
//   GET /v1/services             namespaces and the names of their services
//   GET /v1/service/<name>       instances
//
// All are one group.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

export function discoverNomad(section: SectionOf<'nomad'>, session: Session): Promise<void> {
  const asker = session.asker(section, section.refreshIntervalMs);
  const base = (section.server || 'http://localhost:4646').replace(/\/+$/, '');
  const get = (path: string, namespace: string) => {
    const query = new URLSearchParams({ namespace, region: section.region });
    if (section.allowStale) query.set('stale', '');
    return asker.json(`${base}/v1/${path}?${query}`);
  };
  return refreshing(session, section.refreshIntervalMs, async () => {
    try {
      const targets: Labels[] = [];
      for (const namespace of (await get('services', section.namespace)).items) {
        for (const service of namespace.at('Services').items) {
          const name = service.at('ServiceName').text;
          const instances = await get(`service/${encodeURIComponent(name)}`, namespace.at('Namespace').text);
          targets.push(...instances.items.map((instance) => targetOf(instance, section.tagSeparator)));
        }
      }
      return [{ source: 'Nomad', labels: [], targets }];
    } catch (error) {
      session.metrics.nomadFailures.value++;
      throw error;
    }
  });
}

function targetOf(instance: Tree, separator: string): Labels {
  const tags = instance.at('Tags').texts;
  return labelsOf([
    ['__address__', hostPort(instance.at('Address').text, instance.at('Port').text)],
    ['__meta_nomad_address', instance.at('Address').text],
    ['__meta_nomad_dc', instance.at('Datacenter').text],
    ['__meta_nomad_namespace', instance.at('Namespace').text],
    ['__meta_nomad_node_id', instance.at('NodeID').text],
    ['__meta_nomad_service', instance.at('ServiceName').text],
    ['__meta_nomad_service_address', hostPort(instance.at('Address').text, instance.at('Port').text)],
    ['__meta_nomad_service_id', instance.at('ID').text],
    ['__meta_nomad_service_port', instance.at('Port').text],
    ['__meta_nomad_tags', tags.length === 0 ? '' : `${separator}${tags.join(separator)}${separator}`],
  ]);
}
