// Labels that all kinds of Kubernetes objects have, and those of the objects that targets of others get too.

import { labelPart } from '../../group.js';
import type { Tree } from '../../tree.js';

export type Pairs = [name: string, value: string][];

export const PREFIX = '__meta_kubernetes_';
export const NAMESPACE = `${PREFIX}namespace`;

/** `…_label_<name>` and `…_labelpresent_<name>`, and the same of annotations. */
export function metadataLabels(role: string, object: Tree): Pairs {
  return ['label', 'annotation'].flatMap((kind) =>
    object.at('metadata', `${kind}s`).entries.flatMap(([name, value]): Pairs => {
      const part = labelPart(name);
      return [
        [`${PREFIX}${role}_${kind}_${part}`, value.text],
        [`${PREFIX}${role}_${kind}present_${part}`, 'true'],
      ];
    }),
  );
}

/** Its name, labels and annotations, and its namespace where it has one. */
export function objectLabels(role: string, object: Tree): Pairs {
  return [
    [NAMESPACE, object.at('metadata', 'namespace').text],
    [`${PREFIX}${role}_name`, object.at('metadata', 'name').text],
    ...metadataLabels(role, object),
  ];
}

/** The owner that controls an object. */
export function controllerOf(object: Tree): Tree | undefined {
  return object.at('metadata', 'ownerReferences').items.find((owner) => owner.at('controller').isTrue);
}

export function podLabels(pod: Tree): Pairs {
  const ready = pod.at('status', 'conditions').items.find((condition) => condition.at('type').text === 'Ready');
  const controller = controllerOf(pod);
  return [
    ...objectLabels('pod', pod),
    [`${PREFIX}pod_ip`, pod.at('status', 'podIP').text],
    [`${PREFIX}pod_ready`, ready?.at('status').text.toLowerCase() ?? 'unknown'],
    [`${PREFIX}pod_phase`, pod.at('status', 'phase').text],
    [`${PREFIX}pod_node_name`, pod.at('spec', 'nodeName').text],
    [`${PREFIX}pod_host_ip`, pod.at('status', 'hostIP').text],
    [`${PREFIX}pod_uid`, pod.at('metadata', 'uid').text],
    [`${PREFIX}pod_controller_kind`, controller?.at('kind').text ?? ''],
    [`${PREFIX}pod_controller_name`, controller?.at('name').text ?? ''],
  ];
}

export interface Container {
  readonly spec: Tree;
  readonly isInit: boolean;
}

/** All containers of a pod, those that only prepare it last. */
export function containersOf(pod: Tree): Container[] {
  return [
    ...pod.at('spec', 'containers').items.map((spec) => ({ spec, isInit: false })),
    ...pod.at('spec', 'initContainers').items.map((spec) => ({ spec, isInit: true })),
  ];
}

/** What targets at a container's port say of it. */
export function containerLabels(container: Tree, port?: Tree): Pairs {
  const labels: Pairs = [
    [`${PREFIX}pod_container_name`, container.at('name').text],
    [`${PREFIX}pod_container_image`, container.at('image').text],
  ];
  if (port === undefined) return labels;
  return [
    ...labels,
    [`${PREFIX}pod_container_port_name`, port.at('name').text],
    [`${PREFIX}pod_container_port_number`, port.at('containerPort').text],
    // The API server fills it in; tests and others may not.
    [`${PREFIX}pod_container_port_protocol`, port.at('protocol').text],
  ];
}
