// nerve_sd: members as Airbnb's Nerve writes them.
//
//   {"host", "port", "name"}

import type { SectionOf } from '../../../config/discovery-keys.js';
import { type Labels, labelsOf } from '../../../model/labels.js';
import { hostPort } from '../../group.js';
import type { Session } from '../../session.js';
import type { Tree } from '../../tree.js';
import { watchMembers } from './members.js';

export function discoverNerve(section: SectionOf<'nerve'>, session: Session): Promise<void> {
  return watchMembers(section, session, memberLabels);
}

function memberLabels(member: Tree, path: string): Labels {
  const host = member.at('host').text;
  const port = member.at('port').text;
  return labelsOf([
    ['__address__', hostPort(host, port)],
    ['__meta_nerve_path', path],
    ['__meta_nerve_endpoint_host', host],
    ['__meta_nerve_endpoint_port', port],
    ['__meta_nerve_endpoint_name', member.at('name').text],
  ]);
}
