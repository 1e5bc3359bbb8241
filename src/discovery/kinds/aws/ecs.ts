// ecs_sd: tasks of the clusters of one region, each a target at its address.
//
//   ListClusters ► DescribeClusters ► for each:  ListServices ► DescribeServices
//                                                ListTasks ► DescribeTasks
//                                                DescribeContainerInstances ► EC2 DescribeInstances
//   EC2 DescribeNetworkInterfaces: public addresses of tasks that have interfaces of their own
//
// Lists come in pages and are described in batches. All are one group, named by the region.

import { type Labels, labelsOf } from '../../../model/labels.js';
import { hostPort, labelPart, type Pairs } from '../../group.js';
import { refreshing } from '../../refresh.js';
import type { Session } from '../../session.js';
import type { Tree } from '../../tree.js';
import { AwsApi, type AwsSection } from './api.js';

const TARGET = 'AmazonEC2ContainerServiceV20141113';
const EC2_VERSION = '2016-11-15';
/** What one call describes. */
const BATCH = 100;
const SERVICES_BATCH = 10;
const PREFIX = '__meta_ecs_';

export interface ClustersSection extends AwsSection {
  /** Names or ARNs; all of the region where there are none. */
  readonly clusters: readonly string[];
}

export function discoverEcs(section: ClustersSection, session: Session): Promise<void> {
  const api = new AwsApi(section, session);
  return refreshing(session, section.refreshIntervalMs, async () => {
    const region = await api.region();
    const arns = section.clusters.length > 0 ? section.clusters : await listed(api, 'ListClusters', 'clusterArns');
    const clusters = await described(api, 'DescribeClusters', 'clusters', arns);
    const targets: Labels[] = [];
    for (const cluster of clusters) {
      const found = await tasksOf(api, cluster);
      targets.push(
        ...found.map((task) => targetOf(task, region, section.port)).filter((target) => target !== undefined),
      );
    }
    return [{ source: region, labels: [], targets }];
  });
}

/** A task with everything that is around it. */
interface PlacedTask {
  readonly task: Tree;
  readonly cluster: Tree;
  readonly service: Tree | undefined;
  /** The machine it runs on, where that is an instance of ours. */
  readonly instance: Tree | undefined;
  /** Details of its own interface: `subnetId`, `privateIPv4Address` and the like; empty without one. */
  readonly network: ReadonlyMap<string, string>;
  readonly publicIp: string;
}

async function tasksOf(api: AwsApi, cluster: Tree): Promise<PlacedTask[]> {
  const own = { cluster: cluster.at('clusterArn').text };
  const services = await described(
    api,
    'DescribeServices',
    'services',
    await listed(api, 'ListServices', 'serviceArns', own),
    own,
  );
  const tasks = await described(api, 'DescribeTasks', 'tasks', await listed(api, 'ListTasks', 'taskArns', own), own);
  const byService = new Map(services.map((service) => [service.at('serviceName').text, service]));
  const machines = await machinesOf(api, tasks, own);
  const networks = new Map(tasks.map((task) => [task, networkOf(task)]));
  const publicIps = await publicIpsOf(
    api,
    [...networks.values()].map((network) => network.get('networkInterfaceId') ?? ''),
  );
  return tasks.map((task) => {
    const network = networks.get(task)!;
    const instance = machines.get(task.at('containerInstanceArn').text);
    return {
      task,
      cluster,
      instance,
      network,
      service: byService.get(/^service:(.*)$/.exec(task.at('group').text)?.[1] ?? ''),
      publicIp:
        network.size > 0
          ? (publicIps.get(network.get('networkInterfaceId') ?? '') ?? '')
          : (instance?.at('ipAddress').text ?? ''),
    };
  });
}

/** Instances by the ARN that the cluster has for them. */
async function machinesOf(api: AwsApi, tasks: readonly Tree[], own: object): Promise<ReadonlyMap<string, Tree>> {
  const arns = unique(tasks.map((task) => task.at('containerInstanceArn').text));
  const registered = await described(api, 'DescribeContainerInstances', 'containerInstances', arns, own);
  const ids = unique(registered.map((instance) => instance.at('ec2InstanceId').text));
  const instances = new Map<string, Tree>();
  for (const batch of batches(ids, BATCH)) {
    const page = await api.query('ec2', EC2_VERSION, 'DescribeInstances', numbered('InstanceId', batch));
    for (const instance of page.all('reservationSet', 'item').flatMap((item) => item.all('instancesSet', 'item'))) {
      instances.set(instance.at('instanceId').text, instance);
    }
  }
  return new Map(
    registered.flatMap((entry) => {
      const instance = instances.get(entry.at('ec2InstanceId').text);
      return instance === undefined ? [] : [[entry.at('containerInstanceArn').text, instance] as const];
    }),
  );
}

