// One request of a chain of redirects: where it goes, and which of the caller's headers may go along.
//
//   own       headers of the request: to anybody
//   trusted   credentials and configured headers: to the host that the caller named and those below it,
//             as Prometheus has it since 3.13; never from TLS to plain text, and not again once they were left out

import { HttpError, quoted } from './error.js';
import type { OutgoingRequest } from './exchange.js';

export type HeaderPairs = readonly (readonly [name: string, value: string])[];

export interface HopParts {
  readonly url: URL;
  /** The URL as it was written: so errors show it. */
  readonly urlText: string;
  readonly unixSocket: string | undefined;
  readonly method: string;
  readonly own: HeaderPairs;
  readonly trusted: HeaderPairs;
  /** Where trusted headers may go. */
  readonly trustedHost: string;
  readonly body: Uint8Array | undefined;
}

export interface Hop extends HopParts {
  readonly outgoing: OutgoingRequest;
}

/** Throws an HttpError `config` where a header cannot be sent. */
export function makeHop(parts: HopParts): Hop {
  const { url, urlText, method, body } = parts;
  const headers = ['Host', url.host];
  for (const [name, value] of [...parts.own, ...parts.trusted]) {
    if (!HEADER_NAME.test(name)) throw new HttpError('config', `net/http: invalid header field name ${quoted(name)}`);
    // The value may be a secret.
    if (!HEADER_VALUE.test(value)) {
      throw new HttpError('config', `net/http: invalid header field value for ${quoted(name)}`);
    }
    headers.push(name, value);
  }
  if (body !== undefined) headers.push('Content-Length', String(body.length));
  const path = `${url.pathname}${url.search}`;
  return { ...parts, outgoing: { method, path, headers, body, shownUrl: shownUrl(url, urlText) } };
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The request that follows an answer with a Location. Throws an HttpError `redirect`. */
export function redirected(hop: Hop, status: number, location: string): Hop {
  let url: URL;
  try {
    url = new URL(location, hop.url);
  } catch (cause) {
    throw redirectError(hop.outgoing.shownUrl, `failed to parse Location header ${quoted(location)}`, cause);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw redirectError(shownUrl(url, url.href), `unsupported protocol scheme ${quoted(url.protocol.slice(0, -1))}`);
  }
  const keepsMethod = status === 307 || status === 308 || hop.method === 'GET';
  return makeHop({
    url,
    urlText: url.href,
    // A unix socket was named for the caller's own URL: a redirect inside it stays there.
    unixSocket: url.origin === hop.url.origin ? hop.unixSocket : undefined,
    method: keepsMethod ? hop.method : 'GET',
    own: hop.own,
    trusted: isTrusted(hop, url) ? hop.trusted : [],
    trustedHost: hop.trustedHost,
    body: keepsMethod ? hop.body : undefined,
  });
}

function isTrusted(from: Hop, to: URL): boolean {
  if (from.url.protocol === 'https:' && to.protocol === 'http:') return false;
  const host = to.hostname;
  if (host === from.trustedHost) return true;
  // An address has no hosts below it.
  return !host.includes(':') && !isIpV4(from.trustedHost) && host.endsWith(`.${from.trustedHost}`);
}

/** As URLs have them: all four parts in decimal. */
function isIpV4(host: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

/** `url`: as the redirect has it, be it relative. */
export function redirectError(url: string, reason: string, cause?: unknown): HttpError {
  return new HttpError('redirect', `Get ${quoted(url)}: ${reason}`, cause);
}

/** Throws an HttpError `config`. */
export function parseUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    // Not shown: what cannot be parsed may hold a password anywhere.
    throw new HttpError('config', 'parse URL: not an absolute URL', cause);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new HttpError('config', `unsupported protocol scheme ${quoted(url.protocol.slice(0, -1))}`);
  }
  return url;
}

/** As Go shows it: a password is not for logs. */
export function shownUrl(url: URL, text: string): string {
  if (url.password === '') return text;
  const shown = new URL(url);
  shown.password = '***';
  return shown.href;
}

export function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}
