// What sections of discovery cannot do without, in Prometheus's words: required keys and
// known roles. The rest is for the discoveries themselves to check.

import { quote } from '../model/quote.js';
import type { Data } from './data.js';
import type { DiscoveryKind } from './discovery.js';

/** Why a section is refused; undefined for a good one. */
export function sectionFault(kind: DiscoveryKind, settings: Settings): string | undefined {
  return FAULTS[kind]?.(settings);
}

type Settings = ReadonlyMap<string, Data>;

/** One star, in the last part only, and a name that says what is inside. */
const SD_FILE = /^[^*]*(?:\*[^/]*)?\.(?:json|yml|yaml|JSON|YML|YAML)$/;

const FAULTS: { readonly [K in DiscoveryKind]?: (settings: Settings) => string | undefined } = {
  dns(settings) {
    if (!hasItems(settings, 'names')) return 'DNS-SD config must contain at least one SRV record name';
    const type = given(settings, 'type') || 'SRV';
    if (!['SRV', 'A', 'AAAA', 'MX', 'NS'].includes(type.toUpperCase())) return `invalid DNS-SD records type ${type}`;
    if (type.toUpperCase() === 'SRV' || (settings.get('port') ?? 0) !== 0) return undefined;
    return 'a port is required in DNS-SD configs for all record types except SRV';
  },
  file(settings) {
    if (!hasItems(settings, 'files')) return 'file service discovery config must contain at least one path name';
    const paths = (settings.get('files') as readonly Data[]).map(String);
    const bad = paths.find((path) => !SD_FILE.test(path));
    return bad && `path name ${quote(bad)} is not valid for file discovery`;
  },
  http: (settings) => (given(settings, 'url') === '' ? 'URL is missing' : hostFault(given(settings, 'url'))),
  puppetdb: (settings) => {
    if (given(settings, 'url') === '') return 'URL is missing';
    return hostFault(given(settings, 'url')) ?? (given(settings, 'query') === '' ? 'query missing' : undefined);
  },
  eureka: (settings) => {
    const server = given(settings, 'server');
    if (server === '') return 'eureka_sd: empty or null eureka server';
    return /^[a-z][a-z0-9+.-]*:\/\/[^/]+/i.test(server) ? undefined : 'eureka_sd: invalid eureka server URL';
  },
  marathon(settings) {
    if (!hasItems(settings, 'servers')) return 'marathon_sd: must contain at least one Marathon server';
    const tokens = ['auth_token', 'auth_token_file'].filter((key) => given(settings, key) !== '');
    if (tokens.length > 1) return 'marathon_sd: at most one of auth_token & auth_token_file must be configured';
    if (tokens.length === 0) return undefined;
    if (given(settings, 'bearer_token') + given(settings, 'bearer_token_file') !== '') {
      return 'marathon_sd: at most one of bearer_token, bearer_token_file, auth_token & auth_token_file must be configured';
    }
    if (!settings.has('authorization')) return undefined;
    return 'marathon_sd: at most one of auth_token, auth_token_file & authorization must be configured';
  },
  aws: (settings) => {
    const role = given(settings, 'role');
    const roles = ['ec2', 'lightsail', 'ecs', 'msk', 'elasticache', 'rds'];
    return roles.includes(role) ? undefined : `unknown AWS SD role ${quote(role)}`;
  },
  docker: (settings) => hostKeyFault(given(settings, 'host')),
  dockerswarm(settings) {
    const fault = hostKeyFault(given(settings, 'host'));
    if (fault !== undefined) return fault;
    const role = given(settings, 'role');
    if (role === '') return 'role missing (one of: tasks, services, nodes)';
    return ['tasks', 'services', 'nodes'].includes(role)
      ? undefined
      : `invalid role ${role}, expected tasks, services, or nodes`;
  },
  nerve: (settings) => zookeeperFault('nerve', settings),
  serverset: (settings) => zookeeperFault('serverset', settings),
  hetzner: (settings) => roleFault(settings, ['robot', 'hcloud']),
  scaleway(settings) {
    if (given(settings, 'secret_key') !== '' && given(settings, 'secret_key_file') !== '') {
      return 'at most one of secret_key & secret_key_file must be configured';
    }
    return roleFault(settings, ['instance', 'baremetal']);
  },
  openstack(settings) {
    const availability = given(settings, 'availability') || 'public';
    if (!['public', 'internal', 'admin'].includes(availability))
      return `unknown availability ${availability}, must be one of admin, internal or public`;
    return roleFault(settings, ['hypervisor', 'instance', 'loadbalancer']);
  },
  ionos: (settings) => (given(settings, 'datacenter_id') === '' ? "datacenter id can't be empty" : undefined),
  uyuni(settings) {
    if (given(settings, 'server') === '') return 'Uyuni SD configuration requires server host';
    if (given(settings, 'username') === '') return 'Uyuni SD configuration requires a username';
    return given(settings, 'password') === '' ? 'Uyuni SD configuration requires a password' : undefined;
  },
  ovhcloud(settings) {
    if (given(settings, 'application_key') === '') return 'application key can not be empty';
    if (given(settings, 'application_secret') === '') return 'application secret can not be empty';
    if (given(settings, 'consumer_key') === '') return 'consumer key can not be empty';
    const service = given(settings, 'service');
    return ['vps', 'dedicated_server'].includes(service) ? undefined : `unknown service: ${service}`;
  },
  ec2(settings) {
    const filters = settings.get('filters');
    const empty =
      Array.isArray(filters) && filters.some((filter) => filter instanceof Map && !hasItems(filter, 'values'));
    return empty ? 'EC2 SD configuration filter values cannot be empty' : undefined;
  },
  azure(settings) {
    const method = given(settings, 'authentication_method') || 'OAuth';
    if (!['OAuth', 'ManagedIdentity', 'SDK', 'WorkloadIdentity'].includes(method)) {
      return `unknown authentication_type ${quote(method)}. Supported types are "OAuth", "ManagedIdentity", "SDK" or "WorkloadIdentity"`;
    }
    const needed =
      method === 'OAuth' ? ['subscription_id', 'tenant_id', 'client_id', 'client_secret'] : ['subscription_id'];
    const missing = needed.find((key) => given(settings, key) === '');
    return missing && `azure SD configuration requires a ${missing}`;
  },
  outscale(settings) {
    const secrets = ['secret_key', 'secret_key_file'].filter((key) => given(settings, key) !== '').length;
    if (secrets > 1) return 'at most one of secret_key & secret_key_file must be configured';
    return secrets === 0 ? 'one of secret_key & secret_key_file must be configured' : undefined;
  },
  oci: ociFault,
  stackit(settings) {
    const endpoint = given(settings, 'endpoint');
    if (endpoint === '' && settings.get('region') === '') return 'stackit_sd: endpoint and region missing';
    if (!endpoint.startsWith(':')) return undefined;
    return `stackit_sd: invalid endpoint ${quote(endpoint)}: parse ${quote(endpoint)}: missing protocol scheme`;
  },
  kubernetes: kubernetesFault,
};

