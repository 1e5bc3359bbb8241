// The door to outgoing HTTP: nothing else opens a connection to somebody.
//
//   HttpClient        request → redirects, credentials, deadline
//     │
//     ├─ http://, unix socket ─► http/plain.ts     one kept socket, bodies straight into the caller's memory
//     └─ https://, proxies ────► http/general.ts   undici; several times the CPU time
//
// A client serves one caller, for instance one scrape target: it does one exchange at a time and keeps one
// connection to each origin it talks to. Bodies are not decompressed here.
//
// Errors are HttpErrors, worded as Prometheus words them. No message contains a credential.

import type { Clock } from './clock.js';
import { readFileSync } from './disk.js';
import type { Address } from './http/address.js';
import { ABORTED_TEXT, HttpError, quoted, TIMEOUT_TEXT } from './http/error.js';
import {
  type BodySink,
  type ExchangeOptions,
  type HttpAnswer,
  inRequest,
  type OutgoingRequest,
  type Transport,
} from './http/exchange.js';
import { GeneralTransport } from './http/general.js';
import { PlainTransport } from './http/plain.js';
import { type ProxyOptions, proxyFor } from './http/proxy.js';
import { readTls, type TlsOptions, tlsKey } from './http/tls.js';

export { BODY_LIMIT_TEXT, HttpError, type HttpErrorCode } from './http/error.js';
export type { BodySink, HttpAnswer } from './http/exchange.js';
export { HEAD_BYTES_MAX } from './http/head.js';
export type { ProxyOptions } from './http/proxy.js';
export type { TlsOptions } from './http/tls.js';

export interface HttpClientOptions extends ProxyOptions {
  readonly basicAuth?: {
    readonly username?: string;
    readonly usernameFile?: string;
    readonly password?: string;
    readonly passwordFile?: string;
  };
  /** An `Authorization` header of `type` (Bearer where missing). Files are read at every request. */
  readonly authorization?: {
    readonly type?: string;
    readonly credentials?: string;
    readonly credentialsFile?: string;
  };
  /** Sent to the origins named by the caller, not to those a redirect leads to. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly tls?: TlsOptions;
  /** Fails every request with this message: the configuration asks for what cannot be done. */
  readonly refusal?: string;
  /** True where missing: at most ten, to http and https only. */
  readonly followRedirects?: boolean;
}

/** Made once and sent as often as wanted: what is derived from it is remembered as long as it lives. */
export interface HttpRequest {
  /** An absolute URL, http or https. */
  readonly url: string;
  /** GET where missing. */
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array;
  /** Connects to this socket instead of the URL's host. */
  readonly unixSocket?: string;
}

export interface SendOptions {
  readonly sink: BodySink;
  /** For everything from dialling to the last byte, redirects included. */
  readonly timeoutMs: number;
  /** Infinity where missing. Counts bytes as they come over the wire. */
  readonly bodyBytesMax?: number;
  /** How long the body probably is, where the target does not say; 0 where nobody knows. */
  readonly bodyBytesHint?: number;
  /** Of which answers the body is wanted; only 200 where missing. Other bodies are skipped. */
  wantsBody?(status: number): boolean;
}

/** What callers need of a client; simulations have one without a network. */
export interface HttpSender {
  send(request: HttpRequest, options: SendOptions): Promise<HttpAnswer>;
  close(): void;
}

