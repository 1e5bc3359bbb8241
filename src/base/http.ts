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
import type { Address } from './http/address.js';
import { type CredentialOptions, Credentials } from './http/credentials.js';
import { ABORTED_TEXT, HttpError, TIMEOUT_TEXT } from './http/error.js';
import { type BodySink, type ExchangeOptions, type HttpAnswer, inRequest, type Transport } from './http/exchange.js';
import { GeneralTransport } from './http/general.js';
import {
  type HeaderPairs,
  type Hop,
  hostOf,
  makeHop,
  parseUrl,
  portOf,
  redirectError,
  redirected,
  shownUrl,
} from './http/hop.js';
import { PlainTransport } from './http/plain.js';
import { type ProxyOptions, proxyFor } from './http/proxy.js';
import { readTls, type TlsOptions, tlsKey } from './http/tls.js';
import { type OAuth2Options, TokenSource } from './http/token.js';

export { BODY_LIMIT_TEXT, HttpError, type HttpErrorCode } from './http/error.js';
export type { BodySink, HttpAnswer } from './http/exchange.js';
export { HEAD_BYTES_MAX } from './http/head.js';
export type { ProxyOptions } from './http/proxy.js';
export type { TlsOptions } from './http/tls.js';

export interface HttpClientOptions extends ProxyOptions, CredentialOptions {
  /** In place of other credentials: a token that all clients with these options share. */
  readonly oauth2?: OAuth2Options<HttpClientOptions>;
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
  readonly headers?: HeaderPairs;
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
  readonly #prepared = new WeakMap<HttpRequest, Hop>();
  readonly #credentials: Credentials;
  /** The transport at work, while an exchange is under way. */
  #active: Transport | undefined;
  /** Why the exchange under way has to end, before a transport could be told. */
  #ended: HttpError | undefined;
  /** Rejects what is waited for outside of a transport. */
  #onEnd: ((reason: HttpError) => void) | undefined;
  #busy = false;

  constructor(options: HttpClientOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#credentials = new Credentials(options);
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
    this.#onEnd?.(reason);
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

    const { oauth2 } = this.#options;
    const tokens = oauth2 && tokensOf(oauth2, this.#clock, request);
    let hop = this.#prepare(request, tokens && (await this.#token(request, tokens)));
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#exchange(hop, exchange);
      if (answer.status === 401) tokens?.doubt();
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

  /** The request as it goes out, made anew only when a credential has changed. */
  #prepare(request: HttpRequest, token: string | undefined): Hop {
    const trusted = this.#trusted(request, token);
    const prepared = this.#prepared.get(request);
    if (prepared?.trusted === trusted) return prepared;

    const { url: urlText, unixSocket, method = 'GET', headers: own = [], body } = request;
    const url = parseUrl(urlText);
    const hop = makeHop({ url, urlText, unixSocket, method, own, trusted, trustedHost: url.hostname, body });
    this.#prepared.set(request, hop);
    return hop;
  }

  #trusted(request: HttpRequest, token: string | undefined): HeaderPairs {
    try {
      return this.#credentials.headers(token);
    } catch (error) {
      throw beforeSending(request, error as HttpError);
    }
  }

  /** The token for a request, in words that go before the target's errors. */
  async #token(request: HttpRequest, tokens: TokenSource): Promise<string> {
    try {
      return await this.#unlessEnded(tokens.authorization());
    } catch (error) {
      throw beforeSending(request, error as HttpError);
    }
  }

  /** Others may wait for the same: what takes too long for us goes on for them. */
  #unlessEnded<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#onEnd = reject;
      promise.then(resolve, reject).finally(() => {
        this.#onEnd = undefined;
      });
    });
  }
}

/** Tokens of a configuration: asked for once, whichever of its clients wants them first. */
const tokenSources = new WeakMap<OAuth2Options<HttpClientOptions>, TokenSource>();

function tokensOf(options: OAuth2Options<HttpClientOptions>, clock: Clock, { headers = [] }: HttpRequest): TokenSource {
  let tokens = tokenSources.get(options);
  if (tokens === undefined) {
    const userAgent = headers.find(([name]) => name.toLowerCase() === 'user-agent')?.[1] ?? '';
    tokens = new TokenSource(options, clock, new HttpClient(options.client, clock), userAgent);
    tokenSources.set(options, tokens);
  }
  return tokens;
}

/** What failed is told with the request that it was for. */
function beforeSending({ method = 'GET', url }: HttpRequest, error: HttpError): HttpError {
  return inRequest({ method, shownUrl: shownUrl(parseUrl(url), url) }, error);
}

function isOk(status: number): boolean {
  return status === 200;
}
