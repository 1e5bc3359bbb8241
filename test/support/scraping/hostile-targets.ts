// Targets that mean harm, or are broken: what each of them says to every request, and whether its scrape may succeed.
//
// The first rows never end, the next ones end too early, then come answers that are no answers, and bodies that are
// whole and yet wrong, huge or both. All of it is made when it is first asked for: a process that only wants the names
// pays nothing.

import { gzipSync } from 'node:zlib';
import type { Script } from '../scripted-server.js';

/** `down`: never up. `up`: a whole page, however odd. `any`: as far as the limits of the server allow. */
export type Fate = 'up' | 'down' | 'any';

export interface HostileTarget {
  readonly name: string;
  readonly fate: Fate;
  /** `nth`: of the request, from 0. */
  script(nth: number): Script;
}

const MEBIBYTE = 2 ** 20;
const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n';
const OPENMETRICS = 'HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0\r\n';
const PROTOBUF =
  'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited\r\n';
const GZIP = 'Content-Encoding: gzip\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

const whole = (body: string | Uint8Array, head = OK): Script => {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return [`${head}Content-Length: ${bytes.length}\r\n\r\n`, bytes];
};
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const redirect = (location: string): Script => [
  `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`,
];

/** A value that is made once, when it is first wanted. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** 300 MB in 300 KB: as many members as it takes. */
const bomb = once(() => {
  const member = gzipSync(Buffer.alloc(10 * MEBIBYTE, 'up 1\n'), { level: 9 });
  return Buffer.concat(Array.from({ length: 30 }, () => member));
});
const zipped = once(() => gzipSync('up 1\n'));
const zippedMebibyte = once(() => gzipSync(Buffer.alloc(MEBIBYTE, 'up 1\n'), { level: 9 }).toString('latin1'));
const lineOf = (bytes: number) => `long{label="${'x'.repeat(bytes)}"} 1\n`;
const longLine = once(() => lineOf(10 * MEBIBYTE));
const manyLabels = once(() => `wide{${Array.from({ length: 10_000 }, (_, i) => `l${i}="v"`).join(',')}} 1\n`);
const manySeries = once(() => Array.from({ length: 100_000 }, (_, i) => `many{n="${i}"} ${i}\n`).join(''));
const duplicates = once(() => 'twice{which="same"} 1\n'.repeat(50_000));
const comments = once(() => `# HELP up ${'nothing '.repeat(100)}\n`.repeat(10_000));
const rubbish = once(() =>
  Buffer.from(Array.from({ length: MEBIBYTE }, (_, i) => (0xff000000 + i * 2654435761) >>> 24)),
);
const churn = (nth: number) =>
  Array.from({ length: 5000 }, (_, i) => `churn{n="${nth}-${i}",more="${'y'.repeat(100)}"} ${i}\n`).join('');
const clocks = (nth: number) =>
  ['9223372036854775807', '1', String(Date.now() + 86_400_000), String(Date.now() - 86_400_000)]
    .map((time, i) => `clock{n="${i}"} ${nth} ${time}\n`)
    .join('');

/** A message of protobuf that claims to have `length` bytes, and those that it has. */
const claims = (...bytes: number[]) => Buffer.from(bytes);
/** One histogram whose spans have two thousand million buckets: a family with one metric, as bytes. */
const hugeSpans = once(() => {
  const span = [0x62, 0x07, 0x08, 0x00, 0x10, 0xff, 0xff, 0xff, 0x07];
  const histogram = [0x08, 0x01, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0x28, 0x00, ...span, 0x68, 0x02];
  const metric = [0x3a, histogram.length, ...histogram];
  const family = [0x0a, 0x01, 0x68, 0x18, 0x04, 0x22, metric.length, ...metric];
  return Buffer.from([family.length, ...family]);
});
/** Groups within groups, which protobuf readers have to skip without counting on their stack. */
const nested = once(() => Buffer.concat([Buffer.from([0x80, 0x80, 0x04]), Buffer.alloc(65_536, 0x0b)]));

