// linode_sd: instances of an account.
//
//   GET /v4/linode/instances            ┐
//   GET /v4/networking/ips              │ in pages: page, pages; X-Filter says which region
//   GET /v4/networking/ipv6/ranges      ┘
//
// All are one group.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, joined } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const API = 'https://api.linode.com/v4';
const PAGE = 500;
const PREFIX = '__meta_linode_';
const MEBIBYTE = 1024 * 1024;

export function discoverLinode(section: SectionOf<'linode'>, session: Session): Promise<void> {
  const { region, port, tagSeparator, refreshIntervalMs } = section;
  const asker = session.asker(section, refreshIntervalMs);
  const headers = region === '' ? [] : ([['X-Filter', JSON.stringify({ region })]] as const);
  const all = async (path: string): Promise<Tree[]> => {
    const items: Tree[] = [];
    for (let page = 1, pages = 1; page <= pages; page++) {
      const answer = await asker.json({ url: `${API}/${path}?page=${page}&page_size=${PAGE}`, headers });
      items.push(...answer.at('data').items);
      pages = answer.at('pages').number;
    }
    return items;
  };
  return refreshing(session, refreshIntervalMs, async () => {
    try {
      const instances = await all('linode/instances');
      const addresses = await all('networking/ips');
      const ranges = await all('networking/ipv6/ranges');
      const withAddress = instances.filter((instance) => instance.at('ipv4').items.length > 0);
      const targets = withAddress.map((instance) => targetOf(instance, { addresses, ranges, tagSeparator, port }));
      return [{ source: 'Linode', labels: [], targets }];
    } catch (error) {
      session.metrics.linodeFailures.value++;
      throw error;
    }
  });
}

interface Account {
  readonly addresses: readonly Tree[];
  readonly ranges: readonly Tree[];
  readonly tagSeparator: string;
  readonly port: number;
}

function targetOf(instance: Tree, { addresses, ranges, tagSeparator, port }: Account): Labels {
  const known = new Map(addresses.map((address) => [address.at('address').text, address]));
  const v4 = instance.at('ipv4').texts.filter((ip) => known.has(ip));
  const publicV4 = v4.find((ip) => known.get(ip)!.at('public').isTrue) ?? '';
  const privateV4 = v4.find((ip) => !known.get(ip)!.at('public').isTrue) ?? '';
  const publicV6 = instance.at('ipv6').text.replace(/\/\d+$/, '');
  const rdns = (ip: string) => {
    const name = known.get(ip)?.at('rdns').text ?? '';
    return name === 'null' ? '' : name;
  };
  const own = ranges.filter((range) => publicV6 !== '' && range.at('route_target').text === publicV6);
  const size = (key: string) => String(instance.at('specs', key).number * MEBIBYTE);
  return labelsOf([
    ['__address__', hostPort(publicV4, port)],
    [`${PREFIX}instance_id`, instance.at('id').text],
    [`${PREFIX}instance_label`, instance.at('label').text],
    [`${PREFIX}image`, instance.at('image').text],
    [`${PREFIX}private_ipv4`, privateV4],
    [`${PREFIX}public_ipv4`, publicV4],
    [`${PREFIX}public_ipv6`, publicV6],
    [`${PREFIX}private_ipv4_rdns`, rdns(privateV4)],
    [`${PREFIX}public_ipv4_rdns`, rdns(publicV4)],
    [`${PREFIX}public_ipv6_rdns`, rdns(publicV6)],
    [`${PREFIX}region`, instance.at('region').text],
    [`${PREFIX}type`, instance.at('type').text],
    [`${PREFIX}status`, instance.at('status').text],
    [`${PREFIX}group`, instance.at('group').text],
    [`${PREFIX}gpus`, String(instance.at('specs', 'gpus').number)],
    [`${PREFIX}hypervisor`, instance.at('hypervisor').text],
    [`${PREFIX}backups`, instance.at('backups', 'enabled').isTrue ? 'enabled' : 'disabled'],
    [`${PREFIX}specs_disk_bytes`, size('disk')],
    [`${PREFIX}specs_memory_bytes`, size('memory')],
    [`${PREFIX}specs_transfer_bytes`, size('transfer')],
    [`${PREFIX}specs_vcpus`, String(instance.at('specs', 'vcpus').number)],
    [`${PREFIX}tags`, joined(instance.at('tags').texts, tagSeparator)],
    [
      `${PREFIX}extra_ips`,
      joined(
        v4.filter((ip) => ip !== publicV4 && ip !== privateV4),
        tagSeparator,
      ),
    ],
    [
      `${PREFIX}ipv6_ranges`,
      joined(
        own.map((range) => `${range.at('range').text}/${range.at('prefix').text}`),
        tagSeparator,
      ),
    ],
  ]);
}
