// RDS and ElastiCache: elements of their answers as labels, pages, filters, and what may be missing.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fieldLabels, fieldTable } from '../../../src/discovery/kinds/aws/fields.js';
import { parseXml } from '../../../src/discovery/xml.js';
import { discover, endAll } from '../../support/discovery.js';
import { type Asked, replay, testReplay } from '../../support/replay.js';
import { eventually } from '../../support/servers.js';

after(endAll);

const spellings: [element: string, label: string][] = [
  ['Status', 'status'],
  ['BackupRetentionPeriod', 'backup_retention_period'],
  ['IAMDatabaseAuthenticationEnabled', 'iam_database_authentication_enabled'],
  ['IOOptimizedNextAllowedModificationTime', 'io_optimized_next_allowed_modification_time'],
  ['PerformanceInsightsKMSKeyId', 'performance_insights_kms_key_id'],
  ['ReadReplicaSourceDBClusterIdentifier', 'read_replica_source_db_cluster_identifier'],
  ['ServerlessV2PlatformVersion', 'serverless_v2_platform_version'],
  ['MultiAZ', 'multi_az'],
  ['Endpoint.HostedZoneId', 'endpoint_hosted_zone_id'],
  ['DbiResourceId=resource_id', 'resource_id'],
];

for (const [element, label] of spellings) {
  test(`field: ${element} is ${label}`, () => assert.equal(fieldTable(element)[0]!.part, label));
}

test('moments are shown in whole seconds; other text as it is', () => {
  const tree = parseXml(
    '<x><ATime>2024-01-02T03:04:05.678Z</ATime><BTime>05:00</BTime><C>2024-01-02T03:04:05.678Z</C></x>',
  );
  assert.deepEqual(fieldLabels('', tree.at('x'), fieldTable('ATime BTime C D')), [
    ['a_time', '2024-01-02T03:04:05Z'],
    ['b_time', '05:00'],
    ['c', '2024-01-02T03:04:05.678Z'],
    ['d', ''],
  ]);
});

const account = 'endpoint: "$URL", region: eu-west-1, access_key: a, secret_key: b';

/** As the query protocol wraps results. */
const result = (action: string, content: string, cursor = '') =>
  `<${action}Response xmlns="http://aws/doc/"><${action}Result>${cursor}${content}</${action}Result></${action}Response>`;

const tags = (...pairs: [string, string][]) =>
  `<TagList>${pairs.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join('')}</TagList>`;

// ---- RDS

const AURORA = 'arn:aws:rds:eu-west-1:1:cluster:aurora';
const cluster = (arn: string, content = '') => `<DBCluster><DBClusterArn>${arn}</DBClusterArn>${content}</DBCluster>`;

const FULL_CLUSTER = cluster(
  AURORA,
  `<DBClusterIdentifier>aurora</DBClusterIdentifier><Engine>aurora-mysql</Engine><DBSubnetGroup>nets</DBSubnetGroup>
<DbClusterResourceId>cluster-X</DbClusterResourceId><ClusterCreateTime>2024-01-02T03:04:05.123Z</ClusterCreateTime>
<MultiAZ>true</MultiAZ><Port>3306</Port>
<DBClusterMembers><DBClusterMember><DBInstanceIdentifier>one</DBInstanceIdentifier><IsClusterWriter>true</IsClusterWriter></DBClusterMember>
<DBClusterMember><DBInstanceIdentifier>two</DBInstanceIdentifier><IsClusterWriter>false</IsClusterWriter></DBClusterMember></DBClusterMembers>
${tags(['team x', 'a&amp;b'])}`,
);

const instance = (id: string, content: string) =>
  `<DBInstance><DBInstanceIdentifier>${id}</DBInstanceIdentifier>${content}</DBInstance>`;
const endpoint = (address: string) =>
  `<Endpoint><Address>${address}</Address><Port>3306</Port><HostedZoneId>Z1</HostedZoneId></Endpoint>`;

