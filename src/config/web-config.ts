// The web configuration file (`--web.config.file`): over which connections we are reached, and by whom.
// Its keys and refusals are those of the servers and exporters around Prometheus, which share the format.

import { quote } from '../model/quote.js';
import { bool, int, list, mapOf, path, scalar, string, text, type ValueOf } from './codec.js';
import { YamlFile } from './document.js';
import { ConfigError } from './error.js';
import { field, struct } from './struct.js';
import { Secret, secret } from './values.js';

export const TLS_VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** Cipher suites by the names of the file, with OpenSSL's names for them. */
export const CIPHERS: ReadonlyMap<string, string> = new Map([
  ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ['TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'],
  ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', 'ECDHE-ECDSA-AES128-SHA'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 'ECDHE-ECDSA-AES256-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'ECDHE-RSA-AES128-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', 'ECDHE-RSA-AES256-SHA'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
]);

/** Curves for the exchange of keys, likewise. */
export const CURVES: ReadonlyMap<string, string> = new Map([
  ['CurveP256', 'prime256v1'],
  ['CurveP384', 'secp384r1'],
  ['CurveP521', 'secp521r1'],
  ['X25519', 'X25519'],
]);

/** A word out of a list, kept as it is written. */
function named<W extends string>(type: string, words: { has(word: W): boolean }, refusal: string) {
  return text(
    (given) => {
      if (!words.has(given as W)) throw new ConfigError(`${refusal}: ${given}`);
      return given as W;
    },
    undefined,
    type,
  );
}

const tlsVersion = named<TlsVersion>('web.TLSVersion', new Set(TLS_VERSIONS), 'unknown TLS version');

const tlsServer = struct('web.TLSConfig', {
  cert: field('cert', string, ''),
  key: field('key', secret, new Secret('')),
  clientCa: field('client_ca', string, ''),
  certFile: field('cert_file', path, ''),
  keyFile: field('key_file', path, ''),
  clientAuthType: field('client_auth_type', string, ''),
  clientCaFile: field('client_ca_file', path, ''),
  /** None means OpenSSL's own choice. */
  cipherSuites: field('cipher_suites', list(named('web.Cipher', CIPHERS, 'unknown cipher')), []),
  curvePreferences: field('curve_preferences', list(named('web.Curve', CURVES, 'unknown curve')), []),
  minVersion: field('min_version', tlsVersion, 'TLS12'),
  maxVersion: field('max_version', tlsVersion, 'TLS13'),
  preferServerCipherSuites: field('prefer_server_cipher_suites', bool, true),
  clientAllowedSans: field('client_allowed_sans', list(string), []),
});
export type TlsServerConfig = ValueOf<typeof tlsServer>;

/** Headers that the file may set, with the values they may have; none listed means any. */
const HEADERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Strict-Transport-Security', []],
  ['X-Content-Type-Options', ['nosniff']],
  ['X-Frame-Options', ['deny', 'sameorigin']],
  ['X-XSS-Protection', []],
  ['Content-Security-Policy', []],
]);

const httpServer = struct(
  'web.HTTPConfig',
  { http2: field('http2', bool, true), headers: field('headers', mapOf(string), new Map()) },
  (http) => {
    for (const [name, value] of http.headers) checkHeader(name, value);
    return http;
  },
);

function checkHeader(name: string, value: string): void {
  const values = HEADERS.get(name);
  if (values === undefined) throw new ConfigError(`HTTP header ${quote(name)} can not be configured`);
  if (values.length > 0 && !values.includes(value)) {
    const expected = values.map(quote).join(' ');
    throw new ConfigError(`invalid value for ${name}. Expected one of: [${expected}], but got: ${quote(value)}`);
  }
  // It would end the header, and the rest would be one of its own.
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new ConfigError(`the value of ${name} cannot stand in a header`);
}

/** A bcrypt hash: whoever has it can guess the password at leisure, so it is a secret. */
const passwordHash = text((given) => new Secret(given), String, 'config.plain');

/** The price of a guess: a hash takes 2^cost rounds. Throws ConfigError for what is no hash. */
export function costOf(hash: Secret): number {
  const given = hash.reveal();
  if (given.length < HASH_LENGTH_MIN) throw bcryptError('hashedSecret too short to be a bcrypted password');
  // No character of it is said: it may be the password itself.
  if (given[0] !== '$') throw bcryptError("bcrypt hashes must start with '$'");
  if (given[1]! > '2') throw bcryptError("bcrypt algorithm version requested is newer than current version '2'");
  const digits = given.slice(given[2] === '$' ? 3 : 4).slice(0, 2);
  if (!/^\d\d$/.test(digits)) throw new ConfigError('a bcrypt hash without a cost of two digits');
  const cost = Number(digits);
  if (cost < 4 || cost > 31) throw bcryptError(`cost ${cost} is outside allowed inclusive range 4..31`);
  return cost;
}

const HASH_LENGTH_MIN = 59;

function bcryptError(message: string): ConfigError {
  return new ConfigError(`crypto/bcrypt: ${message}`);
}

const NANOSECONDS: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);

/** Milliseconds, written as Go does: `1.5s`, `1m30s`, or nanoseconds as a plain number. */
const goDuration = scalar('time.Duration', ({ tag, text: given }) => {
  if (tag === '!!int') return Number(given) / 1e6;
  const match = /^([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(given);
  if (match === null) return given === '0' ? 0 : undefined;
  let nanoseconds = 0;
  for (const [, number, unit] of match[2]!.matchAll(/([\d.]+)([^\d.]+)/g)) {
    nanoseconds += Number(number) * NANOSECONDS.get(unit!)!;
  }
  return ((match[1] === '-' ? -1 : 1) * nanoseconds) / 1e6;
});

const rateLimit = struct('web.RateLimiterConfig', {
  burst: field('burst', int, 0),
  /** One request may come in each such span; 0 or less lets all in. */
  intervalMs: field('interval', { ...goDuration, zero: 0 }, 0),
});
export type RateLimit = ValueOf<typeof rateLimit>;

const webConfig = struct('web.Config', {
  tls: field('tls_server_config', tlsServer, tlsServer.defaults()),
  http: field('http_server_config', httpServer, httpServer.defaults()),
  /** Password hashes by name; nobody has to say who he is where it is empty. */
  users: field('basic_auth_users', mapOf(passwordHash, 'map[string]config.Secret'), new Map()),
  rateLimit: field('rate_limit', rateLimit, rateLimit.defaults()),
});
export type WebConfig = ValueOf<typeof webConfig>;

/** Reads the text of the file; relative paths in it start at `folder`. Throws ConfigError. Files it names are not looked at. */
export function parseWebConfig(given: string, folder = ''): WebConfig {
  const file = new YamlFile(given, folder);
  const parsed = file.root === null ? webConfig.defaults() : webConfig.decode(file.resolve(file.root), file);
  file.throwFaults();
  for (const hash of parsed!.users.values()) costOf(hash);
  return parsed!;
}
