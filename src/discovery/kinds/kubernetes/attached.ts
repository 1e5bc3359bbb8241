// What a section may ask to have said of targets besides: labels of the node and the namespace they are in.

import type { Lookup } from './cluster.js';
import { metadataLabels, NAMESPACE, objectLabels, type Pairs } from './labels.js';

/** What else to say of targets. */
export interface Attached {
  readonly node: boolean;
  readonly namespace: boolean;
  readonly deployment: boolean;
  readonly job: boolean;
  readonly cronjob: boolean;
}

export function nodeLabels(attached: Attached, name: string, lookup: Lookup): Pairs {
  const node = attached.node && name !== '' ? lookup('node', name) : undefined;
  return node === undefined ? [] : objectLabels('node', node);
}

export function namespaceLabels(attached: Attached, name: string, lookup: Lookup): Pairs {
  const namespace = attached.namespace ? lookup('namespace', name) : undefined;
  return namespace === undefined ? [] : [[NAMESPACE, name], ...metadataLabels('namespace', namespace)];
}
