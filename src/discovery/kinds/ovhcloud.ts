// ovhcloud_sd: virtual private or dedicated servers.
//
//   GET /vps, /vps/<name>, /vps/<name>/ips
//   GET /dedicated/server, /dedicated/server/<name>, /dedicated/server/<name>/ips
//
// Requests are signed with the server's time (GET /auth/time). All are one group.

import { createHash } from 'node:crypto';
import type { SectionOf } from '../../config/discovery-keys.js';
import { labelsOf } from '../../model/labels.js';
import type { Pairs } from '../group.js';
import type { Asker } from '../http.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const ENDPOINTS: ReadonlyMap<string, string> = new Map([
  ['ovh-eu', 'https://eu.api.ovh.com/1.0'],
  ['ovh-ca', 'https://ca.api.ovh.com/1.0'],
  ['ovh-us', 'https://api.us.ovhcloud.com/1.0'],
  ['kimsufi-eu', 'https://eu.api.kimsufi.com/1.0'],
  ['kimsufi-ca', 'https://ca.api.kimsufi.com/1.0'],
  ['soyoustart-eu', 'https://eu.api.soyoustart.com/1.0'],
  ['soyoustart-ca', 'https://ca.api.soyoustart.com/1.0'],
]);

/** Labels of each service, and the fields they are from. */
const VPS_FIELDS: readonly (readonly [label: string, ...path: string[]])[] = [
  ['cluster', 'cluster'],
  ['display_name', 'displayName'],
  ['keymap', 'keymap'],
  ['maximum_additional_ip', 'model', 'maximumAdditionnalIp'],
  ['disk', 'model', 'disk'],
  ['memory', 'model', 'memory'],
  ['model_name', 'model', 'name'],
  ['model_vcore', 'model', 'vcore'],
  ['offer', 'model', 'offer'],
  ['version', 'model', 'version'],
  ['memory_limit', 'memoryLimit'],
  ['name', 'name'],
  ['netboot_mode', 'netbootMode'],
  ['offer_type', 'offerType'],
  ['state', 'state'],
  ['vcore', 'vcore'],
  ['zone', 'zone'],
];
const DEDICATED_FIELDS: typeof VPS_FIELDS = [
  ['commercial_range', 'commercialRange'],
  ['datacenter', 'datacenter'],
  ['link_speed', 'linkSpeed'],
  ['name', 'name'],
  ['no_intervention', 'noIntervention'],
  ['os', 'os'],
  ['rack', 'rack'],
  ['reverse', 'reverse'],
  ['server_id', 'serverId'],
  ['state', 'state'],
  ['support_level', 'supportLevel'],
];

type Section = SectionOf<'ovhcloud'>;

export function discoverOvh(section: Section, session: Session): Promise<void> {
  const api = new OvhApi(section, session);
  const isVps = section.service === 'vps';
  const path = isVps ? '/vps' : '/dedicated/server';
  const prefix = `__meta_ovhcloud_${section.service}_`;
  return refreshing(session, section.refreshIntervalMs, async () => {
    const targets = [];
    for (const name of (await api.get(path)).texts) {
      const server = await api.get(`${path}/${encodeURIComponent(name)}`);
      const ips = (await api.get(`${path}/${encodeURIComponent(name)}/ips`)).texts.map((ip) =>
        ip.replace(/\/\d+$/, ''),
      );
      const v4 = ips.find((ip) => !ip.includes(':')) ?? '';
      const v6 = ips.find((ip) => ip.includes(':')) ?? '';
      const labels: Pairs = [
        ['__address__', v4 || v6],
        ['instance', server.at('name').text],
        [`${prefix}ipv4`, v4],
        [`${prefix}ipv6`, v6],
        ...(isVps ? VPS_FIELDS : DEDICATED_FIELDS).map(([label, ...keys]): [string, string] => [
          `${prefix}${label}`,
          server.at(...keys).text,
        ]),
      ];
      if (isVps) labels.push([`${prefix}datacenter`, listText(server.at('model', 'datacenter'))]);
      if (isVps) labels.push([`${prefix}monitoring_ip_blocks`, listText(server.at('monitoringIpBlocks'))]);
      targets.push(labelsOf(labels));
    }
    return [{ source: `ovhcloud_${section.service}`, labels: [], targets }];
  });
}

/** As Go prints a list. */
function listText(list: Tree): string {
  return `[${list.texts.join(' ')}]`;
}

class OvhApi {
  readonly #section: Section;
  readonly #session: Session;
  readonly #asker: Asker;
  readonly #base: string;
  /** How much later it is there than here. */
  #aheadSeconds: number | undefined;

  constructor(section: Section, session: Session) {
    this.#section = section;
    this.#session = session;
    this.#asker = session.asker(section, section.refreshIntervalMs);
    this.#base = ENDPOINTS.get(section.endpoint) ?? section.endpoint.replace(/\/+$/, '');
  }

  async get(path: string): Promise<Tree> {
    const url = `${this.#base}${path}`;
    const time = String(await this.#time());
    const application = this.#section.applicationSecret?.reveal() ?? '';
    const consumer = this.#section.consumerKey?.reveal() ?? '';
    const text = [application, consumer, 'GET', url, '', time].join('+');
    return this.#asker.json({
      url,
      headers: [
        ['X-Ovh-Application', this.#section.applicationKey],
        ['X-Ovh-Consumer', consumer],
        ['X-Ovh-Timestamp', time],
        ['X-Ovh-Signature', `$1$${createHash('sha1').update(text).digest('hex')}`],
      ],
    });
  }

  async #time(): Promise<number> {
    const now = () => Math.floor(this.#session.clock.nowMs() / 1000);
    if (this.#aheadSeconds === undefined) {
      this.#aheadSeconds = (await this.#asker.json(`${this.#base}/auth/time`)).number - now();
    }
    return now() + this.#aheadSeconds;
  }
}
