// What we ask a target for, and what its Content-Type says we got: the rules of Prometheus 3.
//
// A type that is missing, unreadable or unknown fails the scrape unless the job names a fallback: nothing is guessed.

import type { EscapingScheme, ScrapeProtocol } from '../config/scrape.js';
import { quote } from '../model/quote.js';
import type { ScrapeFormat } from './appender.js';

const TYPES = new Map<string, (escaping: EscapingScheme) => string>([
  [
    'PrometheusProto',
    () => 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  ],
  ['OpenMetricsText1.0.0', (escaping) => `application/openmetrics-text;version=1.0.0;escaping=${escaping}`],
  // The old versions know no escaping.
  ['OpenMetricsText0.0.1', () => 'application/openmetrics-text;version=0.0.1'],
  ['PrometheusText1.0.0', (escaping) => `text/plain;version=1.0.0;escaping=${escaping}`],
  ['PrometheusText0.0.4', () => 'text/plain;version=0.0.4'],
]);

const MEDIA_TYPES: ReadonlyMap<ScrapeProtocol, string> = new Map([
  ['PrometheusProto', 'application/vnd.google.protobuf'],
  ['OpenMetricsText0.0.1', 'application/openmetrics-text'],
  ['OpenMetricsText1.0.0', 'application/openmetrics-text'],
  ['PrometheusText0.0.4', 'text/plain'],
  ['PrometheusText1.0.0', 'text/plain'],
]);

/** Weights go down from the number of protocols Prometheus knows, plus one. */
const FIRST_WEIGHT = MEDIA_TYPES.size + 1;

/** The Accept header, most wanted first. Each target of a job asks for it: that of the last one is remembered. */
export function acceptHeader(protocols: readonly string[], escaping: EscapingScheme = 'allow-utf-8'): string {
  if (last?.protocols !== protocols || last.escaping !== escaping) {
    last = { protocols, escaping, header: headerOf(protocols, escaping) };
  }
  return last.header;
}

let last:
  | { readonly protocols: readonly string[]; readonly escaping: EscapingScheme; readonly header: string }
  | undefined;

function headerOf(protocols: readonly string[], escaping: EscapingScheme): string {
  const types = [...protocols.flatMap((protocol) => TYPES.get(protocol)?.(escaping) ?? []), '*/*'];
  return types.map((type, index) => `${type};q=0.${FIRST_WEIGHT - index}`).join(',');
}

export type FormatOutcome =
  | { readonly format: ScrapeFormat; readonly error?: undefined }
  | { readonly format?: undefined; readonly error: string };

/** The format of an answer, or why it is refused. */
export function formatOf(contentType = '', fallback = ''): FormatOutcome {
  if (contentType === '') {
    return fallbackTo(
      fallback,
      'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target',
    );
  }
  const type = parseMediaType(contentType);
  if (type.error !== undefined) {
    return fallbackTo(
      fallback,
      `cannot parse Content-Type ${quote(contentType)} and no fallback_scrape_protocol for target\n${type.error}`,
    );
  }
  if (FORMATS.has(type.mediaType)) return FORMATS.get(type.mediaType)!;
  return fallbackTo(
    fallback,
    `received unsupported Content-Type ${quote(contentType)} and no fallback_scrape_protocol specified for target`,
  );
}

const FORMATS = new Map<string, FormatOutcome>([
  ['text/plain', { format: 'text' }],
  ['application/openmetrics-text', { format: 'openmetrics' }],
  ['application/vnd.google.protobuf', { format: 'protobuf' }],
]);

function fallbackTo(fallback: string, error: string): FormatOutcome {
  const mediaType = MEDIA_TYPES.get(fallback as ScrapeProtocol);
  return mediaType === undefined ? { error } : FORMATS.get(mediaType)!;
}

type MediaType =
  | { readonly mediaType: string; readonly error?: undefined }
  | { readonly mediaType?: undefined; readonly error: string };

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]*/;
const PARAMETER =
  /^;[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[\t ]*=[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[^"\\]|\\.)*")[\t ]*/;

/** A media type with its parameters, as Go's mime package reads it (RFC 2045, RFC 2616): parameters have to be in order. */
export function parseMediaType(text: string): MediaType {
  const semicolon = text.indexOf(';');
  const mediaType = (semicolon < 0 ? text : text.slice(0, semicolon)).trim().toLowerCase();
  const error = faultOfType(mediaType) ?? (semicolon < 0 ? undefined : faultOfParameters(text.slice(semicolon)));
  return error === undefined ? { mediaType } : { error };
}

function faultOfType(mediaType: string): string | undefined {
  const type = TOKEN.exec(mediaType)![0];
  if (type === '') return 'mime: no media type';
  if (type === mediaType) return undefined;
  if (mediaType[type.length] !== '/') return 'mime: expected slash after first token';
  const subtype = TOKEN.exec(mediaType.slice(type.length + 1))![0];
  if (subtype === '') return 'mime: expected token after slash';
  if (type.length + 1 + subtype.length < mediaType.length) return 'mime: unexpected content after media subtype';
  return undefined;
}

function faultOfParameters(rest: string): string | undefined {
  const names = new Set<string>();
  while (rest !== '') {
    const parameter = PARAMETER.exec(rest);
    // A semicolon at the end is common and harmless.
    if (parameter === null) return /^;[\t ]*$/.test(rest) ? undefined : 'mime: invalid media parameter';
    const name = parameter[1]!.toLowerCase();
    if (names.has(name)) return 'mime: duplicate parameter name';
    names.add(name);
    rest = rest.slice(parameter[0].length);
  }
  return undefined;
}
