// puppetdb_sd: resources that a PQL query finds.
//
//   POST <url>/pdb/query/v4      {"query": …}
//
// All are one group.

import type { SectionOf } from '../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, labelPart } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const PREFIX = '__meta_puppetdb_';
const SEPARATOR = ',';

type Section = SectionOf<'puppetdb'>;

export function discoverPuppetDb(section: Section, session: Session): Promise<void> {
  const asker = session.asker(section, section.refreshIntervalMs);
  const url = `${section.url.replace(/\/+$/, '')}/pdb/query/v4`;
  const body = Buffer.from(JSON.stringify({ query: section.query }));
  return refreshing(session, section.refreshIntervalMs, async () => {
    const resources = await asker.json({ url, method: 'POST', body, headers: [['Content-Type', 'application/json']] });
    const targets = resources.items.map((resource) => targetOf(resource, section));
    return [{ source: `${section.url}${section.query}`, labels: [], targets }];
  });
}

function targetOf(resource: Tree, { port, query, includeParameters }: Section): Labels {
  const tags = resource.at('tags').texts;
  return labelsOf([
    ['__address__', hostPort(resource.at('certname').text, port)],
    [`${PREFIX}query`, query],
    ...['certname', 'resource', 'type', 'title', 'file', 'environment'].map((key): [string, string] => [
      `${PREFIX}${key}`,
      resource.at(key).text,
    ]),
    [`${PREFIX}exported`, String(resource.at('exported').isTrue)],
    [`${PREFIX}tags`, tags.length === 0 ? '' : `${SEPARATOR}${tags.join(SEPARATOR)}${SEPARATOR}`],
    ...(includeParameters ? parameters(`${PREFIX}parameter_`, resource.at('parameters')) : []),
  ]);
}

/** Lists have separators around them, maps become labels of their own. */
function parameters(prefix: string, map: Tree): [string, string][] {
  return map.entries.flatMap(([key, value]): [string, string][] => {
    const name = `${prefix}${labelPart(key)}`;
    if (value.items.length > 0) return [[name, `${SEPARATOR}${value.texts.join(SEPARATOR)}${SEPARATOR}`]];
    return value.entries.length > 0 ? parameters(`${name}_`, value) : [[name, value.text]];
  });
}
