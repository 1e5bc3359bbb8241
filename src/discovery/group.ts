// What discovery yields: groups of targets that were found together.

import { compareLabels, type Labels } from '../model/labels.js';

/** Targets and labels that all of them have. */
export interface TargetGroup {
  /** Each has at least `__address__`. */
  readonly targets: readonly Labels[];
  readonly labels: Labels;
}

/** A group with the name of what it is from: a file and a position, a service, a pod. A later one takes its place. */
export interface SourcedGroup extends TargetGroup {
  readonly source: string;
}

/** Whether two groups are the same targets in the same order. Mechanisms mostly find again what they found before. */
export function isSameGroup(a: TargetGroup, b: TargetGroup): boolean {
  if (a.targets.length !== b.targets.length || compareLabels(a.labels, b.labels) !== 0) return false;
  return a.targets.every((target, index) => compareLabels(target, b.targets[index]!) === 0);
}

/** A name that may be anything, as the part of a label's name that it becomes. */
export function labelPart(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/gu, '_');
}

/** `host:port`, with brackets around IPv6 addresses. */
export function hostPort(host: string, port: number | string): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A list as one label: with separators on both sides, so that a pattern finds an item wherever it stands; empty for none. */
export function joined(items: readonly string[], separator = ','): string {
  return items.length === 0 ? '' : `${separator}${items.join(separator)}${separator}`;
}

/** Labels of ours: names and values. */
export type Pairs = [name: string, value: string][];
