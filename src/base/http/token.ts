// Tokens of OAuth 2.0 for clients without a user (RFC 6749, sections 4.4 and 5; RFC 7523, section 2.1).
//
//   requests ─► authorization() ─► still good: at once
//                              └─► POST to the token endpoint, once for all who wait; its answer is good for a time
//
// All clients of one configuration share one source. How a client shows its secret, as basic authorization or in the
// form, is tried once, as Go's client does, and remembered.

import type { Clock } from '../clock.js';
import { type JwtAlgorithm, signedJwt } from '../jwt.js';
import { type Lease, Leased } from '../lease.js';
import { secretBytes } from '../prng.js';
import { readSecret } from './credentials.js';
import { HttpError } from './error.js';
import type { BodySink, HttpAnswer } from './exchange.js';
import type { HeaderPairs } from './hop.js';

export interface OAuth2Options<Client> {
  readonly clientId: string;
  /** The client's secret; with an assertion the private key, as PEM. */
  readonly secret?: string;
  /** Read at every request; another secret asks for another token. */
  readonly secretFile?: string;
  readonly tokenUrl: string;
  readonly scopes?: readonly string[];
  readonly endpointParams?: HeaderPairs;
  /** Instead of showing the secret a JWT is signed with it. */
  readonly assertion?: {
    readonly algorithm: JwtAlgorithm;
    readonly keyId: string;
    /** The client's id where empty. */
    readonly issuer: string;
    /** The token endpoint where empty. */
    readonly audience: string;
    readonly claims: HeaderPairs;
  };
  /** How the token endpoint is asked. */
  readonly client: Client;
}

/** What is needed of a client. */
interface TokenClient {
  send(
    request: { url: string; method: 'POST'; headers: HeaderPairs; body: Uint8Array },
    options: { sink: BodySink; timeoutMs: number; bodyBytesMax: number; wantsBody(): boolean },
  ): Promise<HttpAnswer>;
  /** Leaves no connection behind. */
  close(): void;
}

/** Before a token ends by its own word: it has to reach the target, too. */
const EARLY_MS = 10_000;
const ANSWER_MS = 30_000;
const ANSWER_BYTES_MAX = 1 << 20;
/** What an error shows of an answer. */
const SHOWN_CHARACTERS = 1024;
const ASSERTION_MS = 10 * 60_000;
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** A token that a target refuses is given up, but not one so young: then it is not the token's age. */
const DOUBTED_MS = 60_000;

export class TokenSource {
  readonly #options: OAuth2Options<unknown>;
  readonly #clock: Clock;
  readonly #client: TokenClient;
  readonly #userAgent: string;
  readonly #leased: Leased<string>;
  #secret: string | undefined;
  #since = 0;
  /** How the endpoint wants to see the secret, once it gave a token. */
  #style: 'header' | 'form' | undefined;

  constructor(options: OAuth2Options<unknown>, clock: Clock, client: TokenClient, userAgent: string) {
    this.#options = options;
    this.#clock = clock;
    this.#client = client;
    this.#userAgent = userAgent;
    this.#leased = new Leased(clock, EARLY_MS, () => this.#ask().finally(() => client.close()));
  }

