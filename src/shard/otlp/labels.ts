// Labels of a point: its own attributes, what is promoted of its resource and its scope, and who measured.
//
//   service.namespace/service.name ─► job     service.instance.id ─► instance
//
// Attributes whose names become the same share a label, their values in the order of the names: `a;b`.

import { compareStrings, type Labels, METRIC_NAME } from '../../model/labels.js';
import { attributeText } from './attribute-text.js';
import type { AnyValue, Attributes, OtlpScope } from './model.js';
import { type LabelStyle, labelName } from './names.js';

const SERVICE_NAME = 'service.name';
const SERVICE_NAMESPACE = 'service.namespace';
const SERVICE_INSTANCE = 'service.instance.id';
const IDENTIFYING: readonly string[] = [SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE];

export interface LabelOptions extends LabelStyle {
  readonly escaped: boolean;
  /** All attributes of resources but those of the list, or those of the list alone. */
  readonly promotesAll: boolean;
  readonly promoted: readonly string[];
  readonly promotesScope: boolean;
  readonly keepsIdentifying: boolean;
}

/** What all points of a scope have beside their own attributes. */
export class PointLabels {
  readonly #options: LabelOptions;
  readonly #shared: readonly (readonly [name: string, text: string])[];
  readonly #identity: readonly (readonly [name: string, text: string])[];

  constructor(resource: Attributes, scope: OtlpScope, options: LabelOptions) {
    this.#options = options;
    const promoted = resource.filter(([key]) => options.promoted.includes(key) !== options.promotesAll);
    this.#shared = [...sorted(promoted).map((pair) => this.#label(pair)), ...this.#scopeLabels(scope)];
    this.#identity = identityOf(resource);
  }

  /** Of a series of this name. */
  of(attributes: Attributes, name: string, extra: readonly [name: string, value: string][] = []): Labels {
    const labels = merged(attributes, this.#options);
    for (const [label, text] of this.#shared) if (!labels.has(label)) labels.set(label, text);
    for (const [label, text] of this.#identity) labels.set(label, text);
    for (const [label, text] of extra) labels.set(label, text);
    labels.set(METRIC_NAME, name);
    return flat(labels);
  }

  #label([key, value]: readonly [string, AnyValue]): [string, string] {
    return [labelName(key, this.#options.escaped, this.#options), attributeText(value)];
  }

  #scopeLabels({ name, version, schemaUrl, attributes }: OtlpScope): [string, string][] {
    if (!this.#options.promotesScope) return [];
    const prefixed = attributes.map(([key, value]) => [`otel_scope_${key}`, value] as const);
    return [
      ['otel_scope_name', name],
      ['otel_scope_version', version],
      ['otel_scope_schema_url', schemaUrl],
      ...sorted(prefixed).map((pair) => this.#label(pair)),
    ];
  }
}

const TARGET_INFO = 'target_info';

/** Labels of target_info, which has what else a resource says; undefined where that is nothing, or nobody is named. */
export function targetInfo(resource: Attributes, options: LabelOptions): Labels | undefined {
  const known = new Set(resource.map(([key]) => key).filter((key) => IDENTIFYING.includes(key)));
  if (resource.length === known.size) return undefined;
  const shown = options.keepsIdentifying ? resource : resource.filter(([key]) => !IDENTIFYING.includes(key));
  const labels = merged(shown, options);
  for (const [label, text] of identityOf(resource)) labels.set(label, text);
  if (!labels.has('job') && !labels.has('instance')) return undefined;
  labels.set(METRIC_NAME, TARGET_INFO);
  return flat(labels);
}

function merged(attributes: Attributes, options: LabelOptions): Map<string, string> {
  const labels = new Map<string, string>();
  for (const [key, value] of sorted(attributes)) {
    const name = labelName(key, options.escaped, options);
    const text = attributeText(value);
    const before = labels.get(name);
    labels.set(name, before === undefined ? text : `${before};${text}`);
  }
  return labels;
}

function identityOf(resource: Attributes): [name: string, text: string][] {
  const textOf = (key: string) => {
    const found = resource.find(([one]) => one === key);
    return found && attributeText(found[1]);
  };
  const [service, namespace, instance] = [textOf(SERVICE_NAME), textOf(SERVICE_NAMESPACE), textOf(SERVICE_INSTANCE)];
  const identity: [string, string][] = [];
  if (service !== undefined) identity.push(['job', namespace === undefined ? service : `${namespace}/${service}`]);
  if (instance !== undefined) identity.push(['instance', instance]);
  return identity;
}

function sorted(attributes: Attributes): Attributes {
  return [...attributes].sort(([a], [b]) => compareStrings(a, b));
}

/** Sorted; labels without a value are none. */
function flat(labels: ReadonlyMap<string, string>): Labels {
  return [...labels]
    .filter(([, text]) => text !== '')
    .sort(([a], [b]) => compareStrings(a, b))
    .flat();
}