function rds({ body, headers }: Asked): unknown {
  const asked = new URLSearchParams(body);
  if (asked.get('Version') !== '2014-10-31' || !String(headers.authorization).includes('/eu-west-1/rds/'))
    return undefined;
  if (asked.get('Action') === 'DescribeDBClusters') {
    const wanted = asked.get('DBClusterIdentifier');
    if (wanted === 'gone') return result('DescribeDBClusters', '<DBClusters/>');
    if (wanted !== null) return result('DescribeDBClusters', `<DBClusters>${FULL_CLUSTER}</DBClusters>`);
    return asked.get('Marker') === 'p2'
      ? result('DescribeDBClusters', `<DBClusters>${FULL_CLUSTER}</DBClusters>`)
      : result('DescribeDBClusters', `<DBClusters>${cluster('arn:empty')}</DBClusters>`, '<Marker>p2</Marker>');
  }
  if (asked.get('Action') !== 'DescribeDBInstances') return undefined;
  assert.equal(asked.get('Filters.Filter.1.Name'), 'db-cluster-id');
  if (asked.get('Filters.Filter.1.Values.Value.1') !== AURORA) return result('DescribeDBInstances', '<DBInstances/>');
  if (asked.get('Marker') !== 'more') {
    const first = instance(
      'one',
      `${endpoint('one.rds')}<DBInstanceClass>db.t3</DBInstanceClass><DBSubnetGroup><DBSubnetGroupName>nets</DBSubnetGroupName></DBSubnetGroup>
<DbInstancePort>0</DbInstancePort><DbiResourceId>db-X</DbiResourceId><DBInstanceStatus>available</DBInstanceStatus>${tags(['Name', 'w'])}`,
    );
    const starting = instance('three', '<DBInstanceStatus>creating</DBInstanceStatus>');
    return result('DescribeDBInstances', `<DBInstances>${first}${starting}</DBInstances>`, '<Marker>more</Marker>');
  }
  return result('DescribeDBInstances', `<DBInstances>${instance('two', endpoint('two.rds'))}</DBInstances>`);
}

const ofCluster = {
  __meta_rds_cluster_arn: AURORA,
  __meta_rds_cluster_cluster_create_time: '2024-01-02T03:04:05Z',
  __meta_rds_cluster_engine: 'aurora-mysql',
  __meta_rds_cluster_identifier: 'aurora',
  __meta_rds_cluster_multi_az: 'true',
  __meta_rds_cluster_port: '3306',
  __meta_rds_cluster_resource_id: 'cluster-X',
  __meta_rds_cluster_subnet_group: 'nets',
  __meta_rds_cluster_tag_team_x: 'a&b',
};
const atEndpoint = (address: string) => ({
  __meta_rds_instance_endpoint_address: address,
  __meta_rds_instance_endpoint_hosted_zone_id: 'Z1',
  __meta_rds_instance_endpoint_port: '3306',
});
const RDS_TARGETS: Record<string, string>[] = [
  {
    __address__: 'one.rds:9104',
    ...ofCluster,
    __meta_rds_instance_class: 'db.t3',
    ...atEndpoint('one.rds'),
    __meta_rds_instance_identifier: 'one',
    __meta_rds_instance_is_cluster_writer: 'true',
    __meta_rds_instance_port: '0',
    __meta_rds_instance_resource_id: 'db-X',
    __meta_rds_instance_status: 'available',
    __meta_rds_instance_subnet_group: 'nets',
    __meta_rds_instance_tag_Name: 'w',
  },
  {
    __address__: 'two.rds:9104',
    ...ofCluster,
    ...atEndpoint('two.rds'),
    __meta_rds_instance_identifier: 'two',
    __meta_rds_instance_is_cluster_writer: 'false',
  },
];

testReplay({
  name: 'rds',
  section: `rds_sd_configs: [{${account}, port: 9104, filters: [{name: engine, values: [aurora-mysql, x]}]}]`,
  reply: rds,
  want: RDS_TARGETS,
  check: (asked) => {
    const question = asked
      .map(({ body }) => new URLSearchParams(body))
      .find((body) => body.has('Filters.Filter.2.Name'))!;
    assert.equal(question.get('Filters.Filter.2.Name'), 'engine');
    assert.equal(question.get('Filters.Filter.2.Values.Value.2'), 'x');
    assert.equal(question.get('MaxRecords'), '100');
  },
});
testReplay({
  name: 'aws, rds, one cluster',
  section: `aws_sd_configs: [{role: rds, ${account}, port: 9104, clusters: [aurora]}]`,
  reply: rds,
  want: RDS_TARGETS,
});

test('rds: a cluster that is named and not there is a failure', async () => {
  const api = await replay(rds);
  const found = discover(`rds_sd_configs: [{${account.replace('$URL', api.server.url)}, clusters: [aurora, gone]}]`);
  await found.next();
  assert.match(found.errors[0]!, /no DB cluster found for ARN gone/);
  assert.deepEqual(found.targets(), []);
});

// ---- ElastiCache

