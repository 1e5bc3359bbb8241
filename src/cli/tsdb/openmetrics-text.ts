// A series as OpenMetrics writes it: `up{job="node"}`, and names of other characters in quotes: `{"disk.used","l.x"="y"}`.

import { type Labels, METRIC_NAME, pairsOf, valueOf } from '../../model/labels.js';
import { isLabelName, isMetricName } from '../../model/names.js';

const ESCAPED = /[\\"\n]/g;

export function formatSeries(labels: Labels): string {
  const name = valueOf(labels, METRIC_NAME);
  const isPlain = isMetricName(name, 'legacy');
  const pairs = [...pairsOf(labels)].filter(([label]) => label !== METRIC_NAME).map(formatPair);
  if (!isPlain) return `{${[quoted(name), ...pairs].join(',')}}`;
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

function formatPair([label, value]: readonly [string, string]): string {
  return `${isLabelName(label, 'legacy') ? label : quoted(label)}=${quoted(value)}`;
}

function quoted(text: string): string {
  return `"${text.replace(ESCAPED, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`;
}
