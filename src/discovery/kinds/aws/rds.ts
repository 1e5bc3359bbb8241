// rds_sd: instances of the database clusters of one region, each a target at its address.
//
//   DescribeDBClusters                                   ┐ in pages: Marker
//   DescribeDBInstances, for each cluster, filtered      ┘
//
// Databases that are in no cluster are not discovered. All are one group, named by the region.

import { type Labels, labelsOf } from '../../../model/labels.js';
import { hostPort, type Pairs } from '../../group.js';
import { refreshing } from '../../refresh.js';
import type { Session } from '../../session.js';
import type { Tree } from '../../tree.js';
import { AwsApi, type Parameters } from './api.js';
import type { ClustersSection } from './ecs.js';
import { fieldLabels, fieldTable, membersOf, tagLabels } from './fields.js';

const SERVICE = 'rds';
const VERSION = '2014-10-31';
const PAGE = '100';
const PREFIX = '__meta_rds_';

const CLUSTER_FIELDS = fieldTable(`
  ActivityStreamKinesisStreamName ActivityStreamKmsKeyId ActivityStreamMode ActivityStreamStatus AllocatedStorage
  AutoMinorVersionUpgrade AutomaticRestartTime AwsBackupRecoveryPointArn BacktrackConsumedChangeRecords BacktrackWindow
  BackupRetentionPeriod Capacity CharacterSetName CloneGroupId ClusterCreateTime ClusterScalabilityType
  CopyTagsToSnapshot CrossAccountClone DBClusterArn=arn DBClusterIdentifier=identifier
  DBClusterInstanceClass=instance_class DBClusterParameterGroup=parameter_group DBSubnetGroup=subnet_group DBSystemId
  DatabaseInsightsMode DatabaseName DbClusterResourceId=resource_id DeletionProtection EarliestBacktrackTime
  EarliestRestorableTime Endpoint Engine EngineLifecycleSupport EngineMode EngineVersion GlobalClusterIdentifier
  GlobalWriteForwardingRequested GlobalWriteForwardingStatus HostedZoneId HttpEndpointEnabled
  IAMDatabaseAuthenticationEnabled IOOptimizedNextAllowedModificationTime Iops KmsKeyId LatestRestorableTime
  LocalWriteForwardingStatus MasterUsername MonitoringInterval MonitoringRoleArn MultiAZ NetworkType PercentProgress
  PerformanceInsightsEnabled PerformanceInsightsKMSKeyId PerformanceInsightsRetentionPeriod Port PreferredBackupWindow
  PreferredMaintenanceWindow PubliclyAccessible ReaderEndpoint ReplicationSourceIdentifier ServerlessV2PlatformVersion
  Status StorageEncrypted StorageEncryptionType StorageThroughput StorageType UpgradeRolloutOrder
`);

const INSTANCE_FIELDS = fieldTable(`
  ActivityStreamEngineNativeAuditFieldsIncluded ActivityStreamKinesisStreamName ActivityStreamKmsKeyId
  ActivityStreamMode ActivityStreamPolicyStatus ActivityStreamStatus AllocatedStorage AutoMinorVersionUpgrade
  AutomaticRestartTime AutomationMode AvailabilityZone AwsBackupRecoveryPointArn BackupRetentionPeriod BackupTarget
  CACertificateIdentifier CharacterSetName CopyTagsToSnapshot CustomIamInstanceProfile CustomerOwnedIpEnabled
  DBClusterIdentifier DBInstanceArn=arn DBInstanceClass=class DBInstanceIdentifier=identifier DBInstanceStatus=status
  DBName DBSubnetGroup.DBSubnetGroupName=subnet_group DBSystemId DatabaseInsightsMode DbInstancePort=port
  DbiResourceId=resource_id DedicatedLogVolume DeletionProtection Endpoint.Address Endpoint.HostedZoneId Endpoint.Port
  Engine EngineLifecycleSupport EngineVersion EnhancedMonitoringResourceArn IAMDatabaseAuthenticationEnabled
  InstanceCreateTime Iops IsStorageConfigUpgradeAvailable KmsKeyId LatestRestorableTime LicenseModel
  ListenerEndpoint.Address ListenerEndpoint.HostedZoneId ListenerEndpoint.Port MasterUsername MaxAllocatedStorage
  MonitoringInterval MonitoringRoleArn MultiAZ MultiTenant NcharCharacterSetName NetworkType PercentProgress
  PerformanceInsightsEnabled PerformanceInsightsKMSKeyId PerformanceInsightsRetentionPeriod PreferredBackupWindow
  PreferredMaintenanceWindow PromotionTier PubliclyAccessible ReadReplicaSourceDBClusterIdentifier
  ReadReplicaSourceDBInstanceIdentifier ReplicaMode ResumeFullAutomationModeTime SecondaryAvailabilityZone
  StorageEncrypted StorageEncryptionType StorageThroughput StorageType StorageVolumeStatus TdeCredentialArn Timezone
  UpgradeRolloutOrder
`);

