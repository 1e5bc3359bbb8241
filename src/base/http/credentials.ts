// What a client says of itself with every request: its authorization and the headers of the configuration.
//
// Files are read at every request. The same array comes back as long as nothing changed, so that callers can
// keep what they made of it.

import { readFileSync } from '../disk.js';
import { HttpError, systemErrorText } from './error.js';
import type { HeaderPairs } from './hop.js';

export interface CredentialOptions {
  readonly basicAuth?: {
    readonly username?: string;
    readonly usernameFile?: string;
    readonly password?: string;
    readonly passwordFile?: string;
  };
  /** An `Authorization` header of `type` (Bearer where missing). */
  readonly authorization?: {
    readonly type?: string;
    readonly credentials?: string;
    readonly credentialsFile?: string;
  };
  /** Sent to the host named by the caller, not to others that a redirect leads to. */
  readonly headers?: HeaderPairs;
  /** The same, with a file for the value. */
  readonly headerFiles?: readonly (readonly [name: string, path: string])[];
}

export class Credentials {
  readonly #options: CredentialOptions;
  #last: { readonly authorization: string | undefined; readonly pairs: HeaderPairs } | undefined;

  constructor(options: CredentialOptions) {
    this.#options = options;
  }

  /** `token`: an authorization from elsewhere. Throws an HttpError `config` where a file cannot be read. */
  headers(token?: string): HeaderPairs {
    const authorization = token ?? this.#authorization();
    const fromFiles = (this.#options.headerFiles ?? []).map(([name, path]): readonly [string, string] => [
      name,
      readHeader(path),
    ]);
    const last = this.#last;
    if (last !== undefined && last.authorization === authorization && endsWith(last.pairs, fromFiles))
      return last.pairs;
    const ownAuthorization: HeaderPairs = authorization === undefined ? [] : [['Authorization', authorization]];
    const pairs = [...(this.#options.headers ?? []), ...ownAuthorization, ...fromFiles];
    this.#last = { authorization, pairs };
    return pairs;
  }

  #authorization(): string | undefined {
    const { basicAuth, authorization } = this.#options;
    if (basicAuth !== undefined) {
      const username = given(basicAuth.username, basicAuth.usernameFile, 'basic auth username');
      const password = given(basicAuth.password, basicAuth.passwordFile, 'basic auth password');
      return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    }
    if (authorization === undefined) return undefined;
    const { type = 'Bearer', credentials, credentialsFile } = authorization;
    return `${type} ${given(credentials, credentialsFile, 'authorization credentials')}`;
  }
}

function given(inline = '', path: string | undefined, what: string): string {
  return path === undefined ? inline : readSecret(path, what);
}

/** The content of a file, of which errors say what it is. Throws an HttpError `config`. */
export function readSecret(path: string, what: string): string {
  try {
    return readTrimmed(path);
  } catch (cause) {
    throw new HttpError(
      'config',
      `unable to read ${what}: unable to read file ${path}: ${openError(path, cause)}`,
      cause,
    );
  }
}

function readHeader(path: string): string {
  try {
    return readTrimmed(path);
  } catch (cause) {
    throw new HttpError('config', `unable to read headers file ${path}: ${openError(path, cause)}`, cause);
  }
}

function readTrimmed(path: string): string {
  return readFileSync(path, 'utf8').trim();
}

/** As Go words it. */
export function openError(path: string, cause: unknown): string {
  return `open ${path}: ${systemErrorText(cause)}`;
}

function endsWith(pairs: HeaderPairs, last: HeaderPairs): boolean {
  const from = pairs.length - last.length;
  return last.every(([name, value], i) => pairs[from + i]?.[0] === name && pairs[from + i]?.[1] === value);
}
