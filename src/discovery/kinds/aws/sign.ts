// AWS Signature Version 4, and what Outscale made of it: a request with a header that proves who made it.
// The steps and their names are those of the AWS documentation ("Create a signed AWS API request").

import { createHash, createHmac } from 'node:crypto';

export interface AwsKeys {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken?: string;
}

export interface AwsRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly service: string;
  readonly region: string;
}

/** The words of a signature: everything else is the same. */
export interface SignatureDialect {
  readonly algorithm: string;
  readonly keyPrefix: string;
  readonly terminator: string;
  readonly dateHeader: string;
}

const AWS: SignatureDialect = {
  algorithm: 'AWS4-HMAC-SHA256',
  keyPrefix: 'AWS4',
  terminator: 'aws4_request',
  dateHeader: 'X-Amz-Date',
};

type Headers = readonly (readonly [name: string, value: string])[];

/** The headers to send: those of the request and those of the signature. `Host` is signed, and left to the client. */
export function signedHeaders(request: AwsRequest, keys: AwsKeys, nowMs: number, dialect = AWS): Headers {
  const { method, headers, body, service, region } = request;
  const url = new URL(request.url);
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const own: [string, string][] = [[dialect.dateHeader, time]];
  if (keys.sessionToken !== undefined && keys.sessionToken !== '') {
    own.push(['X-Amz-Security-Token', keys.sessionToken]);
  }
  const signed = [['Host', url.host] as const, ...headers, ...own]
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/\s+/g, ' ')] as const)
    .sort(byName);
  const names = signed.map(([name]) => name).join(';');
  const canonical = [
    method,
    canonicalPath(url.pathname),
    canonicalQuery(url.searchParams),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    sha256(body),
  ].join('\n');
  const scope = [time.slice(0, 8), region, service, dialect.terminator].join('/');
  const toSign = [dialect.algorithm, time, scope, sha256(canonical)].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>((secret, part) => hmac(secret, part), `${dialect.keyPrefix}${keys.secretKey}`);
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const credential = `${keys.accessKey}/${scope}`;
  return [
    ...headers,
    ...own,
    ['Authorization', `${dialect.algorithm} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`],
  ];
}

function canonicalPath(path: string): string {
  return path.split('/').map(encoded).join('/');
}

function canonicalQuery(query: URLSearchParams): string {
  const pairs = [...query].map(([name, value]) => [encoded(name), encoded(value)] as const);
  return pairs
    .sort(byName)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** All but letters, digits and `-._~`. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function byName([a, x]: readonly [string, string], [b, y]: readonly [string, string]): number {
  return a < b || (a === b && x < y) ? -1 : 1;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
