// Requests to Oracle's cloud, signed (its documentation: "Request Signatures"; draft-cavage-http-signatures-08).
//
//   Authorization: Signature version="1",keyId="…",algorithm="rsa-sha256",headers="date (request-target) host",signature="…"

import { createHash, createSign, type KeyObject } from 'node:crypto';

/** Whose key it is, and the key. */
export interface OciKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

type Headers = (readonly [name: string, value: string])[];

/** The headers of a GET. `Host` is signed, and left to the client. */
export function signedGet(url: string, key: OciKey, nowMs: number): Headers {
  const date = new Date(nowMs).toUTCString();
  const { host } = new URL(url);
  const signed: Headers = [['date', date], target('get', url), ['host', host]];
  return [
    ['Date', date],
    ['Authorization', authorization(signed, key)],
  ];
}

/** The headers of a POST of JSON to the service that knows certificates, which wants no host signed. */
export function signedPost(url: string, body: string, key: OciKey, nowMs: number): Headers {
  const date = new Date(nowMs).toUTCString();
  const content: Headers = [
    ['content-type', 'application/json'],
    ['x-content-sha256', createHash('sha256').update(body).digest('base64')],
  ];
  const length = ['content-length', String(Buffer.byteLength(body))] as const;
  const signed: Headers = [['date', date], target('post', url), length, ...content];
  return [['Date', date], ...content, ['Authorization', authorization(signed, key)]];
}

function target(method: string, url: string): readonly [string, string] {
  const { pathname, search } = new URL(url);
  return ['(request-target)', `${method} ${pathname}${search}`];
}

function authorization(signed: Headers, { keyId, privateKey }: OciKey): string {
  const text = signed.map(([name, value]) => `${name}: ${value}`).join('\n');
  const names = signed.map(([name]) => name).join(' ');
  const signature = createSign('RSA-SHA256').update(text).sign(privateKey, 'base64');
  return `Signature version="1",keyId="${keyId}",algorithm="rsa-sha256",headers="${names}",signature="${signature}"`;
}
