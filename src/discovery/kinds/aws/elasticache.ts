// elasticache_sd: caches of one region: each that is serverless, and each node of the others.
//
//   DescribeServerlessCaches     in pages: NextToken
//   DescribeCacheClusters        in pages: Marker
//   ListTagsForResource          for each of both
//
// Each is a target at its own address and port. All are one group, named by the region.

import { type Labels, labelsOf } from '../../../model/labels.js';
import { hostPort, type Pairs } from '../../group.js';
import { refreshing } from '../../refresh.js';
import type { Session } from '../../session.js';
import type { Tree } from '../../tree.js';
import { AwsApi, type Parameters } from './api.js';
import type { ClustersSection } from './ecs.js';
import { fieldLabels, fieldTable, membersOf, tagLabels } from './fields.js';

const SERVICE = 'elasticache';
const VERSION = '2015-02-02';
const CLUSTERS_PAGE = '100';
const SERVERLESS_PAGE = '50';
const PREFIX = '__meta_elasticache_';
const SERVERLESS = `${PREFIX}serverless_cache_`;
const CLUSTER = `${PREFIX}cache_cluster_`;

/** For some of these Prometheus has one name in its documentation and another in its answers: here they have both. */
const SERVERLESS_FIELDS = fieldTable(`
  ARN CreateTime DailySnapshotTime Description Endpoint.Address Endpoint.Port Engine FullEngineVersion KmsKeyId
  MajorEngineVersion ServerlessCacheName=name SnapshotRetentionLimit Status UserGroupId
  ReaderEndpoint.Address ReaderEndpoint.Address=endpoint_reader_address
  ReaderEndpoint.Port ReaderEndpoint.Port=endpoint_reader_port
  CacheUsageLimits.DataStorage.Maximum=cache_usage_limit_data_storage_maximum
  CacheUsageLimits.DataStorage.Maximum=cache_usage_limit_data_storagemaximum
  CacheUsageLimits.DataStorage.Minimum=cache_usage_limit_data_storage_minimum
  CacheUsageLimits.DataStorage.Minimum=cache_usage_limit_data_storageminimum
  CacheUsageLimits.DataStorage.Unit=cache_usage_limit_data_storage_unit
  CacheUsageLimits.DataStorage.Unit=cache_usage_limit_data_storageunit
  CacheUsageLimits.ECPUPerSecond.Maximum=cache_usage_limit_ecpu_per_second_maximum
  CacheUsageLimits.ECPUPerSecond.Maximum=cache_usage_limit_ecpu_per_secondmaximum
  CacheUsageLimits.ECPUPerSecond.Minimum=cache_usage_limit_ecpu_per_second_minimum
  CacheUsageLimits.ECPUPerSecond.Minimum=cache_usage_limit_ecpu_per_secondminimum
`);

const CLUSTER_FIELDS = fieldTable(`
  ARN AtRestEncryptionEnabled AuthTokenEnabled AuthTokenLastModifiedDate=auth_token_last_modified
  AutoMinorVersionUpgrade CacheClusterCreateTime CacheClusterId CacheClusterStatus CacheNodeType
  CacheParameterGroup.CacheParameterGroupName=cache_parameter_group CacheSubnetGroupName ClientDownloadLandingPage
  ConfigurationEndpoint.Address ConfigurationEndpoint.Port Engine EngineVersion IpDiscovery NetworkType
  NotificationConfiguration.TopicArn=notification_topic_arn
  NotificationConfiguration.TopicStatus=notification_topic_status
  NumCacheNodes PendingModifiedValues.AuthTokenStatus PendingModifiedValues.CacheNodeType
  PendingModifiedValues.EngineVersion PendingModifiedValues.NumCacheNodes
  PendingModifiedValues.TransitEncryptionEnabled PendingModifiedValues.TransitEncryptionMode
  PreferredAvailabilityZone PreferredMaintenanceWindow PreferredOutpostArn ReplicationGroupId
  ReplicationGroupLogDeliveryEnabled SnapshotRetentionLimit SnapshotWindow TransitEncryptionEnabled
  TransitEncryptionMode
`);

const NODE_FIELDS = fieldTable(`
  CacheNodeCreateTime=create_time CacheNodeId=id CacheNodeStatus=status CustomerAvailabilityZone=availability_zone
  CustomerOutpostArn Endpoint.Address Endpoint.Port ParameterGroupStatus SourceCacheNodeId
`);

const LOG_FIELDS = fieldTable(`
  DestinationType LogFormat LogType Message Status
  DestinationDetails.CloudWatchLogsDetails.LogGroup=log_group
  DestinationDetails.KinesisFirehoseDetails.DeliveryStream=delivery_stream
`);

const SECURITY_GROUP_FIELDS = fieldTable('SecurityGroupId=id Status');

export function discoverElastiCache(section: ClustersSection, session: Session): Promise<void> {
  const api = new AwsApi(section, session);
  const wanted = wantedOf(section.clusters, session);
  return refreshing(session, section.refreshIntervalMs, async () => {
    const targets: Labels[] = [];
    for (const cache of await serverlessCaches(api, wanted?.serverless)) {
      targets.push(...serverlessTargets(cache, await tagsOf(api, cache)));
    }
    for (const cluster of await cacheClusters(api, wanted?.clusters)) {
      targets.push(...nodeTargets(cluster, await tagsOf(api, cluster)));
    }
    return [{ source: await api.region(), labels: [], targets }];
  });
}

