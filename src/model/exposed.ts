// Names and values as the exposition formats write them.

import { isLabelName, isMetricName } from './names.js';

/** A name beyond the old character set with underscores for its other characters, one for each; as it is with `utf8`. */
export function escapedName(name: string, utf8: boolean): string {
  if (utf8 || isMetricName(name, 'legacy')) return name;
  return name.replace(/^[^a-zA-Z_:]|[^a-zA-Z0-9_:]/gu, '_');
}

/** A label's name in text: quoted, or with underscores, where it is not of the old character set. */
export function exposedLabel(name: string, utf8: boolean): string {
  if (isLabelName(name, 'legacy')) return name;
  if (utf8) return `"${escapedValue(name)}"`;
  return name.replace(/^[^a-zA-Z_]|[^a-zA-Z0-9_]/gu, '_');
}

/** Between quotes. */
export function escapedValue(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