const SERVERLESS_ARN = 'arn:aws:elasticache:eu-west-1:1:serverlesscache:fast';
const GROUP_ARN = 'arn:aws:elasticache:eu-west-1:1:replicationgroup:redis-1';
const CLUSTER_ARN = 'arn:aws:elasticache:eu-west-1:1:cluster:redis-1';

const SERVERLESS_CACHE = `<member><ARN>${SERVERLESS_ARN}</ARN><ServerlessCacheName>fast</ServerlessCacheName><Engine>valkey</Engine>
<DailySnapshotTime>05:00</DailySnapshotTime><CreateTime>2024-01-02T03:04:05Z</CreateTime>
<Endpoint><Address>fast.cache</Address><Port>6379</Port></Endpoint><ReaderEndpoint><Address>r.fast.cache</Address><Port>6380</Port></ReaderEndpoint>
<SecurityGroupIds><SecurityGroupId>sg-1</SecurityGroupId><SecurityGroupId>sg-2</SecurityGroupId></SecurityGroupIds><SubnetIds><SubnetId>net-1</SubnetId></SubnetIds>
<CacheUsageLimits><DataStorage><Maximum>10</Maximum><Unit>GB</Unit></DataStorage><ECPUPerSecond><Minimum>1000</Minimum></ECPUPerSecond></CacheUsageLimits></member>`;

const CACHE_CLUSTER = `<CacheCluster><ARN>${CLUSTER_ARN}</ARN><CacheClusterId>redis-1</CacheClusterId><Engine>redis</Engine>
<AuthTokenLastModifiedDate>2024-01-02T03:04:05.1Z</AuthTokenLastModifiedDate>
<CacheParameterGroup><CacheParameterGroupName>params</CacheParameterGroupName></CacheParameterGroup>
<NotificationConfiguration><TopicArn>topic</TopicArn></NotificationConfiguration>
<PendingModifiedValues><NumCacheNodes>1</NumCacheNodes><CacheNodeIdsToRemove><CacheNodeId>0002</CacheNodeId><CacheNodeId>0003</CacheNodeId></CacheNodeIdsToRemove></PendingModifiedValues>
<SecurityGroups><member><SecurityGroupId>sg-1</SecurityGroupId><Status>active</Status></member></SecurityGroups>
<LogDeliveryConfigurations><LogDeliveryConfiguration><LogType>slow-log</LogType><DestinationDetails><CloudWatchLogsDetails><LogGroup>/slow</LogGroup></CloudWatchLogsDetails></DestinationDetails></LogDeliveryConfiguration></LogDeliveryConfigurations>
<CacheNodes>
 <CacheNode><CacheNodeId>0001</CacheNodeId><CacheNodeStatus>available</CacheNodeStatus><Endpoint><Address>redis-1.cache</Address><Port>6379</Port></Endpoint><CustomerAvailabilityZone>eu-west-1a</CustomerAvailabilityZone></CacheNode>
 <CacheNode><CacheNodeId>0002</CacheNodeId><CacheNodeStatus>creating</CacheNodeStatus></CacheNode>
</CacheNodes></CacheCluster>`;

function elasticache({ body }: Asked): unknown {
  const asked = new URLSearchParams(body);
  const action = asked.get('Action')!;
  switch (action) {
    case 'DescribeServerlessCaches':
      if (asked.get('ServerlessCacheName') === null && asked.get('NextToken') !== 'n2') {
        return result(action, '<ServerlessCaches/>', '<NextToken>n2</NextToken>');
      }
      return result(action, `<ServerlessCaches>${SERVERLESS_CACHE}</ServerlessCaches>`);
    case 'DescribeCacheClusters':
      if (asked.get('ShowCacheNodeInfo') !== 'true') return undefined;
      if (asked.get('CacheClusterId') === null && asked.get('Marker') !== 'm2') {
        return result(action, '<CacheClusters/>', '<Marker>m2</Marker>');
      }
      return result(action, `<CacheClusters>${CACHE_CLUSTER}</CacheClusters>`);
    case 'ListTagsForResource':
      return result(action, tags(['of', asked.get('ResourceName')!.split(':')[5]!]));
    default:
      return undefined;
  }
}

