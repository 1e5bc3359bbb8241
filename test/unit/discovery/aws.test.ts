// AWS: signatures as its documentation has them, where keys come from, and instances as targets.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AwsCredentials, type AwsIdentity } from '../../../src/discovery/kinds/aws/credentials.js';
import { signedHeaders } from '../../../src/discovery/kinds/aws/sign.js';
import { Session } from '../../../src/discovery/session.js';
import { noLog } from '../../../src/telemetry/log.js';
import { endAll, testTools } from '../../support/discovery.js';
import { emptyFolder } from '../../support/folders.js';
import { type Asked, replay, testReplay } from '../../support/replay.js';

after(endAll);

const KEYS = { accessKey: 'AKIDEXAMPLE', secretKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

// The suite of examples that AWS publishes for its signature: request, and the signature it must have.
const signatures: [name: string, method: 'GET' | 'POST', path: string, headers: [string, string][], want: string][] = [
  ['get-vanilla', 'GET', '/', [], '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  [
    'get-vanilla-query-order-key-case',
    'GET',
    '/?Param2=value2&Param1=value1',
    [],
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
  ['post-vanilla', 'POST', '/', [], '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
];

for (const [name, method, path, headers, want] of signatures) {
  test(`signature: ${name}`, () => {
    const request = {
      method,
      url: `https://example.amazonaws.com${path}`,
      headers,
      body: '',
      service: 'service',
      region: 'us-east-1',
    };
    const signed = new Map(signedHeaders(request, KEYS, Date.UTC(2015, 7, 30, 12, 36)));
    assert.equal(signed.get('X-Amz-Date'), '20150830T123600Z');
    assert.equal(
      signed.get('Authorization'),
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${want}`,
    );
  });
}

const NOBODY: AwsIdentity = {
  region: 'eu-west-1',
  accessKey: '',
  secretKey: '',
  profile: '',
  roleArn: '',
  externalId: '',
};

function sessionFor(): Session {
  return new Session({ tools: testTools(), mechanism: 'ec2', config: 'x', log: noLog, onAnswer: () => {} });
}

function keysOf(identity: Partial<AwsIdentity>, environment: Record<string, string>) {
  return new AwsCredentials({ ...NOBODY, ...identity }, {}, sessionFor(), environment).keys();
}

test('keys: of the section, the environment, a profile', async () => {
  const file = join(emptyFolder(), 'credentials');
  writeFileSync(
    file,
    '# mine\n[default]\naws_access_key_id = d\naws_secret_access_key=ds\n[other]\naws_access_key_id=o\naws_secret_access_key=os\naws_session_token=ot\n',
  );
  const environment = { AWS_ACCESS_KEY_ID: 'e', AWS_SECRET_ACCESS_KEY: 'es', AWS_SHARED_CREDENTIALS_FILE: file };
  assert.deepEqual(await keysOf({ accessKey: 'a', secretKey: 'b' }, environment), { accessKey: 'a', secretKey: 'b' });
  assert.equal((await keysOf({}, environment)).accessKey, 'e');
  assert.deepEqual(await keysOf({ profile: 'other' }, environment), {
    accessKey: 'o',
    secretKey: 'os',
    sessionToken: 'ot',
  });
  assert.equal((await keysOf({}, { AWS_SHARED_CREDENTIALS_FILE: file })).accessKey, 'd');
  await assert.rejects(keysOf({ profile: 'none' }, environment), /no credentials in profile none/);
});

const STS = (action: string) => `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>
<Credentials><AccessKeyId>tmp</AccessKeyId><SecretAccessKey>ts</SecretAccessKey><SessionToken>tt</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></${action}Result></${action}Response>`;

test('keys: of a role, by STS, with whatever we are or with a web identity', async () => {
  const api = await replay(({ body }) => STS(new URLSearchParams(body).get('Action')!));
  const environment = { AWS_ENDPOINT_URL_STS: api.server.url };
  const assumed = await keysOf({ accessKey: 'a', secretKey: 'b', roleArn: 'arn:role', externalId: 'ext' }, environment);
  assert.deepEqual(assumed, { accessKey: 'tmp', secretKey: 'ts', sessionToken: 'tt' });
  const body = new URLSearchParams(api.asked[0]!.body);
  assert.deepEqual([body.get('RoleArn'), body.get('ExternalId')], ['arn:role', 'ext']);
  assert.match(String(api.asked[0]!.headers.authorization), /Credential=a\/\d{8}\/eu-west-1\/sts\/aws4_request/);

  const token = join(emptyFolder(), 'token');
  writeFileSync(token, 'web-token\n');
  await keysOf({}, { ...environment, AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: 'arn:web' });
  const web = new URLSearchParams(api.asked[1]!.body);
  assert.deepEqual([web.get('Action'), web.get('WebIdentityToken')], ['AssumeRoleWithWebIdentity', 'web-token']);
  assert.equal(api.asked[1]!.headers.authorization, undefined);
});

test('keys and region: of the instance we run on, asked for with a token', async () => {
  const api = await replay(({ method, path, headers }) => {
    if (method === 'PUT') return path === '/latest/api/token' ? 'imds-token' : undefined;
    if (headers['x-aws-ec2-metadata-token'] !== 'imds-token') return undefined;
    if (path === '/latest/meta-data/placement/region') return 'ap-south-1';
    if (path === '/latest/meta-data/iam/security-credentials/') return 'my-role\n';
    if (path !== '/latest/meta-data/iam/security-credentials/my-role') return undefined;
    return { AccessKeyId: 'i', SecretAccessKey: 'is', Token: 'it', Expiration: '2099-01-01T00:00:00Z' };
  });
  const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: api.server.url, AWS_SHARED_CREDENTIALS_FILE: '/none' };
  const credentials = new AwsCredentials({ ...NOBODY, region: '' }, {}, sessionFor(), environment);
  assert.equal(await credentials.region(), 'ap-south-1');
  assert.deepEqual(await credentials.keys(), { accessKey: 'i', secretKey: 'is', sessionToken: 'it' });
  const asked = api.asked.length;
  await credentials.keys();
  assert.equal(api.asked.length, asked, 'they are good for a long time');
});

// ---- EC2

const ZONES = `<DescribeAvailabilityZonesResponse><availabilityZoneInfo>
<item><zoneName>eu-west-1a</zoneName><zoneId>euw1-az2</zoneId></item></availabilityZoneInfo></DescribeAvailabilityZonesResponse>`;

const page = (next: string, ...instances: string[]) => `<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet>
${instances.map((instance) => `<item><ownerId>123</ownerId><instancesSet><item>${instance}</item></instancesSet></item>`).join('')}
</reservationSet>${next}</DescribeInstancesResponse>`;

const FULL = `<instanceId>i-1</instanceId><imageId>ami-1</imageId><architecture>x86_64</architecture><instanceType>t3.micro</instanceType>
<instanceState><code>16</code><name>running</name></instanceState><placement><availabilityZone>eu-west-1a</availabilityZone></placement>
<privateDnsName>ip-10-0-0-1.local</privateDnsName><privateIpAddress>10.0.0.1</privateIpAddress><dnsName>ec2.example</dnsName>
<ipAddress>1.2.3.4</ipAddress><vpcId>vpc-1</vpcId><subnetId>subnet-1</subnetId><instanceLifecycle>spot</instanceLifecycle><platform>windows</platform>
<networkInterfaceSet>
 <item><subnetId>subnet-1</subnetId><attachment><deviceIndex>1</deviceIndex></attachment><ipv6AddressesSet><item><ipv6Address>2001:db8::1</ipv6Address><isPrimaryIpv6>false</isPrimaryIpv6></item></ipv6AddressesSet></item>
 <item><subnetId>subnet-2</subnetId><attachment><deviceIndex>0</deviceIndex></attachment><ipv6AddressesSet><item><ipv6Address>2001:db8::2</ipv6Address><isPrimaryIpv6>true</isPrimaryIpv6></item></ipv6AddressesSet></item>
</networkInterfaceSet>
<tagSet><item><key>Name</key><value>web</value></item><item><key>aws:group</key><value>a&lt;b</value></item></tagSet>`;
const BARE =
  '<instanceId>i-2</instanceId><privateIpAddress>10.0.0.2</privateIpAddress><instanceState><name>stopped</name></instanceState>';
const NOWHERE = '<instanceId>i-3</instanceId>';

testReplay({
  name: 'ec2',
  section:
    'ec2_sd_configs: [{endpoint: "$URL", region: eu-west-1, access_key: a, secret_key: b, port: 9100, filters: [{name: "tag:env", values: [x, y]}]}]',
  reply: ({ body }: Asked) => {
    const asked = new URLSearchParams(body);
    if (asked.get('Action') === 'DescribeAvailabilityZones') return ZONES;
    return asked.get('NextToken') === 'more' ? page('', BARE, NOWHERE) : page('<nextToken>more</nextToken>', FULL);
  },
  want: [
    {
      __address__: '10.0.0.1:9100',
      __meta_ec2_ami: 'ami-1',
      __meta_ec2_architecture: 'x86_64',
      __meta_ec2_availability_zone: 'eu-west-1a',
      __meta_ec2_availability_zone_id: 'euw1-az2',
      __meta_ec2_default_ipv6_address: '2001:db8::2',
      __meta_ec2_instance_id: 'i-1',
      __meta_ec2_instance_lifecycle: 'spot',
      __meta_ec2_instance_state: 'running',
      __meta_ec2_instance_type: 't3.micro',
      __meta_ec2_ipv6_addresses: ',2001:db8::1,2001:db8::2,',
      __meta_ec2_owner_id: '123',
      __meta_ec2_platform: 'windows',
      __meta_ec2_primary_ipv6_addresses: ',2001:db8::2,',
      __meta_ec2_primary_subnet_id: 'subnet-1',
      __meta_ec2_private_dns_name: 'ip-10-0-0-1.local',
      __meta_ec2_private_ip: '10.0.0.1',
      __meta_ec2_public_dns_name: 'ec2.example',
      __meta_ec2_public_ip: '1.2.3.4',
      __meta_ec2_region: 'eu-west-1',
      __meta_ec2_subnet_id: ',subnet-1,subnet-2,',
      __meta_ec2_tag_Name: 'web',
      __meta_ec2_tag_aws_group: 'a<b',
      __meta_ec2_vpc_id: 'vpc-1',
    },
    {
      __address__: '10.0.0.2:9100',
      __meta_ec2_instance_id: 'i-2',
      __meta_ec2_instance_state: 'stopped',
      __meta_ec2_owner_id: '123',
      __meta_ec2_private_ip: '10.0.0.2',
      __meta_ec2_region: 'eu-west-1',
    },
  ],
  check: (asked) => {
    const first = new URLSearchParams(asked[1]!.body);
    assert.deepEqual(
      [first.get('Filter.1.Name'), first.get('Filter.1.Value.1'), first.get('Filter.1.Value.2')],
      ['tag:env', 'x', 'y'],
    );
    assert.match(String(asked[1]!.headers.authorization), /Credential=a\/\d{8}\/eu-west-1\/ec2\/aws4_request/);
  },
});

testReplay({
  name: 'lightsail',
  section: 'lightsail_sd_configs: [{endpoint: "$URL", region: eu-west-1, access_key: a, secret_key: b}]',
  reply: ({ headers, body }) => {
    if (headers['x-amz-target'] !== 'Lightsail_20161128.GetInstances') return undefined;
    const instance = {
      name: 'wp',
      supportCode: '1/i-1',
      location: { availabilityZone: 'eu-west-1a', regionName: 'eu-west-1' },
      blueprintId: 'wordpress',
      bundleId: 'micro',
      privateIpAddress: '172.26.0.1',
      publicIpAddress: '1.2.3.4',
      ipv6Addresses: ['2001:db8::1'],
      state: { code: 16, name: 'running' },
      tags: [{ key: 'env x', value: 'prod' }],
    };
    if (JSON.parse(body).pageToken === 'p2') return { instances: [instance] };
    return { instances: [{ name: 'no address' }], nextPageToken: 'p2' };
  },
  want: [
    {
      __address__: '172.26.0.1:80',
      __meta_lightsail_availability_zone: 'eu-west-1a',
      __meta_lightsail_blueprint_id: 'wordpress',
      __meta_lightsail_bundle_id: 'micro',
      __meta_lightsail_instance_name: 'wp',
      __meta_lightsail_instance_state: 'running',
      __meta_lightsail_instance_support_code: '1/i-1',
      __meta_lightsail_ipv6_addresses: ',2001:db8::1,',
      __meta_lightsail_private_ip: '172.26.0.1',
      __meta_lightsail_public_ip: '1.2.3.4',
      __meta_lightsail_region: 'eu-west-1',
      __meta_lightsail_tag_env_x: 'prod',
    },
  ],
});

// ---- ECS

const CLUSTER = 'arn:aws:ecs:eu-west-1:1:cluster/main';
const MACHINE = 'arn:aws:ecs:eu-west-1:1:container-instance/main/m1';
const TASKS = [
  {
    taskArn: 'task/1',
    group: 'service:web',
    taskDefinitionArn: 'def/web:1',
    availabilityZone: 'eu-west-1a',
    launchType: 'FARGATE',
    desiredStatus: 'RUNNING',
    lastStatus: 'RUNNING',
    healthStatus: 'HEALTHY',
    platformFamily: 'Linux',
    platformVersion: '1.4.0',
    attachments: [
      {
        type: 'ElasticNetworkInterface',
        details: [
          { name: 'subnetId', value: 'subnet-1' },
          { name: 'networkInterfaceId', value: 'eni-1' },
          { name: 'privateIPv4Address', value: '10.0.1.100' },
        ],
      },
    ],
    tags: [{ key: 'Version', value: 'v1' }],
  },
  { taskArn: 'task/2', group: 'family:batch', launchType: 'EC2', containerInstanceArn: MACHINE, attachments: [] },
  { taskArn: 'task/3', group: 'family:starting', attachments: [] },
];

function ecs({ headers, body }: Asked): unknown {
  const action = String(headers['x-amz-target'] ?? '').replace('AmazonEC2ContainerServiceV20141113.', '');
  if (action === '') {
    const asked = new URLSearchParams(body);
    if (asked.get('Action') === 'DescribeInstances' && asked.get('InstanceId.1') === 'i-9') {
      return page(
        '',
        '<instanceId>i-9</instanceId><instanceType>t3.medium</instanceType><privateIpAddress>10.0.1.50</privateIpAddress><ipAddress>54.1.2.3</ipAddress><subnetId>subnet-9</subnetId><tagSet><item><key>Name</key><value>host</value></item></tagSet>',
      );
    }
    if (asked.get('NetworkInterfaceId.1') !== 'eni-1') return undefined;
    return '<DescribeNetworkInterfacesResponse><networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><association><publicIp>52.1.2.3</publicIp></association></item></networkInterfaceSet></DescribeNetworkInterfacesResponse>';
  }
  const request = JSON.parse(body);
  if (action !== 'ListClusters' && action !== 'DescribeClusters') assert.equal(request.cluster, CLUSTER);
  switch (action) {
    case 'ListClusters':
      return request.nextToken === 'more' ? { clusterArns: [CLUSTER] } : { clusterArns: [], nextToken: 'more' };
    case 'DescribeClusters':
      return { clusters: [{ clusterArn: CLUSTER, clusterName: 'main', tags: [{ key: 'Env', value: 'test' }] }] };
    case 'ListServices':
      return { serviceArns: ['service/web'] };
    case 'DescribeServices':
      return {
        services: [
          { serviceName: 'web', serviceArn: 'service/web', status: 'ACTIVE', tags: [{ key: 'App', value: 'w' }] },
        ],
      };
    case 'ListTasks':
      return { taskArns: ['task/1', 'task/2', 'task/3'] };
    case 'DescribeTasks':
      return { tasks: TASKS };
    case 'DescribeContainerInstances':
      return { containerInstances: [{ containerInstanceArn: MACHINE, ec2InstanceId: 'i-9' }] };
    default:
      return undefined;
  }
}

const ECS_TARGETS: Record<string, string>[] = [
  {
    __address__: '10.0.1.100:80',
    __meta_ecs_availability_zone: 'eu-west-1a',
    __meta_ecs_cluster: 'main',
    __meta_ecs_cluster_arn: CLUSTER,
    __meta_ecs_desired_status: 'RUNNING',
    __meta_ecs_health_status: 'HEALTHY',
    __meta_ecs_ip_address: '10.0.1.100',
    __meta_ecs_last_status: 'RUNNING',
    __meta_ecs_launch_type: 'FARGATE',
    __meta_ecs_network_mode: 'awsvpc',
    __meta_ecs_platform_family: 'Linux',
    __meta_ecs_platform_version: '1.4.0',
    __meta_ecs_public_ip: '52.1.2.3',
    __meta_ecs_region: 'eu-west-1',
    __meta_ecs_service: 'web',
    __meta_ecs_service_arn: 'service/web',
    __meta_ecs_service_status: 'ACTIVE',
    __meta_ecs_subnet_id: 'subnet-1',
    __meta_ecs_tag_cluster_Env: 'test',
    __meta_ecs_tag_service_App: 'w',
    __meta_ecs_tag_task_Version: 'v1',
    __meta_ecs_task_arn: 'task/1',
    __meta_ecs_task_definition: 'def/web:1',
    __meta_ecs_task_group: 'service:web',
  },
  {
    __address__: '10.0.1.50:80',
    __meta_ecs_cluster: 'main',
    __meta_ecs_cluster_arn: CLUSTER,
    __meta_ecs_container_instance_arn: MACHINE,
    __meta_ecs_ec2_instance_id: 'i-9',
    __meta_ecs_ec2_instance_private_ip: '10.0.1.50',
    __meta_ecs_ec2_instance_public_ip: '54.1.2.3',
    __meta_ecs_ec2_instance_type: 't3.medium',
    __meta_ecs_ip_address: '10.0.1.50',
    __meta_ecs_launch_type: 'EC2',
    __meta_ecs_network_mode: 'bridge',
    __meta_ecs_public_ip: '54.1.2.3',
    __meta_ecs_region: 'eu-west-1',
    __meta_ecs_subnet_id: 'subnet-9',
    __meta_ecs_tag_cluster_Env: 'test',
    __meta_ecs_tag_ec2_Name: 'host',
    __meta_ecs_task_arn: 'task/2',
    __meta_ecs_task_group: 'family:batch',
  },
];

const account = 'endpoint: "$URL", region: eu-west-1, access_key: a, secret_key: b';

testReplay({ name: 'ecs', section: `ecs_sd_configs: [{${account}}]`, reply: ecs, want: ECS_TARGETS });
testReplay({ name: 'aws, ecs', section: `aws_sd_configs: [{role: ecs, ${account}}]`, reply: ecs, want: ECS_TARGETS });

// ---- MSK

const KAFKA = 'arn:aws:kafka:eu-west-1:1:cluster/k/1';

testReplay({
  name: 'msk',
  section: `msk_sd_configs: [{${account}, port: 11001}]`,
  reply: ({ path, query }) => {
    if (path === '/api/v2/clusters') {
      if (!query.has('nextToken')) return { clusterInfoList: [{ clusterType: 'SERVERLESS' }], nextToken: 'more' };
      const provisioned = {
        currentBrokerSoftwareInfo: { kafkaVersion: '3.6.0', configurationArn: 'conf', configurationRevision: 1 },
        openMonitoring: {
          prometheus: { jmxExporter: { enabledInBroker: true }, nodeExporter: { enabledInBroker: false } },
        },
      };
      const cluster = {
        clusterName: 'k',
        clusterArn: KAFKA,
        state: 'ACTIVE',
        clusterType: 'PROVISIONED',
        currentVersion: 'v1',
      };
      return { clusterInfoList: [{ ...cluster, tags: { Team: 'a' }, provisioned }] };
    }
    if (path !== `/v1/clusters/${encodeURIComponent(KAFKA)}/nodes`) return undefined;
    const brokerNodeInfo = {
      attachedENIId: 'eni-1',
      brokerId: 1,
      clientSubnet: 'subnet-1',
      clientVpcIpAddress: '10.0.1.100',
      endpoints: ['b-1.k.amazonaws.com'],
    };
    return {
      nodeInfoList: [
        {
          nodeType: 'BROKER',
          nodeARN: 'node/1',
          addedToClusterTime: '2023-01-01T00:00:00Z',
          instanceType: 'kafka.m5.large',
          brokerNodeInfo,
        },
        { nodeType: 'CONTROLLER', nodeARN: 'node/2', controllerNodeInfo: { endpoints: ['c-1.k.amazonaws.com'] } },
      ],
    };
  },
  want: [
    ['b-1.k.amazonaws.com:11001', 'node/1'],
    ['c-1.k.amazonaws.com:11001', 'node/2'],
  ].map(([address, arn], index) => ({
    __address__: address!,
    ...(index === 0
      ? {
          __meta_msk_broker_client_subnet: 'subnet-1',
          __meta_msk_broker_client_vpc_ip: '10.0.1.100',
          __meta_msk_broker_endpoint_index: '0',
          __meta_msk_broker_id: '1',
          __meta_msk_broker_node_exporter_enabled: 'false',
        }
      : {}),
    __meta_msk_cluster_arn: KAFKA,
    __meta_msk_cluster_configuration_arn: 'conf',
    __meta_msk_cluster_configuration_revision: '1',
    __meta_msk_cluster_jmx_exporter_enabled: 'true',
    __meta_msk_cluster_kafka_version: '3.6.0',
    __meta_msk_cluster_name: 'k',
    __meta_msk_cluster_state: 'ACTIVE',
    __meta_msk_cluster_tag_Team: 'a',
    __meta_msk_cluster_type: 'PROVISIONED',
    __meta_msk_cluster_version: 'v1',
    ...(index === 0
      ? {
          __meta_msk_node_added_time: '2023-01-01T00:00:00Z',
          __meta_msk_node_arn: arn!,
          __meta_msk_node_attached_eni: 'eni-1',
          __meta_msk_node_instance_type: 'kafka.m5.large',
          __meta_msk_node_type: 'BROKER',
        }
      : { __meta_msk_controller_endpoint_index: '0', __meta_msk_node_arn: arn!, __meta_msk_node_type: 'CONTROLLER' }),
  })),
});

// ---- Outscale, whose signature is AWS's in other words

testReplay({
  name: 'outscale',
  section: 'outscale_sd_configs: [{access_key: a, secret_key: b}]',
  reply: ({ path, headers, body }) => {
    const isSigned =
      /^OSC4-HMAC-SHA256 Credential=a\/\d{8}\/eu-west-2\/oapi\/osc4_request, SignedHeaders=content-type;host;x-osc-date, /;
    if (path !== '/api.eu-west-2.outscale.com/api/v1/ReadVms' || !isSigned.test(String(headers.authorization)))
      return undefined;
    if (JSON.parse(body).NextPageToken !== 'p2')
      return { Vms: [{ VmId: 'i-0', State: 'stopped' }], NextPageToken: 'p2' };
    const vm = { VmId: 'i-1', State: 'running', PrivateIp: '10.1.2.3', PublicIp: '1.2.3.4' };
    return { Vms: [{ ...vm, Placement: { SubregionName: 'eu-west-2a' }, Tags: [{ Key: 'Name', Value: 'my-vm' }] }] };
  },
  want: [
    {
      __address__: '10.1.2.3:80',
      __meta_outscale_vm_instance_id: 'i-1',
      __meta_outscale_vm_private_ip: '10.1.2.3',
      __meta_outscale_vm_public_ip: '1.2.3.4',
      __meta_outscale_vm_region: 'eu-west-2',
      __meta_outscale_vm_state: 'running',
      __meta_outscale_vm_subregion: 'eu-west-2a',
      __meta_outscale_vm_tag_Name: 'my-vm',
    },
  ],
});
