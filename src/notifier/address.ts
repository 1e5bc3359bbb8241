// From a discovered target to the URL that alerts are posted to.

import type { TargetGroup } from '../discovery/group.js';
import { type Labels, labelsOf, pairsOf, valueOf } from '../model/labels.js';
import { quote } from '../model/quote.js';
import { relabel } from '../relabel/relabel.js';
import type { RelabelRule } from '../relabel/rule.js';

/** What of a section says where its Alertmanagers are. */
export interface AddressTemplate {
  readonly scheme: string;
  readonly pathPrefix: string;
  readonly relabelConfigs: readonly RelabelRule[];
}

export interface Addresses {
  /** Each once, in the order of discovery. */
  readonly active: readonly string[];
  /** Those that rules dropped, by what they were before. */
  readonly dropped: readonly string[];
}

const PATH_LABEL = '__alerts_path__';

/** A group with an address that is none is left out, all of it. */
export function addressesOf(
  template: AddressTemplate,
  groups: readonly TargetGroup[],
  onFault: (reason: string) => void,
): Addresses {
  const active = new Set<string>();
  const dropped: string[] = [];
  for (const group of groups) {
    const found = group.targets.map((target) => resolve(template, target, group.labels));
    const bad = found.find(({ kind, labels }) => kind === 'active' && valueOf(labels, '__address__').includes('/'));
    if (bad !== undefined) {
      onFault(`${quote(valueOf(bad.labels, '__address__'))} is not a valid hostname`);
      continue;
    }
    for (const { kind, labels } of found) {
      if (kind === 'active') active.add(urlOf(labels));
      else dropped.push(urlOf(labels));
    }
  }
  return { active: [...active], dropped };
}

interface Resolved {
  readonly kind: 'active' | 'dropped';
  readonly labels: Labels;
}

function resolve(template: AddressTemplate, target: Labels, group: Labels): Resolved {
  const labels = labelsOf([
    ...pairsOf(group),
    ...pairsOf(target),
    ['__scheme__', template.scheme],
    [PATH_LABEL, alertsPath(template.pathPrefix)],
  ]);
  const after = relabel(labels, template.relabelConfigs);
  return after === undefined ? { kind: 'dropped', labels } : { kind: 'active', labels: after };
}

/** `/api/v2/alerts` behind the prefix, with one slash at each place. */
function alertsPath(prefix: string): string {
  const parts = `${prefix}/api/v2/alerts`.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}

function urlOf(labels: Labels): string {
  const path = encodeURI(valueOf(labels, PATH_LABEL)).replaceAll('?', '%3F').replaceAll('#', '%23');
  return `${valueOf(labels, '__scheme__')}://${valueOf(labels, '__address__')}${path}`;
}