function networkOf(task: Tree): ReadonlyMap<string, string> {
  const own = task.at('attachments').items.find((entry) => entry.at('type').text === 'ElasticNetworkInterface');
  return new Map(own?.at('details').items.map((detail) => [detail.at('name').text, detail.at('value').text]));
}

/** Public addresses of interfaces, as far as they have any. */
async function publicIpsOf(api: AwsApi, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const batch of batches(unique(ids), BATCH)) {
    const parameters = numbered('NetworkInterfaceId', batch);
    const page = await api.query('ec2', EC2_VERSION, 'DescribeNetworkInterfaces', parameters);
    for (const network of page.all('networkInterfaceSet', 'item')) {
      found.set(network.at('networkInterfaceId').text, network.at('association', 'publicIp').text);
    }
  }
  return found;
}

/** undefined for what has no address (yet). */
function targetOf(placed: PlacedTask, region: string, port: number): Labels | undefined {
  const { task, cluster, service, instance, network, publicIp } = placed;
  const isOwn = network.size > 0;
  const ip = isOwn ? network.get('privateIPv4Address') : instance?.at('privateIpAddress').text;
  if (ip === undefined || ip === '') return undefined;
  return labelsOf([
    ['__address__', hostPort(ip, port)],
    [`${PREFIX}cluster`, cluster.at('clusterName').text],
    [`${PREFIX}cluster_arn`, cluster.at('clusterArn').text],
    [`${PREFIX}service`, service?.at('serviceName').text ?? ''],
    [`${PREFIX}service_arn`, service?.at('serviceArn').text ?? ''],
    [`${PREFIX}service_status`, service?.at('status').text ?? ''],
    [`${PREFIX}task_group`, task.at('group').text],
    [`${PREFIX}task_arn`, task.at('taskArn').text],
    [`${PREFIX}task_definition`, task.at('taskDefinitionArn').text],
    [`${PREFIX}region`, region],
    [`${PREFIX}availability_zone`, task.at('availabilityZone').text],
    [`${PREFIX}subnet_id`, network.get('subnetId') ?? instance?.at('subnetId').text ?? ''],
    [`${PREFIX}ip_address`, ip],
    [`${PREFIX}public_ip`, publicIp],
    [`${PREFIX}network_mode`, isOwn ? 'awsvpc' : 'bridge'],
    [`${PREFIX}launch_type`, task.at('launchType').text],
    [`${PREFIX}desired_status`, task.at('desiredStatus').text],
    [`${PREFIX}last_status`, task.at('lastStatus').text],
    [`${PREFIX}health_status`, task.at('healthStatus').text],
    [`${PREFIX}platform_family`, task.at('platformFamily').text],
    [`${PREFIX}platform_version`, task.at('platformVersion').text],
    [`${PREFIX}container_instance_arn`, task.at('containerInstanceArn').text],
    [`${PREFIX}ec2_instance_id`, instance?.at('instanceId').text ?? ''],
    [`${PREFIX}ec2_instance_type`, instance?.at('instanceType').text ?? ''],
    [`${PREFIX}ec2_instance_private_ip`, instance?.at('privateIpAddress').text ?? ''],
    [`${PREFIX}ec2_instance_public_ip`, instance?.at('ipAddress').text ?? ''],
    ...tags('cluster', cluster.at('tags').items),
    ...tags('service', service?.at('tags').items ?? []),
    ...tags('task', task.at('tags').items),
    ...tags('ec2', instance?.all('tagSet', 'item') ?? []),
  ]);
}

function tags(of: string, list: readonly Tree[]): Pairs {
  return list.map((tag) => [`${PREFIX}tag_${of}_${labelPart(tag.at('key').text)}`, tag.at('value').text]);
}

/** All ARNs of a list that comes in pages. */
async function listed(api: AwsApi, action: string, key: string, own: object = {}): Promise<string[]> {
  const arns: string[] = [];
  let nextToken = '';
  do {
    const page = await api.json('ecs', `${TARGET}.${action}`, nextToken === '' ? { ...own } : { ...own, nextToken });
    arns.push(...page.at(key).texts);
    nextToken = page.at('nextToken').text;
  } while (nextToken !== '');
  return arns;
}

/** What is known of each ARN. */
async function described(
  api: AwsApi,
  action: string,
  key: string,
  arns: readonly string[],
  own: object = {},
): Promise<Tree[]> {
  const found: Tree[] = [];
  for (const batch of batches(arns, key === 'services' ? SERVICES_BATCH : BATCH)) {
    const request = {
      ...own,
      [key]: batch,
      include: [action === 'DescribeContainerInstances' ? 'CONTAINER_INSTANCE_HEALTH' : 'TAGS'],
    };
    found.push(...(await api.json('ecs', `${TARGET}.${action}`, request)).at(key).items);
  }
  return found;
}

function numbered(name: string, values: readonly string[]): [string, string][] {
  return values.map((value, index) => [`${name}.${index + 1}`, value]);
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => value !== '');
}

function batches<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
