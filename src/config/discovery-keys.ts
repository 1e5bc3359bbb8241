// The keys of sections of discovery: names, types and defaults, one structure for each kind. An unknown key is a fault.
// What they cannot do without is in discovery-faults.ts.

import { bool, int, list, mapOf, path, string, type ValueOf } from './codec.js';
import { finishHttpClient, httpClientFields, tlsConfig } from './http-client.js';
import { type Fields, field, optional, type StructOf, struct } from './struct.js';
import { duration, secret } from './values.js';

const MINUTE_MS = 60_000;

/** A section with credentials, TLS and the like among its own keys. */
function withClient<const F extends Fields>(kind: string, fields: F) {
  return struct(`${kind}.plain`, { ...fields, ...httpClientFields() }, (section) =>
    finishHttpClient(section as StructOf<F> & StructOf<ReturnType<typeof httpClientFields>>),
  );
}

function refreshEvery(ms: number) {
  return { refreshIntervalMs: field('refresh_interval', duration, ms) } satisfies Fields;
}

const kubernetesNamespaces = struct('kubernetes.plain', {
  ownNamespace: field('own_namespace', bool, false),
  names: field('names', list(string), []),
});

const kubernetesSelector = struct('kubernetes.plain', {
  role: field('role', string, ''),
  label: field('label', string, ''),
  field: field('field', string, ''),
});

const kubernetesMetadata = struct('kubernetes.plain', {
  node: field('node', bool, false),
  namespace: field('namespace', bool, false),
  deployment: field('deployment', bool, false),
  job: field('job', bool, false),
  cronjob: field('cronjob', bool, false),
});

const port = field('port', int, 80);

/** Which of what there is: `{ name: label, values: [a=b] }`. */
function filters(kind: string) {
  const filter = struct(`${kind}.plain`, {
    name: field('name', string, ''),
    values: field('values', list(string), []),
  });
  return { filters: field('filters', list(filter), []) } satisfies Fields;
}

const awsFields = {
  region: field('region', string, ''),
  endpoint: field('endpoint', string, ''),
  accessKey: field('access_key', string, ''),
  secretKey: optional('secret_key', secret),
  profile: field('profile', string, ''),
  roleArn: field('role_arn', string, ''),
  externalId: field('external_id', string, ''),
  ...refreshEvery(MINUTE_MS),
  port,
} satisfies Fields;

/** The keys of what is read from a ZooKeeper. */
const zookeeperFields = {
  servers: field('servers', list(string), []),
  paths: field('paths', list(string), []),
  timeoutMs: field('timeout', duration, 10_000),
} satisfies Fields;

const clusters = { clusters: field('clusters', list(string), []) } satisfies Fields;

const requestConcurrency = { requestConcurrency: field('request_concurrency', int, 10) } satisfies Fields;

