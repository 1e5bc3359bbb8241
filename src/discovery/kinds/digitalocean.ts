// digitalocean_sd: droplets or managed databases of an account.
//
//   GET /v2/droplets, /v2/databases      in pages: links.pages.next
//
// All are one group.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, joined, labelPart } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const API = 'https://api.digitalocean.com/v2';
const PAGE = 200;
const PREFIX = '__meta_digitalocean_';

export function discoverDigitalOcean(section: SectionOf<'digitalocean'>, session: Session): Promise<void> {
  const { role, port, refreshIntervalMs } = section;
  const asker = session.asker(section, refreshIntervalMs);
  const all = async (collection: string): Promise<Tree[]> => {
    const items: Tree[] = [];
    for (let page = 1; ; page++) {
      const answer = await asker.json(`${API}/${collection}?page=${page}&per_page=${PAGE}`);
      items.push(...answer.at(collection).items);
      if (answer.at('links', 'pages', 'next').text === '') return items;
    }
  };
  return refreshing(session, refreshIntervalMs, async () => {
    if (role === 'databases') {
      const targets = (await all('databases')).map((database) => databaseTarget(database, port));
      return [{ source: 'DigitalOcean Databases', labels: [], targets }];
    }
    const droplets = (await all('droplets')).filter((droplet) => droplet.at('networks', 'v4').items.length > 0);
    return [{ source: 'DigitalOcean', labels: [], targets: droplets.map((droplet) => dropletTarget(droplet, port)) }];
  });
}

function dropletTarget(droplet: Tree, port: number): Labels {
  const address = (version: string, type: string) =>
    droplet
      .at('networks', version)
      .items.find((network) => network.at('type').text === type)
      ?.at('ip_address').text ?? '';
  const publicIp = address('v4', 'public');
  return labelsOf([
    ['__address__', hostPort(publicIp, port)],
    [`${PREFIX}droplet_id`, droplet.at('id').text],
    [`${PREFIX}droplet_name`, droplet.at('name').text],
    [`${PREFIX}image`, droplet.at('image', 'slug').text],
    [`${PREFIX}image_name`, droplet.at('image', 'name').text],
    [`${PREFIX}private_ipv4`, address('v4', 'private')],
    [`${PREFIX}public_ipv4`, publicIp],
    [`${PREFIX}public_ipv6`, address('v6', 'public')],
    [`${PREFIX}region`, droplet.at('region', 'slug').text],
    [`${PREFIX}size`, droplet.at('size_slug').text],
    [`${PREFIX}status`, droplet.at('status').text],
    [`${PREFIX}vpc`, droplet.at('vpc_uuid').text],
    [`${PREFIX}features`, joined(droplet.at('features').texts)],
    [`${PREFIX}tags`, joined(droplet.at('tags').texts)],
  ]);
}

function databaseTarget(database: Tree, port: number): Labels {
  const host = database.at('connection', 'host').text;
  return labelsOf([
    ['__address__', hostPort(host, port)],
    ...['id', 'name', 'engine', 'version', 'status', 'region', 'size', 'num_nodes'].map((key): [string, string] => [
      `${PREFIX}db_${key}`,
      database.at(key).text,
    ]),
    [`${PREFIX}db_host`, host],
    [`${PREFIX}db_private_host`, database.at('private_connection', 'host').text],
    ...database.at('tags').texts.map((tag): [string, string] => [`${PREFIX}db_tag_${labelPart(tag)}`, 'true']),
  ]);
}