const SERVERLESS = '__meta_elasticache_serverless_cache';
const CLUSTER = '__meta_elasticache_cache_cluster';
const SERVERLESS_TARGET: Record<string, string> = {
  __address__: 'fast.cache:6379',
  __meta_elasticache_deployment_option: 'serverless',
  [`${SERVERLESS}_arn`]: SERVERLESS_ARN,
  [`${SERVERLESS}_cache_usage_limit_data_storage_maximum`]: '10',
  [`${SERVERLESS}_cache_usage_limit_data_storage_unit`]: 'GB',
  [`${SERVERLESS}_cache_usage_limit_data_storagemaximum`]: '10',
  [`${SERVERLESS}_cache_usage_limit_data_storageunit`]: 'GB',
  [`${SERVERLESS}_cache_usage_limit_ecpu_per_second_minimum`]: '1000',
  [`${SERVERLESS}_cache_usage_limit_ecpu_per_secondminimum`]: '1000',
  [`${SERVERLESS}_create_time`]: '2024-01-02T03:04:05Z',
  [`${SERVERLESS}_daily_snapshot_time`]: '05:00',
  [`${SERVERLESS}_endpoint_address`]: 'fast.cache',
  [`${SERVERLESS}_endpoint_port`]: '6379',
  [`${SERVERLESS}_endpoint_reader_address`]: 'r.fast.cache',
  [`${SERVERLESS}_endpoint_reader_port`]: '6380',
  [`${SERVERLESS}_engine`]: 'valkey',
  [`${SERVERLESS}_name`]: 'fast',
  [`${SERVERLESS}_reader_endpoint_address`]: 'r.fast.cache',
  [`${SERVERLESS}_reader_endpoint_port`]: '6380',
  [`${SERVERLESS}_security_group_id_0`]: 'sg-1',
  [`${SERVERLESS}_security_group_id_1`]: 'sg-2',
  [`${SERVERLESS}_subnet_id_0`]: 'net-1',
  [`${SERVERLESS}_tag_of`]: 'serverlesscache',
};
const NODE_TARGET: Record<string, string> = {
  __address__: 'redis-1.cache:6379',
  [`${CLUSTER}_arn`]: CLUSTER_ARN,
  [`${CLUSTER}_auth_token_last_modified`]: '2024-01-02T03:04:05Z',
  [`${CLUSTER}_cache_cluster_id`]: 'redis-1',
  [`${CLUSTER}_cache_parameter_group`]: 'params',
  [`${CLUSTER}_engine`]: 'redis',
  [`${CLUSTER}_log_delivery_configuration_log_group_0`]: '/slow',
  [`${CLUSTER}_log_delivery_configuration_log_type_0`]: 'slow-log',
  [`${CLUSTER}_node_availability_zone`]: 'eu-west-1a',
  [`${CLUSTER}_node_endpoint_address`]: 'redis-1.cache',
  [`${CLUSTER}_node_endpoint_port`]: '6379',
  [`${CLUSTER}_node_id`]: '0001',
  [`${CLUSTER}_node_status`]: 'available',
  [`${CLUSTER}_notification_topic_arn`]: 'topic',
  [`${CLUSTER}_pending_modified_values_cache_node_ids_to_remove`]: '0002,0003',
  [`${CLUSTER}_pending_modified_values_num_cache_nodes`]: '1',
  [`${CLUSTER}_security_group_membership_id_0`]: 'sg-1',
  [`${CLUSTER}_security_group_membership_status_0`]: 'active',
  [`${CLUSTER}_tag_of`]: 'cluster',
  __meta_elasticache_deployment_option: 'node',
};

testReplay({
  name: 'elasticache',
  section: `elasticache_sd_configs: [{${account}, port: 1}]`,
  reply: elasticache,
  want: [SERVERLESS_TARGET, NODE_TARGET],
});
testReplay({
  name: 'aws, elasticache, by ARN',
  section: `aws_sd_configs: [{role: elasticache, ${account}, clusters: ["${GROUP_ARN}", "not:an:arn"]}]`,
  reply: elasticache,
  want: [NODE_TARGET],
  check: (asked) => {
    const questions = asked.map(({ body }) => new URLSearchParams(body));
    assert.ok(questions.some((question) => question.get('CacheClusterId') === 'redis-1'));
    assert.ok(questions.every((question) => question.get('Action') !== 'DescribeServerlessCaches'));
  },
});

test('elasticache: an answer that is another one is a failure', async () => {
  const api = await replay(() => '<html><body>Sign in</body></html>');
  const found = discover(`elasticache_sd_configs: [{${account.replace('$URL', api.server.url)}}]`);
  await eventually(async () => assert.match(found.errors[0] ?? '', /no DescribeServerlessCachesResult in the answer/));
});
