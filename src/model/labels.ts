// Label sets: the identity of a series.
//
// A label set is a flat array of strings, name then value, sorted by name in
// UTF-8 byte order, no name twice, no value empty:
//
//   ['__name__', 'up', 'instance', 'a:9090', 'job', 'node']
//
// Flat, because it is what the wire, the WASM core and the JSON writer want, and
// because a million of them should not be a million little objects each.

import { quote } from './quote.js';

export type Labels = readonly string[];

export const METRIC_NAME = '__name__';

export const NO_LABELS: Labels = [];

/** Byte order of the UTF-8 forms, which is the order of code points: UTF-16 order differs for surrogates. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // A surrogate stands for a code point above the whole BMP.
    const xHigh = x >= 0xd800 && x <= 0xdfff;
    const yHigh = y >= 0xd800 && y <= 0xdfff;
    if (xHigh !== yHigh) return xHigh ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

/** Sorts pairs into a label set; a later pair of the same name wins, empty values are dropped. */
export function labelsOf(pairs: Iterable<readonly [string, string]>): Labels {
  const labels: string[] = [];
  const map = pairs instanceof Map ? (pairs as ReadonlyMap<string, string>) : new Map(pairs);
  for (const [name, value] of map) if (value !== '') labels.push(name, value);
  return labels.length <= FEW ? sortInPlace(labels) : sortMany(labels);
}

/** Names and values together. Sets mostly are this small, and nearly in order. */
const FEW = 64;

/** By insertion. */
function sortInPlace(labels: string[]): Labels {
  for (let i = 2; i < labels.length; i += 2) {
    const name = labels[i]!;
    if (compareStrings(labels[i - 2]!, name) < 0) continue;
    const value = labels[i + 1]!;
    let to = i;
    for (; to > 0 && compareStrings(labels[to - 2]!, name) > 0; to -= 2) {
      labels[to] = labels[to - 2]!;
      labels[to + 1] = labels[to - 1]!;
    }
    labels[to] = name;
    labels[to + 1] = value;
  }
  return labels;
}

function sortMany(labels: readonly string[]): Labels {
  const places = Array.from({ length: labels.length / 2 }, (_, i) => 2 * i);
  return places.sort((a, b) => compareStrings(labels[a]!, labels[b]!)).flatMap((at) => [labels[at]!, labels[at + 1]!]);
}

/** The value of a label; the empty string where it is not there, which PromQL treats alike. */
export function valueOf(labels: Labels, name: string): string {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1]!;
  return '';
}

export function* pairsOf(labels: Labels): Generator<[string, string]> {
  for (let i = 0; i < labels.length; i += 2) yield [labels[i]!, labels[i + 1]!];
}

/** The labels that `keep` accepts, in order. */
export function filterLabels(labels: Labels, keep: (name: string) => boolean): Labels {
  const kept: string[] = [];
  for (let i = 0; i < labels.length; i += 2) if (keep(labels[i]!)) kept.push(labels[i]!, labels[i + 1]!);
  return kept;
}

/** A label set with the labels of another beside its own; of a name that both have, the other's value. */
export function mergeLabels(labels: Labels, other: Labels): Labels {
  const merged: string[] = [];
  let at = 0;
  for (let i = 0; i < other.length; i += 2) {
    const name = other[i]!;
    while (at < labels.length && compareStrings(labels[at]!, name) < 0) merged.push(labels[at++]!, labels[at++]!);
    if (labels[at] === name) at += 2;
    merged.push(name, other[i + 1]!);
  }
  while (at < labels.length) merged.push(labels[at++]!);
  return merged;
}

/** A label set in which one label has another value; without the label, where that is empty. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  return value === '' ? filterLabels(labels, (other) => other !== name) : mergeLabels(labels, [name, value]);
}

export function withoutName(labels: Labels): Labels {
  return labels.includes(METRIC_NAME) ? filterLabels(labels, (name) => name !== METRIC_NAME) : labels;
}

/** What kind of metric a series is, where the feature type-and-unit-labels put it there. */
export const TYPE_LABEL = '__type__';

/** Labels that describe a metric rather than tell series apart: what changes a metric's meaning drops them. */
export const METADATA_LABELS: ReadonlySet<string> = new Set([METRIC_NAME, TYPE_LABEL, '__unit__']);

export function withoutMetadata(labels: Labels): Labels {
  return filterLabels(labels, (name) => !METADATA_LABELS.has(name));
}

/** As Prometheus orders label sets: pair by pair, name before value; a prefix comes first. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareStrings(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** A string that is the same for equal label sets only: a key for maps. 0xff never occurs in UTF-8 text. */
export function keyOf(labels: Labels): string {
  return labels.join('\u{10ffff}\xff');
}

/** `up{job="node"}`: a series as queries write it. A metric name of other characters stands among the labels. */
export function formatLabels(labels: Labels): string {
  const name = valueOf(labels, METRIC_NAME);
  if (!PLAIN_METRIC_NAME.test(name)) return formatLabelSet(labels);
  const rest = withoutName(labels);
  return rest.length === 0 ? name : `${name}${formatLabelSet(rest)}`;
}

/** `{__name__="up", job="node"}`: a label set as messages show it. */
export function formatLabelSet(labels: Labels): string {
  const pairs = [...pairsOf(labels)].map(([name, value]) => {
    return `${PLAIN_LABEL_NAME.test(name) ? name : quote(name)}=${quote(value)}`;
  });
  return `{${pairs.join(', ')}}`;
}

/** Names of the old character sets, which need no quotes. */
const PLAIN_METRIC_NAME = /^[A-Za-z_:][A-Za-z0-9_:]*$/;
const PLAIN_LABEL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