export const SECTIONS = {
  aws: withClient('aws', { ...awsFields, role: field('role', string, ''), ...filters('aws'), ...clusters }),
  azure: withClient('azure', {
    environment: field('environment', string, 'AzurePublicCloud'),
    port,
    subscriptionId: field('subscription_id', string, ''),
    tenantId: field('tenant_id', string, ''),
    clientId: field('client_id', string, ''),
    clientSecret: optional('client_secret', secret),
    ...refreshEvery(5 * MINUTE_MS),
    authenticationMethod: field('authentication_method', string, 'OAuth'),
    resourceGroup: field('resource_group', string, ''),
  }),
  consul: withClient('consul', {
    server: field('server', string, 'localhost:8500'),
    pathPrefix: field('path_prefix', string, ''),
    token: optional('token', secret),
    datacenter: field('datacenter', string, ''),
    namespace: field('namespace', string, ''),
    partition: field('partition', string, ''),
    tagSeparator: field('tag_separator', string, ','),
    scheme: field('scheme', string, 'http'),
    username: field('username', string, ''),
    password: optional('password', secret),
    allowStale: field('allow_stale', bool, true),
    ...refreshEvery(MINUTE_MS / 2),
    services: field('services', list(string), []),
    tags: field('tags', list(string), []),
    nodeMeta: field('node_meta', mapOf(string), new Map()),
    filter: field('filter', string, ''),
    healthFilter: field('health_filter', string, ''),
  }),
  digitalocean: withClient('digitalocean', {
    role: field('role', string, 'droplets'),
    ...refreshEvery(MINUTE_MS),
    port,
  }),
  dns: struct('dns.plain', {
    names: field('names', list(string), []),
    ...refreshEvery(MINUTE_MS / 2),
    type: field('type', string, 'SRV'),
    port: field('port', int, 0),
  }),
  docker: withClient('docker', {
    host: field('host', string, ''),
    port,
    hostNetworkingHost: field('host_networking_host', string, 'localhost'),
    matchFirstNetwork: field('match_first_network', bool, true),
    ...filters('docker'),
    ...refreshEvery(MINUTE_MS),
  }),
  dockerswarm: withClient('dockerswarm', {
    host: field('host', string, ''),
    role: field('role', string, ''),
    port,
    ...filters('dockerswarm'),
    ...refreshEvery(MINUTE_MS),
  }),
  ec2: withClient('ec2', { ...awsFields, ...filters('ec2') }),
  ecs: withClient('ecs', { ...awsFields, ...clusters, ...requestConcurrency }),
  elasticache: withClient('elasticache', { ...awsFields, ...clusters, ...requestConcurrency }),
  eureka: withClient('eureka', {
    server: field('server', string, ''),
    ...refreshEvery(MINUTE_MS / 2),
  }),
  file: struct('file.plain', {
    files: field('files', list(path), []),
    ...refreshEvery(5 * MINUTE_MS),
  }),
  gce: struct('gce.plain', {
    project: field('project', string, ''),
    zone: field('zone', string, ''),
    filter: field('filter', string, ''),
    ...refreshEvery(MINUTE_MS),
    port,
    tagSeparator: field('tag_separator', string, ','),
  }),
  hetzner: withClient('hetzner', {
    role: field('role', string, ''),
    ...refreshEvery(MINUTE_MS),
    port,
    labelSelector: field('label_selector', string, ''),
  }),
  http: withClient('http', {
    url: field('url', string, ''),
    ...refreshEvery(MINUTE_MS),
  }),
  ionos: withClient('ionos', {
    datacenterId: field('datacenter_id', string, ''),
    ...refreshEvery(MINUTE_MS),
    port,
  }),
  kubernetes: withClient('kubernetes', {
    apiServer: field('api_server', string, ''),
    role: field('role', string, ''),
    kubeconfigFile: field('kubeconfig_file', path, ''),
    namespaces: field('namespaces', kubernetesNamespaces, kubernetesNamespaces.defaults()),
    selectors: field('selectors', list(kubernetesSelector), []),
    attachMetadata: field('attach_metadata', kubernetesMetadata, kubernetesMetadata.defaults()),
  }),
  kuma: withClient('kuma', {
    server: field('server', string, ''),
    ...refreshEvery(MINUTE_MS / 2),
    fetchTimeoutMs: field('fetch_timeout', duration, 2 * MINUTE_MS),
    clientId: field('client_id', string, ''),
  }),
  lightsail: withClient('lightsail', awsFields),
  linode: withClient('linode', {
    ...refreshEvery(MINUTE_MS),
    port,
    tagSeparator: field('tag_separator', string, ','),
    region: field('region', string, ''),
  }),
  marathon: withClient('marathon', {
    servers: field('servers', list(string), []),
    ...refreshEvery(MINUTE_MS / 2),
    authToken: optional('auth_token', secret),
    authTokenFile: field('auth_token_file', path, ''),
  }),
  msk: withClient('msk', { ...awsFields, ...clusters, ...requestConcurrency }),
  nerve: struct('nerve.plain', zookeeperFields),
  nomad: withClient('nomad', {
    allowStale: field('allow_stale', bool, true),
    namespace: field('namespace', string, 'default'),
    ...refreshEvery(MINUTE_MS),
    region: field('region', string, 'global'),
    server: field('server', string, ''),
    tagSeparator: field('tag_separator', string, ','),
  }),
  oci: withClient('oci', {
    auth: field('auth', string, 'api_key'),
    tenancy: field('tenancy', string, ''),
    user: field('user', string, ''),
    fingerprint: field('fingerprint', string, ''),
    keyFile: field('key_file', path, ''),
    keyPassphrase: optional('key_passphrase', secret),
    keyPassphraseFile: field('key_passphrase_file', path, ''),
    region: field('region', string, ''),
    compartments: field('compartments', list(string), []),
    port,
    ...refreshEvery(MINUTE_MS),
  }),
  openstack: struct('openstack.plain', {
    identityEndpoint: field('identity_endpoint', string, ''),
    username: field('username', string, ''),
    userid: field('userid', string, ''),
    password: optional('password', secret),
    projectName: field('project_name', string, ''),
    projectId: field('project_id', string, ''),
    domainName: field('domain_name', string, ''),
    domainId: field('domain_id', string, ''),
    applicationCredentialName: field('application_credential_name', string, ''),
    applicationCredentialId: field('application_credential_id', string, ''),
    applicationCredentialSecret: optional('application_credential_secret', secret),
    role: field('role', string, ''),
    region: field('region', string, ''),
    ...refreshEvery(MINUTE_MS),
    port,
    allTenants: field('all_tenants', bool, false),
    tlsConfig: optional('tls_config', tlsConfig),
    availability: field('availability', string, 'public'),
  }),
  outscale: withClient('outscale', {
    region: field('region', string, 'eu-west-2'),
    accessKey: field('access_key', string, ''),
    secretKey: optional('secret_key', secret),
    secretKeyFile: field('secret_key_file', path, ''),
    endpoint: field('endpoint', string, ''),
    ...refreshEvery(MINUTE_MS),
    port,
  }),
  ovhcloud: withClient('ovhcloud', {
    endpoint: field('endpoint', string, 'ovh-eu'),
    applicationKey: field('application_key', string, ''),
    applicationSecret: optional('application_secret', secret),
    consumerKey: optional('consumer_key', secret),
    ...refreshEvery(MINUTE_MS),
    service: field('service', string, ''),
  }),
  puppetdb: withClient('puppetdb', {
    url: field('url', string, ''),
    query: field('query', string, ''),
    includeParameters: field('include_parameters', bool, false),
    ...refreshEvery(MINUTE_MS),
    port,
  }),
  rds: withClient('rds', { ...awsFields, ...clusters, ...requestConcurrency, ...filters('rds') }),
  scaleway: withClient('scaleway', {
    projectId: field('project_id', string, ''),
    apiUrl: field('api_url', string, 'https://api.scaleway.com'),
    zone: field('zone', string, 'fr-par-1'),
    accessKey: field('access_key', string, ''),
    secretKey: optional('secret_key', secret),
    secretKeyFile: field('secret_key_file', path, ''),
    nameFilter: field('name_filter', string, ''),
    tagsFilter: field('tags_filter', list(string), []),
    ...refreshEvery(MINUTE_MS),
    port,
    role: field('role', string, ''),
  }),
  serverset: struct('serverset.plain', zookeeperFields),
  stackit: withClient('stackit', {
    project: field('project', string, ''),
    ...refreshEvery(MINUTE_MS),
    port,
    region: field('region', string, 'eu01'),
    endpoint: field('endpoint', string, ''),
    serviceAccountKey: optional('service_account_key', secret),
    privateKey: optional('private_key', secret),
    serviceAccountKeyPath: field('service_account_key_path', string, ''),
    privateKeyPath: field('private_key_path', string, ''),
    credentialsFilePath: field('credentials_file_path', string, ''),
  }),
  triton: struct('triton.plain', {
    account: field('account', string, ''),
    role: field('role', string, 'container'),
    dnsSuffix: field('dns_suffix', string, ''),
    endpoint: field('endpoint', string, ''),
    groups: field('groups', list(string), []),
    port: field('port', int, 9163),
    ...refreshEvery(MINUTE_MS),
    tlsConfig: optional('tls_config', tlsConfig),
    version: field('version', int, 1),
  }),
  uyuni: withClient('uyuni', {
    server: field('server', string, ''),
    username: field('username', string, ''),
    password: optional('password', secret),
    entitlement: field('entitlement', string, 'monitoring_entitled'),
    separator: field('separator', string, ','),
    ...refreshEvery(MINUTE_MS),
  }),
  vultr: withClient('vultr', { ...refreshEvery(MINUTE_MS), port }),
};

/** What a section of a kind says, defaults filled in. */
export type SectionOf<K extends keyof typeof SECTIONS> = ValueOf<(typeof SECTIONS)[K]>;