const REDIRECTS_MAX = 10;
const TRANSPORTS_MAX = 8;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export class HttpClient implements HttpSender {
  readonly #options: HttpClientOptions;
  readonly #clock: Clock;
  readonly #transports = new Map<string, Transport>();
  readonly #prepared = new WeakMap<HttpRequest, Prepared>();
  /** The transport at work, while an exchange is under way. */
  #active: Transport | undefined;
  /** Why the exchange under way has to end, before a transport could be told. */
  #ended: HttpError | undefined;
  #busy = false;

  constructor(options: HttpClientOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Rejects with an HttpError only. One at a time. */
  async send(request: HttpRequest, options: SendOptions): Promise<HttpAnswer> {
    if (this.#busy) throw new Error('an exchange of this client is still under way');
    if (this.#options.refusal !== undefined) throw new HttpError('config', this.#options.refusal);
    this.#busy = true;
    this.#ended = undefined;
    const deadline = this.#clock.after(options.timeoutMs, () => this.#end(new HttpError('timeout', TIMEOUT_TEXT)));
    try {
      return await this.#follow(request, options);
    } finally {
      deadline.cancel();
      this.#active = undefined;
      this.#busy = false;
    }
  }

  /** Ends the exchange under way, which rejects with `aborted`, and drops all connections. */
  close(): void {
    this.#end(new HttpError('aborted', ABORTED_TEXT));
    this.#dropTransports();
  }

  #end(reason: HttpError): void {
    if (!this.#busy || this.#ended !== undefined) return;
    this.#ended = reason;
    this.#active?.abort(reason);
  }

  async #follow(request: HttpRequest, options: SendOptions): Promise<HttpAnswer> {
    const { sink, bodyBytesMax = Number.POSITIVE_INFINITY, bodyBytesHint = 0 } = options;
    const wantsBody = options.wantsBody ?? isOk;
    const exchange: ExchangeOptions = {
      sink,
      bodyBytesMax,
      bodyBytesHint,
      wantsBody: (head) => wantsBody(head.status),
    };

    let hop = this.#prepare(request);
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#exchange(hop, exchange);
      const location = answer.headers.get('location');
      if (!REDIRECT_STATUSES.has(answer.status) || location === undefined || this.#options.followRedirects === false) {
        return answer;
      }
      if (redirects === REDIRECTS_MAX) throw redirectError(location, `stopped after ${REDIRECTS_MAX} redirects`);
      hop = redirected(hop, answer.status, location);
    }
  }

  #exchange(hop: Hop, options: ExchangeOptions): Promise<HttpAnswer> {
    // The deadline may have passed between two hops.
    if (this.#ended !== undefined) throw inRequest(hop.outgoing, this.#ended);
    this.#active = this.#transport(hop);
    return this.#active.exchange(hop.outgoing, options);
  }

  /** The kept transport to a hop's origin, or a new one. Throws an HttpError `config`. */
  #transport({ url, unixSocket }: Hop): Transport {
    const proxyUrl = unixSocket === undefined ? proxyFor(url, this.#options) : undefined;
    if (url.protocol === 'http:' && proxyUrl === undefined) {
      const address: Address =
        unixSocket === undefined
          ? { kind: 'tcp', host: hostOf(url), port: portOf(url) }
          : { kind: 'unix', path: unixSocket };
      return this.#kept(unixSocket ?? url.origin, () => new PlainTransport(address));
    }
    // A certificate that changed on disk makes another key, so connections made with the old one rest until closed.
    const tls = readTls(this.#options.tls ?? {});
    const key = `${unixSocket ?? url.origin} ${proxyUrl ?? ''} ${tlsKey(tls)}`;
    const { proxyConnectHeaders } = this.#options;
    return this.#kept(key, () => new GeneralTransport({ url, tls, unixSocket, proxyUrl, proxyConnectHeaders }));
  }

  #kept(key: string, create: () => Transport): Transport {
    let transport = this.#transports.get(key);
    if (transport === undefined) {
      // Redirects to ever new places should not leave connections behind.
      if (this.#transports.size >= TRANSPORTS_MAX) this.#dropTransports();
      transport = create();
      this.#transports.set(key, transport);
    }
    return transport;
  }

  #dropTransports(): void {
    for (const transport of this.#transports.values()) transport.abort(new HttpError('aborted', ABORTED_TEXT));
    this.#transports.clear();
  }

  /** The request as it goes out, made anew only when a credential in a file has changed. */
  #prepare(request: HttpRequest): Hop {
    const authorization = this.#authorization();
    const prepared = this.#prepared.get(request);
    if (prepared !== undefined && prepared.authorization === authorization) return prepared.hop;

    const url = parseUrl(request.url);
    const own = request.headers ?? [];
    const trusted = [...(this.#options.headers ?? [])];
    if (authorization !== undefined) trusted.push(['Authorization', authorization]);
    const { unixSocket, method = 'GET', body } = request;
    const hop = makeHop({ url, urlText: request.url, unixSocket, method, own, trusted, body });
    this.#prepared.set(request, { hop, authorization });
    return hop;
  }

  #authorization(): string | undefined {
    const { basicAuth, authorization } = this.#options;
    if (basicAuth !== undefined) {
      const username =
        basicAuth.usernameFile === undefined ? (basicAuth.username ?? '') : readSecret(basicAuth.usernameFile);
      const password =
        basicAuth.passwordFile === undefined ? (basicAuth.password ?? '') : readSecret(basicAuth.passwordFile);
      return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    }
    if (authorization === undefined) return undefined;
    const { type = 'Bearer', credentials = '', credentialsFile } = authorization;
    return `${type} ${credentialsFile === undefined ? credentials : readSecret(credentialsFile)}`;
  }
}

interface Prepared {
  readonly hop: Hop;
  readonly authorization: string | undefined;
}

/** What one request of a chain of redirects is made of. */
interface HopParts {
  readonly url: URL;
  /** The URL as it was written: so errors show it. */
  readonly urlText: string;
  readonly unixSocket: string | undefined;
  readonly method: string;
  /** Headers that go anywhere, and those that go to the caller's own origin only. */
  readonly own: HeaderPairs;
  readonly trusted: HeaderPairs;
  readonly body: Uint8Array | undefined;
}

interface Hop extends HopParts {
  readonly outgoing: OutgoingRequest;
}

type HeaderPairs = readonly (readonly [name: string, value: string])[];

function makeHop(parts: HopParts): Hop {
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

function redirected(hop: Hop, status: number, location: string): Hop {
  let url: URL;
  try {
    url = new URL(location, hop.url);
  } catch (cause) {
    throw redirectError(hop.outgoing.shownUrl, `failed to parse Location header ${quoted(location)}`, cause);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw redirectError(shownUrl(url, url.href), `unsupported protocol scheme ${quoted(url.protocol.slice(0, -1))}`);
  }
  const sameOrigin = url.origin === hop.url.origin;
  const keepsMethod = status === 307 || status === 308 || hop.method === 'GET';
  return makeHop({
    url,
    urlText: url.href,
    // A unix socket was named for the caller's own URL: a redirect inside it stays there.
    unixSocket: sameOrigin ? hop.unixSocket : undefined,
    method: keepsMethod ? hop.method : 'GET',
    own: hop.own,
    trusted: sameOrigin ? hop.trusted : [],
    body: keepsMethod ? hop.body : undefined,
  });
}

/** `url`: as the redirect has it, be it relative. */
function redirectError(url: string, reason: string, cause?: unknown): HttpError {
  return new HttpError('redirect', `Get ${quoted(url)}: ${reason}`, cause);
}

function parseUrl(text: string): URL {
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
function shownUrl(url: URL, text: string): string {
  if (url.password === '') return text;
  const shown = new URL(url);
  shown.password = '***';
  return shown.href;
}

function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

function readSecret(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new HttpError('config', `unable to read file ${path}: ${(cause as Error).message}`, cause);
  }
}

function isOk(status: number): boolean {
  return status === 200;
}
