// https and proxies, by undici: the general path. It costs several times the fast path's CPU time, and is loaded
// only when somebody needs it.
//
// Framing and limits are the same as on the fast path, except that undici splits chunked bodies itself.

import { STATUS_CODES } from 'node:http';
import { isIP } from 'node:net';
import type { Dispatcher } from 'undici';
import { type Address, dialError } from './address.js';
import { type BodyReader, putBody, readBody } from './body.js';
import { HttpError, systemErrorText } from './error.js';
import { type ExchangeOptions, type HttpAnswer, inRequest, type OutgoingRequest, type Transport } from './exchange.js';
import { HEAD_BYTES_MAX } from './head.js';
import type { TlsMaterial } from './tls.js';

export interface GeneralOptions {
  readonly url: URL;
  readonly tls: TlsMaterial;
  readonly unixSocket?: string;
  /** Through this proxy; its connection is subject to the same TLS options, as in Prometheus. */
  readonly proxyUrl?: string;
  readonly proxyConnectHeaders?: readonly (readonly [name: string, value: string])[];
}

/** Longer than any scrape interval worth a kept connection. */
const KEEP_ALIVE_MS = 5 * 60 * 1000;
/** An unwanted body is read so far for the connection's sake. */
const SKIPPED_BYTES_MAX = 256 * 1024;

export class GeneralTransport implements Transport {
  readonly #options: GeneralOptions;
  #dispatcher: Dispatcher | undefined;
  #abort: AbortController | undefined;
  /** Whether an exchange went well, so that a kept connection may be there, and may be dead. */
  #used = false;

  constructor(options: GeneralOptions) {
    this.#options = options;
  }

  async exchange(request: OutgoingRequest, options: ExchangeOptions): Promise<HttpAnswer> {
    const abort = new AbortController();
    this.#abort = abort;
    try {
      return await this.#attempt(request, options, abort.signal);
    } finally {
      this.#abort = undefined;
    }
  }

  abort(reason: HttpError): void {
    this.#abort?.abort(reason);
    // What undici still holds is dropped, whatever becomes of it.
    this.#dispatcher?.destroy().catch(() => {});
    this.#dispatcher = undefined;
    this.#used = false;
  }

  async #attempt(request: OutgoingRequest, options: ExchangeOptions, signal: AbortSignal): Promise<HttpAnswer> {
    const used = this.#used;
    let head: Dispatcher.ResponseData | undefined;
    try {
      this.#dispatcher ??= await dispatcherOf(this.#options);
      signal.throwIfAborted();
      head = await this.#dispatcher.request({
        origin: this.#options.url.origin,
        path: request.path,
        method: request.method as Dispatcher.HttpMethod,
        headers: [...request.headers],
        body: request.body,
        signal,
      });
      const answer = await receive(head, options);
      this.#used = true;
      return answer;
    } catch (cause) {
      if (head === undefined && used && isLost(cause) && !signal.aborted) {
        // A kept connection had died; a fresh one gets one chance.
        this.#used = false;
        return this.#attempt(request, options, signal);
      }
      const error = signal.aborted ? (signal.reason as HttpError) : this.#worded(cause);
      throw head === undefined ? inRequest(request, error) : error;
    }
  }

  #worded(cause: unknown): HttpError {
    if (cause instanceof HttpError) return cause;
    const { url, proxyUrl, unixSocket } = this.#options;
    const asked = proxyUrl === undefined ? url : new URL(proxyUrl);
    const address: Address =
      unixSocket === undefined
        ? { kind: 'tcp', host: asked.hostname, port: Number(asked.port) || (asked.protocol === 'https:' ? 443 : 80) }
        : { kind: 'unix', path: unixSocket };
    const error = wordedError(cause as Error, address);
    const isProxy = proxyUrl !== undefined && error.code === 'dial' && error.message.startsWith('dial ');
    return isProxy ? new HttpError(error.code, `proxyconnect tcp: ${error.message}`, cause) : error;
  }
}

/** Brings a body from undici's stream into the sink. */
async function receive(head: Dispatcher.ResponseData, options: ExchangeOptions): Promise<HttpAnswer> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(head.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const { statusCode: status } = head;
  // undici's way to a proxy for plain targets loses the reason phrase.
  const statusText = `${status} ${head.statusText ?? STATUS_CODES[status] ?? ''}`.trimEnd();
  if (!options.wantsBody({ status, statusText, headers, framing: { kind: 'until-close' }, keepAlive: true })) {
    await head.body.dump({ limit: SKIPPED_BYTES_MAX });
    return { status, statusText, headers, bodyBytes: 0 };
  }
  const length = Number(headers.get('content-length') ?? Number.NaN);
  const framing = Number.isNaN(length)
    ? ({ kind: 'until-close' } as const)
    : ({ kind: 'length', bytes: length } as const);
  try {
    const body: BodyReader = readBody(framing, options);
    for await (const bytes of head.body) putBody(body, bytes as Uint8Array, 0, (bytes as Uint8Array).length);
    return { status, statusText, headers, bodyBytes: body.filled };
  } catch (error) {
    head.body.on('error', () => {});
    head.body.destroy();
    throw error;
  }
}