const never: HostileTarget[] = [
  target('says nothing', 'down', () => ['hang']),
  target('falls silent inside its head', 'down', () => ['HTTP/1.1 200 OK\r\nContent-Ty', 'hang']),
  target('falls silent inside its body', 'down', () => [`${OK}Content-Length: 100\r\n\r\nup`, 'hang']),
  target('endless body', 'down', () => [`${OK}\r\n`, { forever: 'up 1\n'.repeat(13_000) }]),
  target('endless chunks', 'down', () => [`${OK}${CHUNKED}\r\n`, { forever: chunk('up 1\n'.repeat(13_000)) }]),
  target('endless line', 'down', () => [`${OK}${CHUNKED}\r\n`, { forever: chunk('x'.repeat(65_536)) }]),
  target('endless head', 'down', () => [OK, { forever: `A: ${'x'.repeat(8000)}\r\n` }]),
  target('endless gzip', 'down', () => [`${OK}${GZIP}\r\n`, { forever: zippedMebibyte() }]),
  target('endless interim answers', 'down', () => [{ forever: 'HTTP/1.1 103 Early Hints\r\n\r\n' }]),
  target('endless error page', 'down', () => ['HTTP/1.1 500 Oh\r\n\r\n', { forever: 'x'.repeat(10_000) }]),
  target('drips its head', 'down', () => [{ drip: `${OK}\r\nup 1\n`, everyMs: 100 }]),
  target('drips its body', 'down', () => [`${OK}\r\n`, { drip: 'up 1\n'.repeat(100), everyMs: 100 }]),
];

const cut: HostileTarget[] = [
  target('hangs up', 'down', () => ['end']),
  target('hangs up inside its head', 'down', () => ['HTTP/1.1 200 OK\r\nContent-Ty', 'end']),
  target('hangs up inside its body', 'down', () => [`${OK}Content-Length: 100\r\n\r\nup 1\n`, 'end']),
  target('hangs up inside a chunk', 'down', () => [`${OK}${CHUNKED}\r\n5\r\nup`, 'end']),
  target('hangs up before the last chunk', 'down', () => [`${OK}${CHUNKED}\r\n5\r\nup 1\n\r\n`, 'end']),
  target('resets', 'down', () => [`${OK}Content-Length: 100\r\n\r\nup 1\n`, 'reset']),
  target('cut gzip', 'down', () => whole(zipped().subarray(0, -9), OK + GZIP)),
  target('OpenMetrics without its end', 'down', () => whole('up 1\n', OPENMETRICS)),
];

const noAnswers: HostileTarget[] = [
  target('claims ten gigabytes', 'down', () => [`${OK}Content-Length: 10000000000\r\n\r\nup`, 'hang']),
  target('claims a chunk of a gigabyte', 'down', () => [`${OK}${CHUNKED}\r\n3fffffff\r\nup`, 'hang']),
  target('two lengths', 'down', () => [`${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nup`]),
  target('no HTTP', 'down', () => ['220 ready\r\n\r\n', 'hang']),
  target('no gzip', 'down', () => whole('up 1\nup 1\nup 1\n', OK + GZIP)),
  target('status 204', 'down', () => ['HTTP/1.1 204 No Content\r\n\r\n']),
  target('redirects in a circle', 'down', () => redirect('/metrics')),
  target('redirects to a file', 'down', () => redirect('file:///etc/passwd')),
  target('a page', 'down', () => whole('<html>', 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n')),
  target('head of 900 KB', 'down', () => whole('up 1\n', `${OK}X: ${'x'.repeat(900_000)}\r\n`)),
];

const bodies: HostileTarget[] = [
  target('gzip bomb', 'down', () => whole(bomb(), OK + GZIP)),
  target('rubbish', 'down', () => whole(rubbish())),
  target('rubbish as protobuf', 'down', () => whole(rubbish(), PROTOBUF)),
  target('protobuf of huge lengths', 'down', () => whole(claims(0xff, 0xff, 0xff, 0xff, 0x07, 0x0a, 0x01), PROTOBUF)),
  target('protobuf of nested groups', 'down', () => whole(nested(), PROTOBUF)),
  target('histogram of huge spans', 'down', () => whole(hugeSpans(), PROTOBUF)),
  target('invalid UTF-8', 'down', () =>
    whole(Buffer.from([0x75, 0x70, 0x7b, 0x61, 0x3d, 0x22, 0xff, 0x22, 0x7d, 0x20, 0x31, 0x0a])),
  ),
  target('a line of ten megabytes', 'any', () => whole(longLine())),
  target('ten thousand labels', 'any', () => whole(manyLabels())),
  target('a hundred thousand series', 'any', () => whole(manySeries())),
  target('the same series fifty thousand times', 'up', () => whole(duplicates())),
  target('eight megabytes of remarks', 'up', () => whole(comments())),
  target('five thousand new series each time', 'any', (nth) => whole(churn(nth))),
  target('times from all ages', 'up', (nth) => whole(clocks(nth))),
];

export const HOSTILE: readonly HostileTarget[] = [...never, ...cut, ...noAnswers, ...bodies];

function target(name: string, fate: Fate, script: (nth: number) => Script): HostileTarget {
  return { name, fate, script };
}
