// Where targets come from. Static ones are complete here. The other sections are
// read for what every kind has, credentials and the keys it cannot do without, and
// kept as data for the discovery that will use them.

import { type Labels, labelsOf, pairsOf } from '../model/labels.js';
import { isUtf8 } from '../model/names.js';
import { quote } from '../model/quote.js';
import { type Codec, list, mapOf, string } from './codec.js';
import { anything, type Data, dataOf, hideSecrets } from './data.js';
import { sectionFault } from './discovery-faults.js';
import { isMap } from './document.js';
import { ConfigError } from './error.js';
import { finishHttpClient, httpClientFields } from './http-client.js';
import { type Field, type Fields, field, struct } from './struct.js';

/** A group of targets that share labels. */
export interface StaticConfig {
  /** Each has at least `__address__`. */
  readonly targets: readonly string[];
  readonly labels: Labels;
}

const TARGET_GROUP = 'struct { Targets []string "yaml:\\"targets\\""; Labels model.LabelSet "yaml:\\"labels\\"" }';

const targetGroup = struct(TARGET_GROUP, {
  targets: field('targets', list(string), []),
  labels: field('labels', mapOf(string), new Map()),
});

const staticConfig: Codec<StaticConfig> = {
  type: targetGroup.type,
  decode(node, file) {
    const group = targetGroup.decode(node, file);
    return group && { targets: group.targets, labels: checkedLabels(group.labels) };
  },
  encode: ({ targets, labels }) => targetGroup.encode({ targets, labels: new Map(pairsOf(labels)) }),
};

export const staticConfigs: Codec<readonly StaticConfig[]> = list(staticConfig, {
  nullItem: 'empty or null section in static_configs',
});

/** Labels of a user, as a label set; throws ConfigError for what no label may be. */
export function checkedLabels(labels: ReadonlyMap<string, string>): Labels {
  for (const [name, value] of labels) {
    if (name === '' || !isUtf8(name)) throw new ConfigError(`${quote(name)} is not a valid label name`);
    if (!isUtf8(value)) throw new ConfigError(`${quote(value)} is not a valid label value`);
  }
  return labelsOf(labels);
}

/** Without rules that could repair it, an address in a group must be a host: users like to put URLs there. */
export function checkStaticTargets(groups: readonly StaticConfig[]): void {
  for (const target of groups.flatMap((group) => group.targets)) {
    if (target.includes('/')) throw new ConfigError(`${quote(target)} is not a valid hostname`);
  }
}

/** What a section of another kind says, as plain data: text, numbers, booleans, arrays, Maps. */
export interface DiscoveryConfig {
  readonly kind: DiscoveryKind;
  readonly settings: ReadonlyMap<string, Data>;
}

export const DISCOVERY_KINDS = [
  'aws',
  'azure',
  'consul',
  'digitalocean',
  'dns',
  'docker',
  'dockerswarm',
  'ec2',
  'ecs',
  'elasticache',
  'eureka',
  'file',
  'gce',
  'hetzner',
  'http',
  'ionos',
  'kubernetes',
  'kuma',
  'lightsail',
  'linode',
  'marathon',
  'msk',
  'nerve',
  'nomad',
  'oci',
  'openstack',
  'outscale',
  'ovhcloud',
  'puppetdb',
  'rds',
  'scaleway',
  'serverset',
  'stackit',
  'triton',
  'uyuni',
  'vultr',
] as const;

export type DiscoveryKind = (typeof DISCOVERY_KINDS)[number];

type DiscoveryFields = { readonly [K in DiscoveryKind as `${K}SdConfigs`]: Field<readonly DiscoveryConfig[]> };

/** `kubernetes_sd_configs` and the like, for the sections that may have them. */
export const discoveryFields = Object.fromEntries(
  DISCOVERY_KINDS.map((kind) => [
    `${kind}SdConfigs`,
    field(`${kind}_sd_configs`, list(section(kind), { nullItem: `empty or null section in ${kind}_sd_configs` }), []),
  ]),
) as unknown as DiscoveryFields satisfies Fields;

type WithDiscovery = { readonly [K in DiscoveryKind as `${K}SdConfigs`]: readonly DiscoveryConfig[] };

/** All sections of a job but the static ones. */
export function discoveriesOf(config: WithDiscovery): DiscoveryConfig[] {
  return DISCOVERY_KINDS.flatMap((kind) => config[`${kind}SdConfigs`]);
}

/** Keys of HTTP clients, wherever they stand among others. */
const client = struct('http client', httpClientFields(), finishHttpClient, { ignoreUnknown: true });

/** These talk through libraries of their own, whose credentials have other names. */
const OWN_CLIENT: ReadonlySet<DiscoveryKind> = new Set(['dns', 'file', 'gce', 'nerve', 'oci', 'serverset', 'triton']);

/** Its keys, so that a wrong one is found. */
const kubernetes = struct(
  'kubernetes.plain',
  {
    apiServer: field('api_server', string, ''),
    role: field('role', string, ''),
    kubeconfigFile: field('kubeconfig_file', string, ''),
    namespaces: field('namespaces', only('kubernetes.plain', ['names', 'own_namespace']), null),
    selectors: field('selectors', list(only('kubernetes.plain', ['role', 'label', 'field'])), []),
    attachMetadata: field('attach_metadata', only('kubernetes.plain', ['node', 'namespace']), null),
    ...httpClientFields(),
  },
  finishHttpClient,
);

/** Data with these keys only. */
function only(type: string, keys: readonly string[]): Codec<Data> {
  return struct(
    type,
    Object.fromEntries(keys.map((key) => [key, field(key, anything, null)])),
  ) as unknown as Codec<Data>;
}

function section(kind: DiscoveryKind): Codec<DiscoveryConfig> {
  return {
    type: `${kind}.plain`,
    decode(node, file) {
      if (!isMap(node)) {
        file.mismatch(node, `${kind}.plain`);
        return undefined;
      }
      const settings = dataOf(node, file) as ReadonlyMap<string, Data>;
      if (kind === 'kubernetes') kubernetes.decode(node, file);
      else if (!OWN_CLIENT.has(kind)) client.decode(node, file);
      const fault = sectionFault({ kind, settings });
      if (fault !== undefined) throw new ConfigError(fault);
      return { kind, settings };
    },
    encode: ({ settings }) => hideSecrets(settings),
  };
}