interface RdsSection extends ClustersSection {
  readonly filters: readonly Filter[];
}

interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

export function discoverRds(section: RdsSection, session: Session): Promise<void> {
  const api = new AwsApi(section, session);
  return refreshing(session, section.refreshIntervalMs, async () => {
    const targets: Labels[] = [];
    for (const cluster of await clustersOf(api, section.clusters)) {
      const inCluster = { name: 'db-cluster-id', values: [cluster.at('DBClusterArn').text] };
      const filters = filterParameters([inCluster, ...section.filters]);
      const instances = await described(api, 'DescribeDBInstances', 'DBInstances', filters);
      targets.push(...instances.flatMap((instance) => targetsOf(cluster, instance, section.port)));
    }
    return [{ source: await api.region(), labels: [], targets }];
  });
}

async function clustersOf(api: AwsApi, wanted: readonly string[]): Promise<Tree[]> {
  if (wanted.length === 0) return described(api, 'DescribeDBClusters', 'DBClusters', []);
  const clusters: Tree[] = [];
  for (const name of wanted) {
    const found = await described(api, 'DescribeDBClusters', 'DBClusters', [['DBClusterIdentifier', name]]);
    if (found.length === 0) throw new Error(`no DB cluster found for ARN ${name}`);
    clusters.push(...found);
  }
  return clusters;
}

/** A whole list. */
function described(api: AwsApi, action: string, list: string, parameters: Parameters): Promise<Tree[]> {
  return api.queryAll(
    { service: SERVICE, version: VERSION, action, cursor: 'Marker' },
    [['MaxRecords', PAGE], ...parameters],
    (page) => membersOf(page.at(list)),
  );
}

function filterParameters(filters: readonly Filter[]): Parameters {
  return filters.flatMap(({ name, values }, index) => [
    [`Filters.Filter.${index + 1}.Name`, name] as [string, string],
    ...values.map((value, at): [string, string] => [`Filters.Filter.${index + 1}.Values.Value.${at + 1}`, value]),
  ]);
}

/** None for an instance that has no address yet. */
function targetsOf(cluster: Tree, instance: Tree, port: number): Labels[] {
  const address = instance.at('Endpoint', 'Address').text;
  if (address === '') return [];
  const identifier = instance.at('DBInstanceIdentifier').text;
  const member = membersOf(cluster.at('DBClusterMembers')).find(
    (candidate) => candidate.at('DBInstanceIdentifier').text === identifier,
  );
  const labels: Pairs = [
    ['__address__', hostPort(address, port)],
    ...fieldLabels(`${PREFIX}cluster_`, cluster, CLUSTER_FIELDS),
    ...tagLabels(`${PREFIX}cluster_tag_`, membersOf(cluster.at('TagList'))),
    ...fieldLabels(`${PREFIX}instance_`, instance, INSTANCE_FIELDS),
    [`${PREFIX}instance_is_cluster_writer`, member?.at('IsClusterWriter').text ?? ''],
    ...tagLabels(`${PREFIX}instance_tag_`, membersOf(instance.at('TagList'))),
  ];
  return [labelsOf(labels)];
}
