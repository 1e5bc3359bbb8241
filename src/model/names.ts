// What may be called how: names of labels and metrics.
//
// Since Prometheus 3 a name is any UTF-8 text that is not empty. The legacy scheme,
// which a job may ask for, is the old one: letters, digits and `_` (and `:` in
// metric names), no digit first.

export type NameScheme = 'utf8' | 'legacy';

const LEGACY_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const LEGACY_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
/** A surrogate without its half has no UTF-8 form. */
const LONE_SURROGATE = /\p{Cs}/u;

export function isLabelName(name: string, scheme: NameScheme): boolean {
  return scheme === 'legacy' ? LEGACY_LABEL.test(name) : name !== '' && isUtf8(name);
}

export function isMetricName(name: string, scheme: NameScheme): boolean {
  return scheme === 'legacy' ? LEGACY_METRIC.test(name) : name !== '' && isUtf8(name);
}

/** Whether text can be written as UTF-8 and read back the same. */
export function isUtf8(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
