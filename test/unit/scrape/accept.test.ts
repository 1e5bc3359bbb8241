import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptHeader, formatOf, parseMediaType } from '../../../src/scrape/accept.js';

const headers: [protocols: string[], want: string][] = [
  [
    ['OpenMetricsText1.0.0', 'OpenMetricsText0.0.1', 'PrometheusText1.0.0', 'PrometheusText0.0.4'],
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,' +
      'application/openmetrics-text;version=0.0.1;q=0.5,' +
      'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  ],
  [
    ['PrometheusText0.0.4', 'PrometheusProto'],
    'text/plain;version=0.0.4;q=0.6,' +
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,*/*;q=0.4',
  ],
];

for (const [protocols, want] of headers) {
  test(`Accept for ${protocols.join(', ')}`, () => assert.equal(acceptHeader(protocols), want));
}

test('the escaping scheme is asked for in the version that knows it', () => {
  assert.equal(
    acceptHeader(['PrometheusText1.0.0', 'PrometheusText0.0.4'], 'underscores'),
    'text/plain;version=1.0.0;escaping=underscores;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4',
  );
});

const BLANK =
  'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target';
const unreadable = (type: string, reason: string) =>
  `cannot parse Content-Type "${type}" and no fallback_scrape_protocol for target\n${reason}`;
const unsupported = (type: string) =>
  `received unsupported Content-Type "${type}" and no fallback_scrape_protocol specified for target`;

const types: [contentType: string | undefined, fallback: string | undefined, want: string][] = [
  ['text/plain; version=0.0.4', undefined, 'text'],
  ['text/plain; version=0.0.4; charset=utf-8', undefined, 'text'],
  ['text/plain; version=0.0.4; charset=utf-8; escaping=underscores', undefined, 'text'],
  ['text/plain; version=1.0.0; escaping=allow-utf-8', undefined, 'text'],
  ['text/plain', undefined, 'text'],
  ['Text/Plain ; Charset = "utf-8"', undefined, 'text'],
  ['text/plain;', undefined, 'text'],
  ['text/plain; version=0.0.4junk', undefined, 'text'],
  [undefined, undefined, BLANK],
  ['', undefined, BLANK],
  ['', '', BLANK],
  ['', 'PrometheusText0.0.4', 'text'],
  [undefined, 'PrometheusText1.0.0', 'text'],
  [undefined, 'OpenMetricsText1.0.0', 'openmetrics'],
  ['text/html; charset=utf-8', undefined, unsupported('text/html; charset=utf-8')],
  ['text/html; charset=utf-8', 'PrometheusText0.0.4', 'text'],
  ['application/json', undefined, unsupported('application/json')],
  ['application/octet-stream', 'PrometheusProto', 'protobuf'],
  ['text/plain; version', undefined, unreadable('text/plain; version', 'mime: invalid media parameter')],
  [
    'text/plain; version=0.0.4; version=1',
    undefined,
    unreadable('text/plain; version=0.0.4; version=1', 'mime: duplicate parameter name'),
  ],
  [
    'text/plain version=0.0.4',
    undefined,
    unreadable('text/plain version=0.0.4', 'mime: unexpected content after media subtype'),
  ],
  ['text/', undefined, unreadable('text/', 'mime: expected token after slash')],
  ['text plain', undefined, unreadable('text plain', 'mime: expected slash after first token')],
  ['/', undefined, unreadable('/', 'mime: no media type')],
  [';', undefined, unreadable(';', 'mime: no media type')],
  ['text/plain; version', 'PrometheusText0.0.4', 'text'],
  ['application/openmetrics-text; version=1.0.0', undefined, 'openmetrics'],
  ['application/openmetrics-text; version=1.0.0', 'PrometheusText0.0.4', 'openmetrics'],
  [
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
    undefined,
    'protobuf',
  ],
];

for (const [contentType, fallback, want] of types) {
  test(`Content-Type ${contentType ?? 'missing'}, fallback ${fallback ?? 'none'}`, () => {
    const { format, error } = formatOf(contentType, fallback);
    assert.equal(format ?? error, want);
  });
}

test('a quoted parameter may hold anything, escapes included', () => {
  assert.deepEqual(parseMediaType('text/plain; a="b;c\\"d"; e=f'), { mediaType: 'text/plain' });
});