const OCI_KEYS = ['tenancy', 'user', 'fingerprint', 'key_file'];
const OCI_PASSPHRASES = ['key_passphrase', 'key_passphrase_file'];

function ociFault(settings: Settings): string | undefined {
  const isGiven = (key: string) => given(settings, key) !== '';
  if (!isGiven('region')) return 'oci_sd: region is required';
  const auth = String(settings.get('auth') ?? 'api_key');
  if (auth === 'api_key') {
    const missing = OCI_KEYS.find((key) => !isGiven(key));
    if (missing !== undefined) return `oci_sd: api_key auth requires ${missing}`;
    if (OCI_PASSPHRASES.every(isGiven)) {
      return 'oci_sd: at most one of key_passphrase and key_passphrase_file must be configured';
    }
  } else if (auth !== 'instance_principal') {
    return `oci_sd: unknown auth method ${quote(auth)}, expected "api_key" or "instance_principal"`;
  } else if ([...OCI_KEYS, ...OCI_PASSPHRASES].some(isGiven)) {
    return 'oci_sd: instance_principal auth must not have tenancy, user, fingerprint, key_file, key_passphrase, or key_passphrase_file set';
  }
  const compartments = settings.get('compartments');
  const empty = Array.isArray(compartments) ? compartments.findIndex((id) => id === '' || id === null) : -1;
  return empty < 0 ? undefined : `oci_sd: compartments[${empty}] must not be empty`;
}

