// Values of attributes as text of labels: as the OpenTelemetry Collector writes them, in Go's ways.

import { compareStrings } from '../../model/labels.js';
import type { AnyValue } from './model.js';

export function attributeText(value: AnyValue): string {
  switch (typeof value) {
    case 'undefined':
      return '';
    case 'string':
      return value;
    case 'number':
      return Number.isFinite(value) ? floatText(value) : `json: unsupported value: ${specialText(value)}`;
    case 'object':
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
      return jsonText(value) ?? '';
    default:
      return String(value);
  }
}

/** undefined where it has a float that JSON has no form for. */
function jsonText(value: AnyValue): string | undefined {
  if (value === undefined) return 'null';
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return Number.isFinite(value) ? floatText(value) : undefined;
  if (typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return quoted(Buffer.from(value).toString('base64'));
  const parts: (string | undefined)[] = Array.isArray(value)
    ? value.map(jsonText)
    : [...(value as ReadonlyMap<string, AnyValue>)]
        .sort(([a], [b]) => compareStrings(a, b))
        .map(([key, one]) => {
          const text = jsonText(one);
          return text === undefined ? undefined : `${quoted(key)}:${text}`;
        });
  if (parts.includes(undefined)) return undefined;
  return Array.isArray(value) ? `[${parts.join()}]` : `{${parts.join()}}`;
}

/** An exponent below 1e-6 and from 1e21 on; of its digits no zero leads. */
function floatText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) return value.toExponential();
  if (Object.is(value, -0)) return '-0';
  return String(value);
}

function specialText(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Go escapes what HTML could mistake for a tag, and two separators of lines. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
