// oci_sd: instances of Oracle's cloud, in some compartments of a tenancy or in all.
//
//   identity.<region>.oci.<realm>   GET /20160918/compartments       children of a compartment  ┐
//   iaas.<region>.<realm>           GET /20160918/instances          of a compartment           │ in pages: opc-next-page
//                                   GET /20160918/vnicAttachments    of an instance             ┘
//                                   GET /20160918/vnics/<id>         until the primary one is found
//
// All are one group. Compartments whose children may not be listed, and instances whose network may not be looked at,
// are left out. The first address of the primary interface counts: private, public, IPv6.

import type { SectionOf } from '../../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../../model/labels.js';
import { hostPort, joined, labelPart, type Pairs } from '../../group.js';
import { type Asker, jsonOf, refusal } from '../../http.js';
import { refreshing } from '../../refresh.js';
import type { Session } from '../../session.js';
import type { Tree } from '../../tree.js';
import { type OciCredentials, ociCredentials, realmOf } from './credentials.js';
import { signedGet } from './sign.js';

const VERSION = '20160918';
const PAGE = '100';
const PREFIX = '__meta_oci_';

export function discoverOci(section: SectionOf<'oci'>, session: Session): Promise<void> {
  const api = new OciApi(section, session);
  const { compartments, port, refreshIntervalMs } = section;
  return refreshing(session, refreshIntervalMs, async () => {
    const tenancy = await api.tenancy();
    const targets: Labels[] = [];
    for (const compartment of compartments.length > 0 ? compartments : await compartmentsBelow(api, tenancy, session)) {
      for (const instance of await api.all('iaas', 'instances', { compartmentId: compartment })) {
        const network = await networkOf(api, instance, session);
        targets.push(...targetsOf(instance, network, { tenancy, port }));
      }
    }
    return [{ source: 'OCI', labels: [], targets }];
  });
}

/** A tenancy's root and all active compartments below it, as far as we may look. */
async function compartmentsBelow(api: OciApi, root: string, session: Session): Promise<readonly string[]> {
  const found = new Set([root]);
  // A set shows what is added while it is walked.
  for (const compartment of found) {
    const question = { compartmentId: compartment, accessLevel: 'ACCESSIBLE', compartmentIdInSubtree: 'false' };
    try {
      for (const child of await api.all('identity', 'compartments', question)) {
        if (child.at('lifecycleState').text === 'ACTIVE' && child.at('id').text !== '') found.add(child.at('id').text);
      }
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      session.log.warn('Unable to list the children of a compartment', { compartment, err: error });
    }
  }
  return [...found];
}

/** The primary interface of an instance; undefined where there is none to be seen. */
async function networkOf(api: OciApi, instance: Tree, session: Session): Promise<Tree | undefined> {
  const [compartmentId, instanceId] = [instance.at('compartmentId').text, instance.at('id').text];
  if (compartmentId === '' || instanceId === '') return undefined;
  try {
    for (const attachment of await api.all('iaas', 'vnicAttachments', { compartmentId, instanceId })) {
      const id = attachment.at('vnicId').text;
      if (id === '' || attachment.at('lifecycleState').text !== 'ATTACHED') continue;
      const vnic = await api.get('iaas', `vnics/${encodeURIComponent(id)}`);
      if (vnic.at('isPrimary').isTrue) return vnic;
    }
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    session.log.warn('Unable to look at the network of an instance', { instance: instanceId, err: error });
  }
  return undefined;
}

function targetsOf(
  instance: Tree,
  vnic: Tree | undefined,
  { tenancy, port }: { tenancy: string; port: number },
): Labels[] {
  if (vnic === undefined) return [];
  const v6 = vnic.at('ipv6Addresses').texts.sort();
  const address = vnic.at('privateIp').text || vnic.at('publicIp').text || v6[0];
  if (address === undefined) return [];
  const labels: Pairs = [
    ['__address__', hostPort(address, port)],
    [`${PREFIX}instance_id`, instance.at('id').text],
    [`${PREFIX}instance_name`, instance.at('displayName').text],
    [`${PREFIX}instance_state`, instance.at('lifecycleState').text],
    [`${PREFIX}instance_shape`, instance.at('shape').text],
    [`${PREFIX}availability_domain`, instance.at('availabilityDomain').text],
    [`${PREFIX}fault_domain`, instance.at('faultDomain').text],
    [`${PREFIX}region`, instance.at('region').text],
    [`${PREFIX}tenancy_id`, tenancy],
    [`${PREFIX}compartment_id`, instance.at('compartmentId').text],
    [`${PREFIX}image_id`, instance.at('imageId').text],
    [`${PREFIX}vnic_id`, vnic.at('id').text],
    [`${PREFIX}private_ip`, vnic.at('privateIp').text],
    [`${PREFIX}public_ip`, vnic.at('publicIp').text],
    [`${PREFIX}hostname_label`, vnic.at('hostnameLabel').text],
    [`${PREFIX}ipv6_addresses`, joined(v6)],
    ...tagLabels('tag', instance.at('freeformTags')),
    ...instance
      .at('definedTags')
      .entries.flatMap(([namespace, tags]) => tagLabels(`defined_tag_${labelPart(namespace)}`, tags)),
  ];
  return [labelsOf(labels)];
}

function tagLabels(kind: string, tags: Tree): Pairs {
  return tags.entries.map(([key, value]) => [`${PREFIX}${kind}_${labelPart(key)}`, value.text]);
}

/** The API said no, to one question: others may go on. */
class RefusedError extends Error {}

class OciApi {
  readonly #section: SectionOf<'oci'>;
  readonly #session: Session;
  readonly #credentials: OciCredentials;
  readonly #asker: Asker;

  constructor(section: SectionOf<'oci'>, session: Session) {
    this.#section = section;
    this.#session = session;
    this.#credentials = ociCredentials(section, session);
    this.#asker = session.asker(section, section.refreshIntervalMs);
  }

  async tenancy(): Promise<string> {
    return (await this.#credentials.get()).tenancy;
  }

  async get(service: 'identity' | 'iaas', path: string): Promise<Tree> {
    return (await this.#page(service, path)).tree;
  }

  /** All of a list that comes in pages. */
  async all(
    service: 'identity' | 'iaas',
    collection: string,
    question: Readonly<Record<string, string>>,
  ): Promise<Tree[]> {
    const items: Tree[] = [];
    let page: string | undefined;
    do {
      const query = new URLSearchParams({ ...question, limit: PAGE, ...(page === undefined ? {} : { page }) });
      const { tree, next } = await this.#page(service, `${collection}?${query}`);
      items.push(...tree.items);
      page = next;
    } while (page !== undefined);
    return items;
  }

  async #page(service: 'identity' | 'iaas', path: string): Promise<{ tree: Tree; next: string | undefined }> {
    const { region } = this.#section;
    const host =
      service === 'identity' ? `identity.${region}.oci.${realmOf(region)}` : `iaas.${region}.${realmOf(region)}`;
    const url = `https://${host}/${VERSION}/${path}`;
    const { key } = await this.#credentials.get();
    const answer = await this.#asker.ask({ url, headers: signedGet(url, key, this.#session.clock.nowMs()) });
    if (answer.status !== 200) {
      const fault = refusal(answer).message;
      throw answer.status === 403 || answer.status === 404 ? new RefusedError(fault) : new Error(fault);
    }
    return { tree: jsonOf(answer), next: answer.headers.get('opc-next-page') || undefined };
  }
}
