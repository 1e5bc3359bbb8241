// msk_sd: brokers and controllers of the Kafka clusters of one region that have machines of their own.
//
//   GET /api/v2/clusters                ┐ in pages: nextToken
//   GET /v1/clusters/<arn>/nodes        ┘
//
// Each endpoint of a node is a target. All are one group, named by the region.

import { type Labels, labelsOf } from '../../../model/labels.js';
import { hostPort, labelPart, type Pairs } from '../../group.js';
import { refreshing } from '../../refresh.js';
import type { Session } from '../../session.js';
import type { Tree } from '../../tree.js';
import { AwsApi } from './api.js';
import type { ClustersSection } from './ecs.js';

const SERVICE = 'kafka';
const PAGE = '100';
const PREFIX = '__meta_msk_';

export function discoverMsk(section: ClustersSection, session: Session): Promise<void> {
  const api = new AwsApi(section, session);
  return refreshing(session, section.refreshIntervalMs, async () => {
    const region = await api.region();
    const targets: Labels[] = [];
    for (const cluster of await clustersOf(api, section.clusters)) {
      if (cluster.at('clusterType').text !== 'PROVISIONED') continue;
      const arn = encodeURIComponent(cluster.at('clusterArn').text);
      const nodes = await all(api, `/v1/clusters/${arn}/nodes`, 'nodeInfoList');
      targets.push(...nodes.flatMap((node) => targetsOf(cluster, node, section.port)));
    }
    return [{ source: region, labels: [], targets }];
  });
}

async function clustersOf(api: AwsApi, arns: readonly string[]): Promise<Tree[]> {
  if (arns.length === 0) return all(api, '/api/v2/clusters', 'clusterInfoList');
  const clusters: Tree[] = [];
  for (const arn of arns) {
    clusters.push((await api.rest(SERVICE, `/api/v2/clusters/${encodeURIComponent(arn)}`)).at('clusterInfo'));
  }
  return clusters;
}

async function all(api: AwsApi, path: string, key: string): Promise<Tree[]> {
  const items: Tree[] = [];
  let next = '';
  do {
    const query = new URLSearchParams({ maxResults: PAGE });
    if (next !== '') query.set('nextToken', next);
    const page = await api.rest(SERVICE, `${path}?${query}`);
    items.push(...page.at(key).items);
    next = page.at('nextToken').text;
  } while (next !== '');
  return items;
}

function targetsOf(cluster: Tree, node: Tree, port: number): Labels[] {
  const broker = node.at('brokerNodeInfo');
  const controller = node.at('controllerNodeInfo');
  const common: Pairs = [...clusterLabels(cluster), ...nodeLabels(node)];
  const endpoints = (broker.exists ? broker : controller).at('endpoints').texts;
  return endpoints.map((endpoint, index) =>
    labelsOf([
      ['__address__', hostPort(endpoint, port)],
      ...common,
      ...(broker.exists ? brokerLabels(cluster, broker) : []),
      [`${PREFIX}${broker.exists ? 'broker' : 'controller'}_endpoint_index`, String(index)],
    ]),
  );
}

function clusterLabels(cluster: Tree): Pairs {
  const software = cluster.at('provisioned', 'currentBrokerSoftwareInfo');
  return [
    [`${PREFIX}cluster_name`, cluster.at('clusterName').text],
    [`${PREFIX}cluster_arn`, cluster.at('clusterArn').text],
    [`${PREFIX}cluster_state`, cluster.at('state').text],
    [`${PREFIX}cluster_type`, cluster.at('clusterType').text],
    [`${PREFIX}cluster_version`, cluster.at('currentVersion').text],
    [`${PREFIX}cluster_kafka_version`, software.at('kafkaVersion').text],
    [`${PREFIX}cluster_configuration_arn`, software.at('configurationArn').text],
    [`${PREFIX}cluster_configuration_revision`, software.at('configurationRevision').text],
    [`${PREFIX}cluster_jmx_exporter_enabled`, exporter(cluster, 'jmxExporter')],
    ...cluster
      .at('tags')
      .entries.map(([name, value]): [string, string] => [`${PREFIX}cluster_tag_${labelPart(name)}`, value.text]),
  ];
}

function nodeLabels(node: Tree): Pairs {
  return [
    [`${PREFIX}node_type`, node.at('nodeType').text],
    [`${PREFIX}node_arn`, node.at('nodeARN').text],
    [`${PREFIX}node_added_time`, node.at('addedToClusterTime').text],
    [`${PREFIX}node_instance_type`, node.at('instanceType').text],
    [`${PREFIX}node_attached_eni`, node.at('brokerNodeInfo', 'attachedENIId').text],
  ];
}

function brokerLabels(cluster: Tree, broker: Tree): Pairs {
  return [
    [`${PREFIX}broker_id`, broker.at('brokerId').text],
    [`${PREFIX}broker_client_subnet`, broker.at('clientSubnet').text],
    [`${PREFIX}broker_client_vpc_ip`, broker.at('clientVpcIpAddress').text],
    [`${PREFIX}broker_node_exporter_enabled`, exporter(cluster, 'nodeExporter')],
  ];
}

/** Whether brokers have an exporter; empty where nobody said. */
function exporter(cluster: Tree, name: string): string {
  return cluster.at('provisioned', 'openMonitoring', 'prometheus', name, 'enabledInBroker').text;
}
