// A series as OpenMetrics writes it: `up{job="node"}`.

import { type Labels, METRIC_NAME, pairsOf, valueOf } from '../../model/labels.js';

const ESCAPED = /[\\"\n]/g;

export function formatSeries(labels: Labels): string {
  const pairs = [...pairsOf(labels)].filter(([name]) => name !== METRIC_NAME);
  const name = valueOf(labels, METRIC_NAME);
  if (pairs.length === 0) return name;
  return `${name}{${pairs.map(([label, value]) => `${label}="${escape(value)}"`).join(',')}}`;
}

function escape(value: string): string {
  return value.replace(ESCAPED, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