  /** For the header Authorization. Rejects with an HttpError. */
  authorization(): Promise<string> {
    const { secret = '', secretFile } = this.#options;
    const current = secretFile === undefined ? secret : readSecret(secretFile, 'oauth2 client secret');
    if (current !== this.#secret) this.#leased.drop();
    this.#secret = current;
    return this.#leased.get();
  }

  /** A target refused the token: it may have been revoked before its time. */
  doubt(): void {
    if (this.#clock.nowMs() - this.#since > DOUBTED_MS) this.#leased.drop();
  }

  async #ask(): Promise<Lease<string>> {
    const { assertion } = this.#options;
    const styles = assertion !== undefined ? (['form'] as const) : this.#style === undefined ? PROBED : [this.#style];
    for (const [i, style] of styles.entries()) {
      try {
        const lease = await this.#askBy(style);
        this.#style = style;
        this.#since = this.#clock.nowMs();
        return lease;
      } catch (error) {
        const isLast = i === styles.length - 1;
        // An endpoint that does not answer will not like the other way better.
        if (isLast || !(error instanceof HttpError) || error.code !== 'token') throw error;
      }
    }
    throw new Error('no way to ask');
  }

  async #askBy(style: 'header' | 'form'): Promise<Lease<string>> {
    const { clientId, assertion, tokenUrl } = this.#options;
    const secret = this.#secret ?? '';
    const form = new URLSearchParams(this.#form());
    const headers: [string, string][] = [['Content-Type', 'application/x-www-form-urlencoded']];
    if (this.#userAgent !== '') headers.push(['User-Agent', this.#userAgent]);
    if (assertion === undefined && style === 'header') {
      const pair = `${formEncoded(clientId)}:${formEncoded(secret)}`;
      headers.push(['Authorization', `Basic ${Buffer.from(pair).toString('base64')}`]);
    } else if (assertion === undefined) {
      form.set('client_id', clientId);
      if (secret !== '') form.set('client_secret', secret);
    }
    const memory = new AnswerMemory();
    const answer = await this.#client.send(
      { url: tokenUrl, method: 'POST', headers, body: Buffer.from(String(form)) },
      { sink: memory, timeoutMs: ANSWER_MS, bodyBytesMax: ANSWER_BYTES_MAX, wantsBody: () => true },
    );
    return leaseOf(answer, memory.text(answer.bodyBytes), this.#clock.nowMs());
  }

  #form(): Record<string, string> {
    const { scopes = [], endpointParams = [], assertion } = this.#options;
    const form: Record<string, string> = { grant_type: assertion === undefined ? 'client_credentials' : JWT_BEARER };
    if (assertion !== undefined) form.assertion = this.#signed();
    if (scopes.length > 0) form.scope = scopes.join(' ');
    for (const [name, value] of endpointParams) {
      // Some servers want another grant_type than the standard's.
      if (Object.hasOwn(form, name) && name !== 'grant_type') {
        throw tokenError(`oauth2: cannot overwrite parameter ${JSON.stringify(name)}`);
      }
      form[name] = value;
    }
    return form;
  }

  #signed(): string {
    const { clientId, tokenUrl, scopes = [], assertion } = this.#options;
    const { algorithm, keyId, issuer, audience, claims } = assertion!;
    const nowMs = this.#clock.nowMs();
    const payload = {
      iss: issuer || clientId,
      sub: clientId,
      jti: uuid(secretBytes(16)),
      aud: audience || tokenUrl,
      iat: Math.floor(nowMs / 1000),
      exp: Math.floor((nowMs + ASSERTION_MS) / 1000),
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      ...Object.fromEntries(claims),
    };
    try {
      return signedJwt(payload, { algorithm, keyId, privateKey: this.#secret ?? '' });
    } catch (cause) {
      throw tokenError(`oauth2: the private key is not usable: ${(cause as Error).message}`, cause);
    }
  }
}

const PROBED = ['header', 'form'] as const;

/** What an endpoint's answer says (RFC 6749, sections 5.1 and 5.2). Some answer with a form instead of JSON. */
function leaseOf(answer: HttpAnswer, text: string, nowMs: number): Lease<string> {
  const isGood = answer.status >= 200 && answer.status < 300;
  let fields: Fields;
  try {
    fields = fieldsOf(answer, text);
  } catch (cause) {
    if (!isGood) throw refused(answer, text);
    throw tokenError(`oauth2: cannot parse json: ${(cause as Error).message}`, cause);
  }
  if (fields.error !== '') {
    const said = [fields.error, fields.description, fields.uri].filter((part) => part !== '');
    throw tokenError(`oauth2: ${said.map((part) => JSON.stringify(part)).join(' ')}`);
  }
  if (!isGood) throw refused(answer, text);
  if (fields.token === '') throw tokenError('oauth2: server response missing access_token');
  const untilMs = fields.seconds > 0 ? nowMs + fields.seconds * 1000 : Number.POSITIVE_INFINITY;
  return { value: `${typeOf(fields.type)} ${fields.token}`, untilMs };
}

interface Fields {
  readonly token: string;
  readonly type: string;
  readonly seconds: number;
  readonly error: string;
  readonly description: string;
  readonly uri: string;
}

function fieldsOf(answer: HttpAnswer, text: string): Fields {
  const type = (answer.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
  const isForm = type === 'application/x-www-form-urlencoded' || type === 'text/plain';
  const given: unknown = isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text);
  if (typeof given !== 'object' || given === null) throw new Error('not an object');
  const fields = new Map<string, unknown>(Object.entries(given));
  const word = (name: string) => {
    const value = fields.get(name);
    return typeof value === 'string' ? value : '';
  };
  return {
    token: word('access_token'),
    type: word('token_type'),
    // As a number or, from some servers, as text.
    seconds: Number(fields.get('expires_in') ?? 0) || 0,
    error: word('error'),
    description: word('error_description'),
    uri: word('error_uri'),
  };
}

function refused(answer: HttpAnswer, text: string): HttpError {
  return tokenError(`oauth2: cannot fetch token: ${answer.statusText}\nResponse: ${text.slice(0, SHOWN_CHARACTERS)}`);
}

function tokenError(message: string, cause?: unknown): HttpError {
  return new HttpError('token', message, cause);
}

/** Known ones as the standard spells them. */
function typeOf(given: string): string {
  const known = ['Bearer', 'MAC', 'Basic'].find((type) => type.toLowerCase() === given.toLowerCase());
  return known ?? (given === '' ? 'Bearer' : given);
}

function formEncoded(text: string): string {
  return String(new URLSearchParams([['', text]])).slice(1);
}

/** Of 16 random bytes: version 4 (RFC 9562). */
function uuid(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

class AnswerMemory implements BodySink {
  #bytes: Buffer = Buffer.alloc(0);

  reserve(bytes: number, kept: number): Uint8Array {
    const larger = Buffer.alloc(bytes);
    this.#bytes.copy(larger, 0, 0, kept);
    this.#bytes = larger;
    return larger;
  }

  text(bytes: number): string {
    return this.#bytes.toString('utf8', 0, bytes);
  }
}
