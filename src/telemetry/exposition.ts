// The metrics page: text format 0.0.4.
//
//   # HELP process_open_fds Number of open file descriptors.
//   # TYPE process_open_fds gauge
//   process_open_fds 13
//
// Families by name, metrics by label values, as client libraries order them.

import { formatFloat } from './format.js';
import type { MetricFamily, Point, Registry } from './metrics.js';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

/** The page of all given registries together. */
export function renderMetrics(...registries: readonly Registry[]): Uint8Array {
  const families = registries.flatMap((registry) => registry.families());
  families.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return new TextEncoder().encode(families.map(renderFamily).join(''));
}

/** A family without points does not appear at all. */
function renderFamily(family: MetricFamily): string {
  let text = '';
  for (const point of family.points()) text += renderPoint(family.name, point);
  if (text === '') return '';
  const help = family.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `# HELP ${family.name} ${help}\n# TYPE ${family.name} ${family.type}\n${text}`;
}

function renderPoint(name: string, { suffix, labels, value }: Point): string {
  let text = '';
  for (let i = 0; i < labels.length; i += 2) {
    text += `${text === '' ? '{' : ','}${labels[i]}="${escapeValue(labels[i + 1]!)}"`;
  }
  return `${name}${suffix}${text === '' ? '' : `${text}}`} ${formatFloat(value)}\n`;
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
