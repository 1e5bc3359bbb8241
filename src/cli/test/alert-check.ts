// Alerts that a test expects beside those that fire, and how a difference is told.

import { formatDuration } from '../../model/duration.js';
import { compareLabels, formatLabelSet, type Labels, labelsOf } from '../../model/labels.js';
import { diffJson, type Json } from './json-diff.js';
import type { AlertTest } from './test-file.js';

export interface ToldAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface AlertCheck {
  readonly test: AlertTest;
  /** Of the tests; empty where they have no name. */
  readonly name: string;
  readonly got: readonly ToldAlert[];
  /** Whether a difference is told place by place, in colours. */
  readonly isDiff: boolean;
}

/** What is wrong; undefined where nothing is. */
export function checkAlerts({ test, name, got, isDiff }: AlertCheck): string | undefined {
  const wanted = test.alerts.map(({ labels, annotations }) => ({
    labels: pairsOf(new Map([...labels, ['alertname', test.alertName]])),
    annotations: pairsOf(annotations),
  }));
  const [want, have] = [sorted(wanted), sorted(got)];
  if (JSON.stringify(want) === JSON.stringify(have)) return undefined;
  const group = name === '' ? '' : `    name: ${name},\n`;
  const place = `${group}    alertname: ${test.alertName}, time: ${formatDuration(test.evalTimeMs)}, \n`;
  if (!isDiff) return `${place}        exp:${indent(textOf(want))}, \n        got:${indent(textOf(have))}`;
  return `${place}        diff: ${indent(diffJson(jsonOf(want), jsonOf(have)))}`;
}

/** Sorted by name; empty values stay. */
function pairsOf(map: ReadonlyMap<string, string>): Labels {
  return [...labelsOf([...map].map(([name]) => [name, '-']))].map((text, i, all) =>
    i % 2 === 0 ? text : map.get(all[i - 1]!)!,
  );
}

function sorted(alerts: readonly ToldAlert[]): readonly ToldAlert[] {
  const told = alerts.map(({ labels, annotations }) => ({ labels, annotations }));
  return told.sort((a, b) => compareLabels(a.labels, b.labels) || compareLabels(a.annotations, b.annotations));
}

function textOf(alerts: readonly ToldAlert[]): string {
  if (alerts.length === 0) return '[]';
  const texts = alerts.map(({ labels, annotations }, i) => {
    return `${i}:\n  Labels:${formatLabelSet(labels)}\n  Annotations:${formatLabelSet(annotations)}`;
  });
  return `[\n${texts.join(',\n')}\n]`;
}

/** Lines after the first move to the right. */
function indent(text: string): string {
  return text.replaceAll('\n', `\n${' '.repeat(12)}`);
}

/** Where there are none, one without anything, so that the others stand beside something. */
function jsonOf(alerts: readonly ToldAlert[]): Json {
  const all = alerts.length === 0 ? [{ labels: [], annotations: [] }] : alerts;
  return all.map(({ labels, annotations }) => {
    return new Map([
      ['Labels', objectOf(labels)],
      ['Annotations', objectOf(annotations)],
    ]);
  });
}

function objectOf(labels: Labels): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (let i = 0; i < labels.length; i += 2) map.set(labels[i]!, labels[i + 1]!);
  return map;
}