interface Wanted {
  readonly serverless: readonly string[];
  readonly clusters: readonly string[];
}

/** Names by ARN: `arn:aws:elasticache:<region>:<account>:<type>:<name>`. Undefined where all are wanted. */
function wantedOf(arns: readonly string[], { log }: Session): Wanted | undefined {
  if (arns.length === 0) return undefined;
  const named = (type: string) => arns.map((arn) => arn.split(':')).filter((parts) => parts[5] === type && parts[6]);
  for (const arn of arns) if (arn.split(':').length < 7) log.warn('Skipping invalid ElastiCache ARN', { arn });
  return {
    serverless: named('serverlesscache').map((parts) => parts[6]!),
    clusters: named('replicationgroup').map((parts) => parts[6]!),
  };
}

function serverlessCaches(api: AwsApi, names: readonly string[] | undefined): Promise<Tree[]> {
  return named(names, 'ServerlessCacheName', (parameters) =>
    api.queryAll(
      { service: SERVICE, version: VERSION, action: 'DescribeServerlessCaches', cursor: 'NextToken' },
      [['MaxResults', SERVERLESS_PAGE], ...parameters],
      (page) => membersOf(page.at('ServerlessCaches')),
    ),
  );
}

function cacheClusters(api: AwsApi, names: readonly string[] | undefined): Promise<Tree[]> {
  return named(names, 'CacheClusterId', (parameters) =>
    api.queryAll(
      { service: SERVICE, version: VERSION, action: 'DescribeCacheClusters', cursor: 'Marker' },
      [['MaxRecords', CLUSTERS_PAGE], ['ShowCacheNodeInfo', 'true'], ...parameters],
      (page) => membersOf(page.at('CacheClusters')),
    ),
  );
}

/** Those of some names, one question for each; all without names. */
async function named(
  names: readonly string[] | undefined,
  parameter: string,
  ask: (parameters: Parameters) => Promise<Tree[]>,
): Promise<Tree[]> {
  if (names === undefined) return ask([]);
  const found: Tree[] = [];
  for (const name of names) found.push(...(await ask([[parameter, name]])));
  return found;
}

async function tagsOf(api: AwsApi, cache: Tree): Promise<Tree[]> {
  const arn = cache.at('ARN').text;
  if (arn === '') return [];
  const answer = await api.query(SERVICE, VERSION, 'ListTagsForResource', [['ResourceName', arn]]);
  return membersOf(answer.at('ListTagsForResourceResult', 'TagList'));
}

function serverlessTargets(cache: Tree, tags: readonly Tree[]): Labels[] {
  const labels: Pairs = [
    [`${PREFIX}deployment_option`, 'serverless'],
    ...fieldLabels(SERVERLESS, cache, SERVERLESS_FIELDS),
    ...numbered(`${SERVERLESS}security_group_id`, cache.at('SecurityGroupIds')),
    ...numbered(`${SERVERLESS}subnet_id`, cache.at('SubnetIds')),
    ...tagLabels(`${SERVERLESS}tag_`, tags),
  ];
  return addressed(cache, labels);
}

function nodeTargets(cluster: Tree, tags: readonly Tree[]): Labels[] {
  const common: Pairs = [
    [`${PREFIX}deployment_option`, 'node'],
    ...fieldLabels(CLUSTER, cluster, CLUSTER_FIELDS),
    ...membersOf(cluster.at('LogDeliveryConfigurations')).flatMap((log, index) =>
      suffixed(fieldLabels(`${CLUSTER}log_delivery_configuration_`, log, LOG_FIELDS), index),
    ),
    [
      `${CLUSTER}pending_modified_values_cache_node_ids_to_remove`,
      membersOf(cluster.at('PendingModifiedValues', 'CacheNodeIdsToRemove'))
        .map(({ text }) => text)
        .join(','),
    ],
    ...membersOf(cluster.at('SecurityGroups')).flatMap((group, index) =>
      suffixed(fieldLabels(`${CLUSTER}security_group_membership_`, group, SECURITY_GROUP_FIELDS), index),
    ),
    ...tagLabels(`${CLUSTER}tag_`, tags),
  ];
  return membersOf(cluster.at('CacheNodes')).flatMap((node) =>
    addressed(node, [...common, ...fieldLabels(`${CLUSTER}node_`, node, NODE_FIELDS)]),
  );
}

/** A target at the endpoint of what it is; none without one. */
function addressed(part: Tree, labels: Pairs): Labels[] {
  const [host, port] = ['Address', 'Port'].map((key) => part.at('Endpoint', key).text);
  return host && port ? [labelsOf([['__address__', hostPort(host, port)], ...labels])] : [];
}

function numbered(name: string, list: Tree): Pairs {
  return membersOf(list).map(({ text }, index) => [`${name}_${index}`, text]);
}

function suffixed(labels: Pairs, index: number): Pairs {
  return labels.map(([name, value]) => [`${name}_${index}`, value]);
}