function zookeeperFault(kind: string, settings: Settings): string | undefined {
  if (!hasItems(settings, 'servers')) return `${kind} SD config must contain at least one Zookeeper server`;
  if (!hasItems(settings, 'paths')) return `${kind} SD config must contain at least one path`;
  const paths = (settings.get('paths') as readonly Data[]).map(String);
  const bad = paths.find((path) => !path.startsWith('/'));
  return bad && `${kind} SD config paths must begin with '/': ${bad}`;
}

function hostKeyFault(host: string): string | undefined {
  return host === '' ? 'host missing' : undefined;
}

function given(settings: Settings, key: string): string {
  return String(settings.get(key) ?? '');
}

function hasItems(settings: Settings, key: string): boolean {
  const items = settings.get(key);
  return Array.isArray(items) && items.length > 0;
}

function roleFault(settings: Settings, roles: readonly string[]): string | undefined {
  const role = given(settings, 'role');
  if (role === '') return `role missing (one of: ${roles.join(', ')})`;
  return roles.includes(role) ? undefined : `unknown role ${quote(role)}`;
}

function hostFault(url: string): string | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(url);
  if (!['http', 'https'].includes(match?.[1]?.toLowerCase() ?? '')) return "URL scheme must be 'http' or 'https'";
  return match?.[2] === '' ? 'host is missing in URL' : undefined;
}

/** Roles, and which objects each may select. */
const KUBERNETES_ROLES: ReadonlyMap<string, readonly string[]> = new Map([
  ['pod', ['pod']],
  ['service', ['service']],
  ['endpoints', ['pod', 'service', 'endpoints']],
  ['endpointslice', ['pod', 'service', 'endpointslice']],
  ['node', ['node']],
  ['ingress', ['ingress']],
]);

function kubernetesFault(settings: Settings): string | undefined {
  const role = given(settings, 'role');
  if (role === '') return 'role missing (one of: pod, service, endpoints, endpointslice, node, ingress)';
  const selectable = KUBERNETES_ROLES.get(role);
  if (selectable === undefined) return `unknown Kubernetes SD role ${quote(role)}`;
  const namespaces = settings.get('namespaces');
  if (given(settings, 'kubeconfig_file') !== '') {
    if (given(settings, 'api_server') !== '') return "cannot use 'kubeconfig_file' and 'api_server' simultaneously";
    if (namespaces instanceof Map && namespaces.get('own_namespace') === true) {
      return "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously";
    }
  }
  return selectorsFault(role, selectable, settings.get('selectors') ?? []);
}

/** One requirement of a label or field selector: `a`, `!a`, `a=b`, `a in (b, c)`. */
const REQUIREMENT = /^\s*(?:!?\s*[\w./-]+|[\w./-]+\s*(?:=|==|!=)\s*[\w.:/-]*|[\w./-]+\s+(?:in|notin)\s+\([^()]*\))\s*$/;

function selectorsFault(role: string, selectable: readonly string[], selectors: Data): string | undefined {
  if (!Array.isArray(selectors)) return undefined;
  const seen = new Set<string>();
  for (const selector of selectors) {
    if (!(selector instanceof Map)) continue;
    const selected = given(selector, 'role');
    if (seen.has(selected)) return `duplicated selector role: ${selected}`;
    seen.add(selected);
    if (!selectable.includes(selected)) return `${role} role supports only ${selectable.join(', ')} selectors`;
    const field = given(selector, 'field');
    const bad = field === '' ? undefined : field.split(',').find((part) => !/[^=!]=/.test(part));
    if (bad !== undefined) return `invalid selector: '${field}'; can't understand '${bad}'`;
    const label = given(selector, 'label');
    const parts = label === '' ? [] : label.split(/,(?![^(]*\))/);
    if (parts.some((part) => !REQUIREMENT.test(part))) return `unable to parse requirement: ${label}`;
  }
  return undefined;
}
