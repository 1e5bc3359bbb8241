// azure_sd: virtual machines of a subscription, those of scale sets among them.
//
//   GET …/Microsoft.Compute/virtualMachines                       ┐ in pages: nextLink
//   GET …/Microsoft.Compute/virtualMachineScaleSets               │
//   GET <scale set>/virtualMachines                               ┘
//   GET <network interface>?$expand=ipConfigurations/publicIPAddress
//
// All are one group.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, labelPart } from '../group.js';
import { type Asker, jsonOf, refusal } from '../http.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';
import { AzureTokens, cloudOf } from './azure-tokens.js';

const COMPUTE_VERSION = '2024-07-01';
const NETWORK_VERSION = '2024-05-01';
/** Interfaces in scale sets are known by this version of the API. */
const SCALE_SET_NETWORK_VERSION = '2018-10-01';
const PREFIX = '__meta_azure_';

type Section = SectionOf<'azure'>;

interface Machine {
  readonly tree: Tree;
  /** The scale set it is in; empty for none. */
  readonly scaleSet: string;
}

export async function discoverAzure(section: Section, session: Session): Promise<void> {
  const cloud = cloudOf(section.environment);
  const tokens = new AzureTokens(section, cloud, session);
  const api = new AzureApi(cloud.api, tokens, session.asker(section, section.refreshIntervalMs));
  await refreshing(session, section.refreshIntervalMs, async () => {
    try {
      return [{ source: 'azure', labels: [], targets: await findMachines(api, section) }];
    } catch (error) {
      session.metrics.azureFailures.value++;
      throw error;
    }
  });
}

async function findMachines(api: AzureApi, section: Section): Promise<Labels[]> {
  const group = section.resourceGroup === '' ? '' : `/resourceGroups/${encodeURIComponent(section.resourceGroup)}`;
  const base = `/subscriptions/${encodeURIComponent(section.subscriptionId)}${group}/providers/Microsoft.Compute`;
  const machines: Machine[] = (await api.all(`${base}/virtualMachines`)).map((tree) => ({ tree, scaleSet: '' }));
  for (const set of await api.all(`${base}/virtualMachineScaleSets`)) {
    const members = await api.all(`${set.at('id').text}/virtualMachines`);
    machines.push(...members.map((tree) => ({ tree, scaleSet: set.at('name').text })));
  }
  const targets: Labels[] = [];
  for (const machine of machines) {
    const addresses = await addressesOf(api, machine);
    if (addresses !== undefined) targets.push(targetOf(machine, addresses, section));
  }
  return targets;
}

interface Addresses {
  readonly privateIp: string;
  readonly publicIp: string;
}

/** Those of the primary interface, as far as it has any. */
async function addressesOf(api: AzureApi, { tree, scaleSet }: Machine): Promise<Addresses | undefined> {
  for (const reference of tree.at('properties', 'networkProfile', 'networkInterfaces').items) {
    const version = scaleSet === '' ? NETWORK_VERSION : SCALE_SET_NETWORK_VERSION;
    const found = await api.find(reference.at('id').text, version);
    // It went while we were asking, or is not the one to use.
    if (found === undefined || !found.at('properties', 'primary').isTrue) continue;
    for (const configuration of found.at('properties', 'ipConfigurations').items) {
      const properties = configuration.at('properties');
      // Later configurations are further addresses of the same interface.
      if (properties.at('primary').exists && !properties.at('primary').isTrue) continue;
      const privateIp = properties.at('privateIPAddress').text;
      if (privateIp === '') continue;
      return { privateIp, publicIp: properties.at('publicIPAddress', 'properties', 'ipAddress').text };
    }
  }
  return undefined;
}

function targetOf({ tree, scaleSet }: Machine, { privateIp, publicIp }: Addresses, section: Section): Labels {
  const id = tree.at('id').text;
  const properties = tree.at('properties');
  return labelsOf([
    ['__address__', hostPort(privateIp, section.port)],
    [`${PREFIX}subscription_id`, section.subscriptionId],
    [`${PREFIX}tenant_id`, section.tenantId],
    [`${PREFIX}machine_id`, id],
    [`${PREFIX}machine_resource_group`, /\/resourceGroups\/([^/]+)\//i.exec(id)?.[1] ?? ''],
    [`${PREFIX}machine_name`, tree.at('name').text],
    [`${PREFIX}machine_computer_name`, properties.at('osProfile', 'computerName').text],
    [`${PREFIX}machine_os_type`, properties.at('storageProfile', 'osDisk', 'osType').text],
    [`${PREFIX}machine_location`, tree.at('location').text],
    [`${PREFIX}machine_size`, properties.at('hardwareProfile', 'vmSize').text || tree.at('sku', 'name').text],
    [`${PREFIX}machine_scale_set`, scaleSet],
    [`${PREFIX}machine_private_ip`, privateIp],
    [`${PREFIX}machine_public_ip`, publicIp],
    ...tree
      .at('tags')
      .entries.map(([name, value]): [string, string] => [`${PREFIX}machine_tag_${labelPart(name)}`, value.text]),
  ]);
}

class AzureApi {
  readonly #base: string;
  readonly #tokens: AzureTokens;
  readonly #asker: Asker;

  constructor(base: string, tokens: AzureTokens, asker: Asker) {
    this.#base = base;
    this.#tokens = tokens;
    this.#asker = asker;
  }

  /** All of a collection. */
  async all(path: string): Promise<Tree[]> {
    const items: Tree[] = [];
    let url = `${this.#base}${path}?api-version=${COMPUTE_VERSION}`;
    while (url !== '') {
      const page = await this.#asker.json({ url, headers: await this.#headers() });
      items.push(...page.at('value').items);
      url = page.at('nextLink').text;
    }
    return items;
  }

  /** One thing; undefined where there is no such thing any more. */
  async find(path: string, version: string): Promise<Tree | undefined> {
    const query = new URLSearchParams({ 'api-version': version, $expand: 'ipConfigurations/publicIPAddress' });
    const answer = await this.#asker.ask({ url: `${this.#base}${path}?${query}`, headers: await this.#headers() });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw refusal(answer);
    return jsonOf(answer);
  }

  async #headers() {
    return [['Authorization', `Bearer ${await this.#tokens.token()}`]] as const;
  }
}
