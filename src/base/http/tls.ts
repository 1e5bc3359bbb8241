// What a TLS connection of ours presents and trusts.

import type { SecureVersion } from 'node:tls';
import { readFileSync } from '../disk.js';
import { openError } from './credentials.js';
import { HttpError } from './error.js';

/** As `tls_config` of a configuration file: each part inline or from a file, which is read again when it is used. */
export interface TlsOptions {
  readonly ca?: string;
  readonly caFile?: string;
  readonly cert?: string;
  readonly certFile?: string;
  readonly key?: string;
  readonly keyFile?: string;
  /** Whose certificate is expected, where it is not the URL's host. */
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
  /** Like `TLS12`. */
  readonly minVersion?: string;
  readonly maxVersion?: string;
}

/** The same as node:tls takes it, files read. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
}

const VERSIONS: ReadonlyMap<string, SecureVersion> = new Map([
  ['TLS10', 'TLSv1'],
  ['TLS11', 'TLSv1.1'],
  ['TLS12', 'TLSv1.2'],
  ['TLS13', 'TLSv1.3'],
]);

/** Throws an HttpError `config`. */
export function readTls(options: TlsOptions): TlsMaterial {
  return {
    ca: inlineOrFile(options.ca, options.caFile, 'CA cert'),
    cert: inlineOrFile(options.cert, options.certFile, 'client cert'),
    key: inlineOrFile(options.key, options.keyFile, 'client key'),
    servername: options.serverName,
    rejectUnauthorized: options.insecureSkipVerify !== true,
    minVersion: versionOf(options.minVersion),
    maxVersion: versionOf(options.maxVersion),
  };
}

/** The same for the same material: a connection made with other certificates is not to be used any more. */
export function tlsKey(material: TlsMaterial): string {
  return JSON.stringify(material);
}

function inlineOrFile(inline: string | undefined, file: string | undefined, what: string): string | undefined {
  if (file === undefined || file === '') return inline;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HttpError('config', `unable to read ${what}: ${openError(file, cause)}`, cause);
  }
}

function versionOf(name: string | undefined): SecureVersion | undefined {
  if (name === undefined) return undefined;
  const version = VERSIONS.get(name);
  if (version === undefined) throw new HttpError('config', `unknown TLS version: ${name}`);
  return version;
}
