// Where targets come from. Static ones are complete here. The other sections are typed
// by discovery-keys.ts, and kept as data besides: so they are printed and compared.

import { type Labels, labelsOf, pairsOf } from '../model/labels.js';
import { isUtf8 } from '../model/names.js';
import { quote } from '../model/quote.js';
import { type Codec, list, mapOf, string } from './codec.js';
import { type Data, dataOf, hideSecrets } from './data.js';
import { sectionFault } from './discovery-faults.js';
import { SECTIONS, type SectionOf } from './discovery-keys.js';
import { isMap } from './document.js';
import { ConfigError } from './error.js';
import { type Field, type Fields, field, struct } from './struct.js';

/** A group of targets that share labels. */
export interface StaticConfig {
  /** Each has at least `__address__`. */
  readonly targets: readonly string[];
  readonly labels: Labels;
}

const TARGET_GROUP = 'struct { Targets []string "yaml:\\"targets\\""; Labels model.LabelSet "yaml:\\"labels\\"" }';

/** As it stands in a configuration and in files of discovery. */
export const targetGroup = struct(TARGET_GROUP, {
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

/** A section of another kind. */
export interface DiscoveryConfig<K extends DiscoveryKind = DiscoveryKind> {
  readonly kind: K;
  /** What it says, as plain data: text, numbers, booleans, arrays, Maps. */
  readonly settings: ReadonlyMap<string, Data>;
  /** The same with types and defaults. */
  readonly section: SectionOf<K>;
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

type DiscoveryFields = { readonly [K in DiscoveryKind as `${K}SdConfigs`]: Field<readonly DiscoveryConfig<K>[]> };

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

function section(kind: DiscoveryKind): Codec<DiscoveryConfig> {
  return {
    type: `${kind}.plain`,
    decode(node, file) {
      if (!isMap(node)) {
        file.mismatch(node, `${kind}.plain`);
        return undefined;
      }
      const settings = dataOf(node, file) as ReadonlyMap<string, Data>;
      const section = SECTIONS[kind].decode(node, file);
      const fault = sectionFault(kind, settings);
      if (fault !== undefined) throw new ConfigError(fault);
      return section && ({ kind, settings, section } as DiscoveryConfig);
    },
    encode: ({ settings }) => hideSecrets(settings),
  };
}
