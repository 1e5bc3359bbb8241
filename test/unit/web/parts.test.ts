// The small pure parts: guard, parameters, names, routes, negotiation, times.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { timestampJson, valueJson } from '../../../src/model/json.js';
import { formatJsonFloat } from '../../../src/model/number.js';
import {
  externalUrlOf,
  globalUrl,
  parseExternalUrl,
  parseListenAddress,
  routePrefixOf,
} from '../../../src/web/address.js';
import { parseInteger, parseSpan, parseTime, TIME_MAX_MS, TIME_MIN_MS } from '../../../src/web/api/time.js';
import { splitTarget } from '../../../src/web/door.js';
import { type BodyLength, Guard } from '../../../src/web/guard.js';
import { chooseCoding, chooseExposition, expositionType } from '../../../src/web/negotiate.js';
import { decodePercent, Params } from '../../../src/web/params.js';
import { Router } from '../../../src/web/router.js';
import { unescapeName } from '../../../src/web/unescape.js';

type Lines = [name: string, value: string][];

/** Header lines, and the length of the body or (a part of) the reason to refuse. */
const heads: [name: string, lines: Lines, want: BodyLength | string][] = [
  ['nothing', [], 0],
  ['a length', [['Content-Length', '12']], 12],
  ['a length with zeros', [['CONTENT-LENGTH', '0012']], 12],
  ['the longest length', [['content-length', '999999999999999']], 999_999_999_999_999],
  ['chunks', [['Transfer-Encoding', 'chunked']], 'chunked'],
  ['chunks in capitals', [['Transfer-Encoding', 'CHUNKED']], 'chunked'],
  ['one digit too many', [['content-length', '1000000000000000']], 'plain number'],
  [
    'two lengths',
    [
      ['content-length', '1'],
      ['Content-Length', '1'],
    ],
    'more than one Content-Length',
  ],
  [
    'a length and chunks',
    [
      ['content-length', '1'],
      ['transfer-encoding', 'chunked'],
    ],
    'both',
  ],
  [
    'two codings',
    [
      ['transfer-encoding', 'chunked'],
      ['transfer-encoding', 'chunked'],
    ],
    'more than one Transfer',
  ],
  [
    'two hosts',
    [
      ['host', 'a'],
      ['Host', 'a'],
    ],
    'more than one Host',
  ],
  ['an empty name', [['', 'a']], 'header name'],
  ['a blank in a name', [['a b', 'a']], 'header name'],
  ['a name above ASCII', [['\u0130', 'a']], 'header name'],
  ['a line break in a value', [['a', 'b\nc']], 'header value'],
  ['a tab in a value', [['a', 'b\tc']], 0],
  ['40 lines', Array.from({ length: 40 }, (_, i) => [`x${i}`, '']), 0],
  ['41 lines', Array.from({ length: 41 }, (_, i) => [`x${i}`, '']), 'more than 40'],
];

for (const [name, lines, want] of heads) {
  test(`guard: ${name} → ${want}`, () => {
    const guard = new Guard();
    for (const [header, value] of lines) guard.header(header, value);
    const verdict = guard.verdict();
    if (typeof want === 'number' || want === 'chunked') assert.deepEqual(verdict, { length: want });
    else assert.ok('refused' in verdict && verdict.refused.includes(want), JSON.stringify(verdict));
  });
}

test('guard: lines of one name are joined', () => {
  const guard = new Guard();
  guard.header('Accept', 'a');
  guard.header('accept', 'b');
  assert.equal(guard.headers.get('accept'), 'a, b');
});

const targets: [target: string, path: string, query: string][] = [
  ['/', '/', ''],
  ['/a?b', '/a', 'b'],
  ['/a?b?c', '/a', 'b?c'],
  ['/a?', '/a', ''],
  ['http://h/a?b', '/a', 'b'],
  ['http://h', '/', ''],
  ['http://h?a=/b', '/', 'a=/b'],
  ['/a?u=http://h/b', '/a', 'u=http://h/b'],
  ['*', '*', ''],
];

