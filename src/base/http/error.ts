// How an outgoing request fails, in the words Go's client uses: tools and people read them in `lastError`.

/**
 * - `dial`: no connection came about;
 * - `timeout`: the deadline of the whole exchange passed;
 * - `aborted`: our side closed the client meanwhile;
 * - `broken`: the connection ended or failed before the answer was whole;
 * - `protocol`: what came is not an answer we accept;
 * - `redirect`: too many, or to somewhere we do not go;
 * - `body-limit`: the body is longer than the caller allows;
 * - `no-room`: the caller's memory had no room for the body;
 * - `token`: the server that gives tokens for requests refused one;
 * - `config`: a certificate, key or address of ours is not usable.
 */
export type HttpErrorCode =
  | 'dial'
  | 'timeout'
  | 'aborted'
  | 'broken'
  | 'protocol'
  | 'redirect'
  | 'body-limit'
  | 'no-room'
  | 'token'
  | 'config';

export class HttpError extends Error {
  override readonly name = 'HttpError';
  constructor(
    readonly code: HttpErrorCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

export const TIMEOUT_TEXT = 'context deadline exceeded';
export const ABORTED_TEXT = 'context canceled';
export const BODY_LIMIT_TEXT = 'body size limit exceeded';

/** Text in quotes, as Go prints it with %q, and no longer than an error should be. */
export function quoted(text: string): string {
  const shown = text.length <= 100 ? text : `${text.slice(0, 100)}…`;
  return JSON.stringify(shown).replace(/\\u00([0-9a-f]{2})/g, '\\x$1');
}

/** Go's words for an errno; Node's own where we know none. */
export function systemErrorText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code !== undefined && ERRNO_TEXTS.get(code)) || message;
}

const ERRNO_TEXTS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection reset by peer'],
  ['ECONNABORTED', 'software caused connection abort'],
  ['EPIPE', 'broken pipe'],
  ['ETIMEDOUT', 'connection timed out'],
  ['EHOSTUNREACH', 'no route to host'],
  ['ENETUNREACH', 'network is unreachable'],
  ['EADDRNOTAVAIL', 'cannot assign requested address'],
  ['ENOENT', 'no such file or directory'],
  ['EACCES', 'permission denied'],
  ['EMFILE', 'too many open files'],
]);
