// Lists of target groups as others write them, in files and in answers over HTTP:
//
//   [ { "targets": ["a:9100", "b:9100"], "labels": { "env": "prod" } }, … ]

import { checkedLabels, targetGroup } from '../config/discovery.js';
import { isNull, isSeq, type Node, type YAMLSeq, YamlFile } from '../config/document.js';
import { ConfigError } from '../config/error.js';
import { type Labels, labelsOf } from '../model/labels.js';
import { quote } from '../model/quote.js';
import type { TargetGroup } from './group.js';

/** A file's list: JSON or YAML, by its name. Throws an Error in Prometheus's words. */
export function parseTargetFile(path: string, bytes: Uint8Array): TargetGroup[] {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  return path.toLowerCase().endsWith('.json') ? parseJsonList(text) : parseYamlList(text);
}

interface Written {
  readonly targets: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
}

/** Throws an Error in Prometheus's words. */
export function parseJsonList(text: string): TargetGroup[] {
  const list: unknown = JSON.parse(text);
  if (list === null) return [];
  if (!Array.isArray(list)) throw wrongType(list, '[]*targetgroup.Group');
  return checked(list.map((item) => (item === null ? undefined : jsonGroup(item))));
}

/** Throws a ConfigError in Prometheus's words. */
export function parseYamlList(text: string): TargetGroup[] {
  const file = new YamlFile(text);
  if (isNull(file.root)) return [];
  const root = file.resolve(file.root!);
  if (!isSeq(root)) {
    file.mismatch(root, '[]*targetgroup.Group');
    file.throwFaults();
  }
  const groups = (root as YAMLSeq<Node | null>).items.map((item) => {
    const node = item === null ? null : file.resolve(item);
    return isNull(node) ? undefined : (targetGroup.decode(node!, file) ?? EMPTY);
  });
  file.throwFaults();
  return checked(groups);
}

const EMPTY: Written = { targets: [], labels: new Map() };

/** What one address is as a target. */
export function targetAt(address: string): Labels {
  return labelsOf([['__address__', address]]);
}

function checked(groups: readonly (Written | undefined)[]): TargetGroup[] {
  return groups.map((group, index) => {
    if (group === undefined) throw new ConfigError(`nil target group item found (index ${index})`);
    return { targets: group.targets.map(targetAt), labels: checkedLabels(group.labels) };
  });
}

function jsonGroup(item: unknown): Written {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) throw wrongType(item, 'targetgroup.Group');
  const unknownKey = Object.keys(item).find((key) => !/^(?:targets|labels)$/i.test(key));
  if (unknownKey !== undefined) throw new ConfigError(`json: unknown field ${quote(unknownKey)}`);
  const byKey = new Map(Object.entries(item).map(([key, value]) => [key.toLowerCase(), value as unknown]));
  return { targets: jsonTargets(byKey.get('targets') ?? []), labels: jsonLabels(byKey.get('labels') ?? {}) };
}

function jsonTargets(given: unknown): string[] {
  if (!Array.isArray(given)) throw wrongType(given, '[]string');
  return given.map(jsonText);
}

function jsonLabels(given: unknown): Map<string, string> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw wrongType(given, 'model.LabelSet');
  return new Map(Object.entries(given).map(([name, value]) => [name, jsonText(value)]));
}

function jsonText(given: unknown): string {
  if (typeof given !== 'string') throw wrongType(given, 'string');
  return given;
}

function wrongType(given: unknown, type: string): ConfigError {
  const kind =
    given === null ? 'null' : Array.isArray(given) ? 'array' : typeof given === 'boolean' ? 'bool' : typeof given;
  return new ConfigError(`json: cannot unmarshal ${kind} into Go value of type ${type}`);
}