for (const [target, path, query] of targets) {
  test(`a target is split: ${target}`, () => assert.deepEqual(splitTarget(target), { path, query }));
}

const escapes: [text: string, want: string | { bad: string }][] = [
  ['abc', 'abc'],
  ['%41', 'A'],
  ['%c3%A9', 'é'],
  ['é%41', 'éA'],
  ['%ff', '\ufffd'],
  ['%', { bad: '%' }],
  ['%4', { bad: '%4' }],
  ['a%zzb', { bad: '%zz' }],
  ['%00', '\0'],
];

for (const [text, want] of escapes) {
  test(`percent: ${text}`, () => assert.deepEqual(decodePercent(text), want));
}

test('percent: decoding undoes encoding', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => decodePercent(encodeURIComponent(text)) === text));
});

test('parameters: pairs, order, and what is left out', () => {
  const params = new Params();
  params.add('a=1&b=x+y%20z&a=2&&c&__proto__=p&bad=%zz&d=1;e=2');
  assert.deepEqual([params.all('a'), params.get('b'), params.get('c')], [['1', '2'], 'x y z', '']);
  assert.deepEqual([params.get('__proto__'), params.get('constructor'), params.all('d')], ['p', '', []]);
  assert.equal(params.error, 'invalid URL escape "%zz"');
});

const names: [escaped: string, want: string][] = [
  ['http_status', 'http_status'],
  ['U__http_2e_status', 'http.status'],
  ['U__a__b', 'a_b'],
  ['U___1F600_', '\u{1f600}'],
  ['U__a_zz_', 'U__a_zz_'],
  ['U__a_2e', 'U__a_2e'],
  ['U___D800_', 'U___D800_'],
  ['U___110000_', 'U___110000_'],
  ['U___0000001_', 'U___0000001_'],
  ['U__', ''],
];

for (const [escaped, want] of names) {
  test(`unescape: ${escaped} → ${want}`, () => assert.equal(unescapeName(escaped), want));
}

test('router: literals, parameters, methods', () => {
  const router = new Router([
    { pattern: '/', methods: ['GET'], handler: 'root' },
    { pattern: '/label/:name/values', methods: ['GET'], handler: 'values' },
    { pattern: '/label/special/values', methods: ['GET'], handler: 'special' },
    { pattern: '/a', methods: ['POST'], handler: 'post' },
    { pattern: '/a', methods: ['GET'], handler: 'get' },
    { pattern: '/files/*path', methods: ['GET'], handler: 'files' },
  ]);
  const find = (method: string, path: string) => {
    const routed = router.find(method, path);
    if (routed.kind !== 'found') return routed.kind === 'none' ? 'none' : routed.allow;
    return [routed.route.handler, ...routed.parameters.values()].join(' ');
  };
  assert.equal(find('GET', '/'), 'root');
  assert.equal(find('GET', '/label/a%2Fb/values'), 'values a/b');
  assert.equal(find('GET', '/label/special/values'), 'special');
  assert.equal(find('GET', '/label/__proto__/values'), 'values __proto__');
  assert.equal(find('GET', '/label/%zz/values'), 'none');
  assert.equal(find('GET', '/label//values'), 'none');
  assert.equal(find('GET', '/label/a'), 'none');
  assert.equal(find('GET', '/constructor'), 'none');
  assert.equal(find('GET', '/a/'), 'none');
  assert.equal(find('GET', '/a'), 'get');
  assert.equal(find('GET', '/files/a/b%20c'), 'files a/b c');
  assert.equal(find('GET', '/files/'), 'files ');
  assert.equal(find('GET', '/files'), 'none');
  assert.equal(find('GET', '/files/%zz'), 'none');
  assert.equal(find('POST', '/a'), 'post');
  assert.equal(find('PUT', '/a'), 'GET, OPTIONS, POST');
});

