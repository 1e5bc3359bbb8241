// The keys of sections of discovery: names, types and defaults, one structure for each kind.
//
// A kind that is not here yet is read for credentials and for what it cannot do without (discovery-faults.ts), and
// kept as data. One that is here is complete: an unknown key is a fault, and its discovery gets typed values.

import { bool, int, list, mapOf, path, string, type ValueOf } from './codec.js';
import { finishHttpClient, httpClientFields } from './http-client.js';
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

export const SECTIONS = {
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
  eureka: withClient('eureka', {
    server: field('server', string, ''),
    ...refreshEvery(MINUTE_MS / 2),
  }),
  file: struct('file.plain', {
    files: field('files', list(path), []),
    ...refreshEvery(5 * MINUTE_MS),
  }),
  http: withClient('http', {
    url: field('url', string, ''),
    ...refreshEvery(MINUTE_MS),
  }),
  kubernetes: withClient('kubernetes', {
    apiServer: field('api_server', string, ''),
    role: field('role', string, ''),
    kubeconfigFile: field('kubeconfig_file', path, ''),
    namespaces: field('namespaces', kubernetesNamespaces, kubernetesNamespaces.defaults()),
    selectors: field('selectors', list(kubernetesSelector), []),
    attachMetadata: field('attach_metadata', kubernetesMetadata, kubernetesMetadata.defaults()),
  }),
  lightsail: withClient('lightsail', awsFields),
  nomad: withClient('nomad', {
    allowStale: field('allow_stale', bool, true),
    namespace: field('namespace', string, 'default'),
    ...refreshEvery(MINUTE_MS),
    region: field('region', string, 'global'),
    server: field('server', string, ''),
    tagSeparator: field('tag_separator', string, ','),
  }),
  puppetdb: withClient('puppetdb', {
    url: field('url', string, ''),
    query: field('query', string, ''),
    includeParameters: field('include_parameters', bool, false),
    ...refreshEvery(MINUTE_MS),
    port,
  }),
};

export type TypedKind = keyof typeof SECTIONS;

/** What a section of a kind says, defaults filled in. */
export type SectionOf<K extends TypedKind> = ValueOf<(typeof SECTIONS)[K]>;

export function isTyped(kind: string): kind is TypedKind {
  return Object.hasOwn(SECTIONS, kind);
}
