// The keys of sections of discovery: names, types and defaults, one structure for each kind.
//
// A kind that is not here yet is read for credentials and for what it cannot do without (discovery-faults.ts), and
// kept as data. One that is here is complete: an unknown key is a fault, and its discovery gets typed values.

import { bool, int, list, path, string, type ValueOf } from './codec.js';
import { finishHttpClient, httpClientFields } from './http-client.js';
import { type Fields, field, type StructOf, struct } from './struct.js';
import { duration } from './values.js';

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

export const SECTIONS = {
  dns: struct('dns.plain', {
    names: field('names', list(string), []),
    ...refreshEvery(MINUTE_MS / 2),
    type: field('type', string, 'SRV'),
    port: field('port', int, 0),
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
};

export type TypedKind = keyof typeof SECTIONS;

/** What a section of a kind says, defaults filled in. */
export type SectionOf<K extends TypedKind> = ValueOf<(typeof SECTIONS)[K]>;

export function isTyped(kind: string): kind is TypedKind {
  return Object.hasOwn(SECTIONS, kind);
}
