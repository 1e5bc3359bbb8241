// The HTTP API of a server as tools ask it: questions go by POST, and by GET where the server takes none; errors are told in
// the words of Prometheus's Go client.

import { type ServerAnswer, ToolServer } from '../tool/server.js';

/** What is not of the server's API, by its kind. */
type ErrorType = 'client_error' | 'server_error' | 'bad_response';

export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly type: ErrorType | (string & {}),
    readonly reason: string,
    /** The body of an answer that is none of the API. */
    readonly detail = '',
  ) {
    super(`${type}: ${reason}`);
  }
}

export type ApiParams = readonly (readonly [name: string, value: string])[];

export interface ApiAnswer {
  readonly data: unknown;
  readonly warnings: readonly string[];
}

const TIMEOUT_MS = 120_000;
/** The API's own errors have these; others are of something in front of it. */
const API_FAULTS: ReadonlySet<number> = new Set([400, 422]);
const NO_SUCH_METHOD: ReadonlySet<number> = new Set([405, 501]);

export class Api {
  readonly #server: ToolServer;

  constructor(...options: ConstructorParameters<typeof ToolServer>) {
    this.#server = new ToolServer(...options);
  }

  close(): void {
    this.#server.close();
  }

  async get(path: string, params: ApiParams): Promise<ApiAnswer> {
    return parse(await this.#get(path, params));
  }

  async post(path: string, params: ApiParams): Promise<ApiAnswer> {
    const answer = await this.#server.ask({
      path,
      method: 'POST',
      headers: [['Content-Type', 'application/x-www-form-urlencoded']],
      body: new TextEncoder().encode(formOf(params)),
      timeoutMs: TIMEOUT_MS,
    });
    return parse(NO_SUCH_METHOD.has(answer.status) ? await this.#get(path, params) : answer);
  }

  #get(path: string, params: ApiParams): Promise<ServerAnswer> {
    return this.#server.ask({ path: `${path}?${formOf(params)}`, timeoutMs: TIMEOUT_MS });
  }
}

/** By name. */
function formOf(params: ApiParams): string {
  const form = new URLSearchParams(params.map(([name, value]): [string, string] => [name, value]));
  form.sort();
  return form.toString();
}

/** Throws ApiError. */
function parse({ status, body }: ServerAnswer): ApiAnswer {
  const text = new TextDecoder().decode(body);
  const isFault = API_FAULTS.has(status);
  if (Math.trunc(status / 100) !== 2 && !isFault) throw elsewhere(status, text);
  const answer = parseJson(text);
  if (isFault === (answer.status === 'success')) {
    throw new ApiError('bad_response', 'inconsistent body for response code');
  }
  if (answer.status === 'success') return { data: answer.data, warnings: answer.warnings ?? [] };
  throw new ApiError(answer.errorType ?? '', answer.error ?? '');
}

function elsewhere(status: number, detail: string): ApiError {
  switch (Math.trunc(status / 100)) {
    case 4:
      return new ApiError('client_error', `client error: ${status}`, detail);
    case 5:
      return new ApiError('server_error', `server error: ${status}`, detail);
    default:
      return new ApiError('bad_response', `bad response code ${status}`, detail);
  }
}

interface Envelope {
  readonly status: string;
  readonly data?: unknown;
  readonly warnings?: readonly string[];
  readonly errorType?: string;
  readonly error?: string;
}

function parseJson(text: string): Envelope {
  try {
    const value = JSON.parse(text) as Envelope | null;
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new ApiError('bad_response', `no answer of the API: ${text.slice(0, 100)}`);
}