async function dispatcherOf(options: GeneralOptions): Promise<Dispatcher> {
  const { Client, ProxyAgent } = await import('undici');
  const common = {
    // Deadlines are the caller's.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: HEAD_BYTES_MAX,
    pipelining: 1,
  };
  const { url, tls, proxyUrl, unixSocket } = options;
  const connect = { ...definedOf(tls), timeout: 0 };
  try {
    if (proxyUrl === undefined)
      return new Client(url.origin, { ...common, connect: { ...connect, socketPath: unixSocket } });
    const socks = /^socks5h?:/.test(proxyUrl);
    return new ProxyAgent({
      ...common,
      // The proxy looks names up, as Go has it for both.
      uri: proxyUrl.replace(/^socks5h:/, 'socks5:'),
      // Without a name of its own undici would ask for none at all.
      requestTls: { ...connect, servername: tls.servername ?? (isIP(hostOf(url)) === 0 ? hostOf(url) : '') },
      ...(!socks && { proxyTls: { ...connect, servername: undefined } }),
      headers: Object.fromEntries(options.proxyConnectHeaders ?? []),
      // Plain targets are asked for by their absolute URL, TLS ones through a tunnel.
      proxyTunnel: false,
      connections: 1,
    });
  } catch (cause) {
    throw new HttpError('config', (cause as Error).message, cause);
  }
}

/** undici takes a key that is there and undefined for a wish. */
function definedOf(tls: TlsMaterial): TlsMaterial {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)) as unknown as TlsMaterial;
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** Whether a connection was lost, in contrast to an answer that is wrong. */
function isLost(cause: unknown): boolean {
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes((cause as NodeJS.ErrnoException).code ?? '');
}

const UNKNOWN_AUTHORITY = 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
const NOT_TLS = 'http: server gave HTTP response to HTTPS client';

const TLS_TEXTS: ReadonlyMap<string, string> = new Map([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNKNOWN_AUTHORITY],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNKNOWN_AUTHORITY],
  ['CERT_HAS_EXPIRED', 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid'],
  ['CERT_NOT_YET_VALID', 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', NOT_TLS],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', NOT_TLS],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'remote error: tls: certificate required'],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'remote error: tls: bad certificate'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'remote error: tls: unknown certificate authority'],
  ['ERR_SSL_NO_PROTOCOLS_AVAILABLE', 'tls: no supported versions satisfy MinVersion and MaxVersion'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'remote error: tls: protocol version not supported'],
]);

/** Errors of undici and node:tls in Go's words. */
function wordedError(cause: Error, address: Address): HttpError {
  const { code = '', syscall } = cause as NodeJS.ErrnoException;
  const tlsText = TLS_TEXTS.get(code);
  if (tlsText !== undefined) return new HttpError('dial', tlsText, cause);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new HttpError('dial', `tls: failed to verify certificate: x509: ${altNameText(cause)}`, cause);
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_OSSL') || code.startsWith('ERR_TLS')) {
    return new HttpError('config', `tls: ${cause.message}`, cause);
  }
  if (cause instanceof AggregateError || syscall === 'connect' || syscall === 'getaddrinfo')
    return dialError(address, cause);
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new HttpError(
      'protocol',
      `net/http: server response headers exceeded ${HEAD_BYTES_MAX} bytes; aborted`,
      cause,
    );
  }
  if (code === 'UND_ERR_SOCKET')
    return new HttpError('broken', cause.message === 'other side closed' ? 'EOF' : cause.message, cause);
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return new HttpError('broken', `read tcp: ${systemErrorText(cause)}`, cause);
  return new HttpError('protocol', cause.message, cause);
}

/** What a certificate is good for, and what we asked it for. */
function altNameText(cause: Error): string {
  const { host, cert } = cause as Error & { host?: string; cert?: { subjectaltname?: string } };
  const names = (cert?.subjectaltname ?? '').split(', ').map((name) => name.replace(/^[^:]*:/, ''));
  return `certificate is valid for ${names.join(', ')}, not ${host}`;
}