const codings: [accepted: string, want: string][] = [
  ['', 'identity'],
  ['gzip', 'gzip'],
  ['deflate, gzip', 'deflate'],
  ['br;q=1.0, GZIP;q=0.5', 'gzip'],
  ['gzip;q=0, deflate', 'deflate'],
  ['gzip; q=0.000', 'identity'],
  ['*', 'identity'],
  ['gzipped', 'identity'],
];

for (const [accepted, want] of codings) {
  test(`coding: "${accepted}" → ${want}`, () => assert.equal(chooseCoding(accepted), want));
}

const addresses: [text: string, want: { host: string; port: number } | undefined][] = [
  ['0.0.0.0:9090', { host: '0.0.0.0', port: 9090 }],
  [':9090', { host: '::', port: 9090 }],
  ['[::1]:9090', { host: '::1', port: 9090 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['9090', undefined],
  ['localhost', undefined],
  ['::1:9090', undefined],
  ['a:b', undefined],
  ['a:65536', undefined],
  ['a:', undefined],
];

for (const [text, want] of addresses) {
  test(`listen address: ${text}`, () => {
    if (want === undefined) assert.throws(() => parseListenAddress(text), /^Error: parse --web.listen-address/);
    else assert.deepEqual(parseListenAddress(text), want);
  });
}

const prefixes: [external: string, route: string | undefined, want: string][] = [
  ['http://h:9090/', undefined, '/'],
  ['http://h:9090', undefined, '/'],
  ['http://h/prom', undefined, '/prom'],
  ['http://h/prom/', undefined, '/prom'],
  ['http://h/prom/', '/', '/'],
  ['http://h/prom/', 'other/', '/other'],
];

for (const [external, route, want] of prefixes) {
  test(`route prefix: ${external} and ${route} → ${want}`, () => {
    assert.equal(routePrefixOf(parseExternalUrl(external), route), want);
  });
}

test('external URLs that are none are refused', () => {
  for (const text of ['', '"http://h"', "http://h'", 'h:9090', 'ftp://h']) assert.throws(() => parseExternalUrl(text));
});

const externals: [flag: string, listen: string, want: string][] = [
  ['', '127.0.0.1:9090', 'http://box:9090/'],
  ['', ':9091', 'http://box:9091/'],
  ['', '[::1]:9090', 'http://box:9090/'],
  ['https://mon.example/prom', ':9090', 'https://mon.example/prom/'],
];

for (const [flag, listen, want] of externals) {
  test(`the external URL of "${flag}" at ${listen} is ${want}`, () => {
    assert.equal(externalUrlOf(flag, listen, 'box').href, want);
  });
}

const globals: [url: string, want: string][] = [
  ['http://a:1/metrics', 'http://a:1/metrics'],
  ['http://localhost:9090/metrics?x=1', 'https://mon.example/metrics?x=1'],
  ['http://127.0.0.1:9100/metrics', 'http://mon.example:9100/metrics'],
  ['http://[::1]:9100/metrics', 'http://mon.example:9100/metrics'],
  ['http://localhost/metrics', 'http://localhost/metrics'],
];

for (const [url, want] of globals) {
  test(`global URL: ${url}`, () => assert.equal(globalUrl(url, new URL('https://mon.example/p'), 9090), want));
}

test('escaping: what Prometheus itself sends gets names as they are', () => {
  const accept =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,' +
    'application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,' +
    'text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
  assert.deepEqual(chooseExposition(accept), { format: 'text', escaping: 'allow-utf-8' });
});

const FAMILY = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily';
const expositions: [accept: string, want: string][] = [
  ['', 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores'],
  ['*/*', 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores'],
  [`${FAMILY}; encoding=delimited`, `${FAMILY}; encoding=delimited; escaping=underscores`],
  [`text/plain;q=0.5,${FAMILY};encoding=delimited`, `${FAMILY}; encoding=delimited; escaping=underscores`],
  [`${FAMILY};encoding=delimited;q=0.5,text/plain`, 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores'],
  [`${FAMILY};encoding=delimited;escaping=allow-utf-8`, `${FAMILY}; encoding=delimited; escaping=allow-utf-8`],
  [`${FAMILY};encoding=unknown`, 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores'],
  [
    'application/vnd.google.protobuf;encoding=delimited',
    'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
  ],
];

for (const [accept, want] of expositions) {
  test(`exposition: ${accept} → ${want}`, () => assert.equal(expositionType(chooseExposition(accept)), want));
}

const times: [text: string, wantMs: number | undefined][] = [
  ['0', 0],
  ['1.5', 1500],
  ['-1.001', -1001],
  ['1435781451.781', 1_435_781_451_781],
  ['1e3', 1_000_000],
  ['2015-07-01T20:10:51.781Z', 1_435_781_451_781],
  ['2015-07-01T20:10:51,781Z', 1_435_781_451_781],
  ['2015-07-01T22:10:51.7819999+02:00', 1_435_781_451_781],
  ['0000-01-01T00:00:00Z', -62_167_219_200_000],
  ['2016-02-29T00:00:00Z', 1_456_704_000_000],
  ['2015-02-29T00:00:00Z', undefined],
  ['2015-13-01T00:00:00Z', undefined],
  ['2015-07-01T20:10:60Z', undefined],
  ['2015-07-01 20:10:51Z', undefined],
  ['-292273086-05-16T16:47:06Z', TIME_MIN_MS],
  ['292277025-08-18T07:12:54.999999999Z', TIME_MAX_MS],
  ['', undefined],
  ['NaN', undefined],
  ['Inf', undefined],
  ['1e30', undefined],
  ['now', undefined],
];

for (const [text, wantMs] of times) {
  test(`time: ${text} → ${wantMs}`, () => {
    if (wantMs === undefined) assert.throws(() => parseTime(text), /^Error: cannot parse ".*" to a valid timestamp$/);
    else assert.equal(parseTime(text), wantMs);
  });
}

test('time: what is written is read back', () => {
  const anyTime = fc.integer({ min: -9_000_000_000_000, max: 9_000_000_000_000 });
  fc.assert(fc.property(anyTime, (timeMs) => parseTime(timestampJson(timeMs)) === timeMs));
});

test('values: the fast path writes what the slow one does', () => {
  const edges = [
    0,
    -0,
    1e-6,
    9.99999999999999e-7,
    1e21,
    999999999999999900000,
    5e-324,
    1.7976931348623157e308,
    0.1,
    1 / 3,
  ];
  for (const value of [...edges, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.equal(valueJson(value), `"${formatJsonFloat(value)}"`);
    assert.equal(valueJson(-value), `"${formatJsonFloat(-value)}"`);
  }
  fc.assert(fc.property(fc.double(), (value) => valueJson(value) === `"${formatJsonFloat(value)}"`));
});

test('spans and integers', () => {
  assert.deepEqual(['15', '0.5', '1m30s', '5m', '-1', '1e-3'].map(parseSpan), [15_000, 500, 90_000, 300_000, -1000, 1]);
  // 32.867 · 1e9 is a little less than it should be.
  assert.equal(Math.trunc(parseSpan('32.867')), 32_866);
  for (const text of ['', 'x', '-1s', '1m1h', '1e400']) assert.throws(() => parseSpan(text), /to a valid duration$/);
  for (const text of ['1e10', 'Inf']) assert.throws(() => parseSpan(text), /It overflows int64$/);
  assert.deepEqual(['0', '-5', '+7'].map(parseInteger), [0, -5, 7]);
  for (const text of ['', '1.5', '0x1', '1_0', ' 1']) assert.throws(() => parseInteger(text), /invalid syntax$/);
});
