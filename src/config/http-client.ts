// How to speak HTTP to somebody: credentials, TLS, proxies, headers. The same keys
// in every section that makes requests, which is why they are spread into theirs.

import { isJwtAlgorithm } from '../base/jwt.js';
import { quote } from '../model/quote.js';
import { bool, list, mapOf, path, string, type ValueOf } from './codec.js';
import { ConfigError } from './error.js';
import { type Fields, field, optional, type StructOf, shown, struct } from './struct.js';
import { type Secret, secret, url } from './values.js';

const TLS_VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'];

const tlsVersion = { ...string, type: 'config.TLSVersion' };

export const tlsConfig = struct(
  'config.plain',
  {
    ca: optional('ca', string),
    cert: optional('cert', string),
    key: optional('key', secret),
    caFile: field('ca_file', path, ''),
    certFile: field('cert_file', path, ''),
    keyFile: field('key_file', path, ''),
    caRef: field('ca_ref', string, ''),
    certRef: field('cert_ref', string, ''),
    keyRef: field('key_ref', string, ''),
    serverName: field('server_name', string, ''),
    insecureSkipVerify: shown('insecure_skip_verify', bool, false),
    minVersion: field('min_version', tlsVersion, ''),
    maxVersion: field('max_version', tlsVersion, ''),
  },
  (tls) => {
    atMostOne('ca, ca_file & ca_ref', tls.ca, tls.caFile, tls.caRef);
    atMostOne('cert, cert_file & cert_ref', tls.cert, tls.certFile, tls.certRef);
    atMostOne('key, key_file & key_ref', tls.key, tls.keyFile, tls.keyRef);
    const hasCert = [tls.cert, tls.certFile, tls.certRef].some(isGiven);
    const hasKey = [tls.key, tls.keyFile, tls.keyRef].some(isGiven);
    if (hasCert && !hasKey) {
      throw new ConfigError(
        'exactly one of key or key_file must be configured when a client certificate is configured',
      );
    }
    if (hasKey && !hasCert) {
      throw new ConfigError('exactly one of cert or cert_file must be configured when a client key is configured');
    }
    for (const version of [tls.minVersion, tls.maxVersion]) {
      if (version !== '' && !TLS_VERSIONS.includes(version)) throw new ConfigError(`unknown TLS version: ${version}`);
    }
    return tls;
  },
);
export type TlsConfig = ValueOf<typeof tlsConfig>;

export const basicAuth = struct('config.plain', {
  username: field('username', string, ''),
  usernameFile: field('username_file', path, ''),
  usernameRef: field('username_ref', string, ''),
  password: optional('password', secret),
  passwordFile: field('password_file', path, ''),
  passwordRef: field('password_ref', string, ''),
});
export type BasicAuth = ValueOf<typeof basicAuth>;

export const authorization = struct('config.plain', {
  type: field('type', string, ''),
  credentials: optional('credentials', secret),
  credentialsFile: field('credentials_file', path, ''),
  credentialsRef: field('credentials_ref', string, ''),
});
export type Authorization = ValueOf<typeof authorization>;

const proxyFields = {
  proxyUrl: field('proxy_url', url, ''),
  noProxy: field('no_proxy', string, ''),
  proxyFromEnvironment: field('proxy_from_environment', bool, false),
  proxyConnectHeader: field('proxy_connect_header', mapOf(list(secret)), new Map()),
} satisfies Fields;

export type ProxyConfig = StructOf<typeof proxyFields>;

export const oauth2 = struct(
  'config.plain',
  {
    clientId: shown('client_id', string, ''),
    clientSecret: optional('client_secret', secret),
    clientSecretFile: field('client_secret_file', path, ''),
    clientSecretRef: field('client_secret_ref', string, ''),
    clientCertificateKeyId: field('client_certificate_key_id', string, ''),
    clientCertificateKey: optional('client_certificate_key', secret),
    clientCertificateKeyFile: field('client_certificate_key_file', path, ''),
    clientCertificateKeyRef: field('client_certificate_key_ref', string, ''),
    grantType: field('grant_type', string, ''),
    signatureAlgorithm: field('signature_algorithm', string, ''),
    issuer: field('iss', string, ''),
    audience: field('audience', string, ''),
    claims: field('claims', mapOf(string), new Map()),
    scopes: field('scopes', list(string), []),
    tokenUrl: shown('token_url', string, ''),
    endpointParams: field('endpoint_params', mapOf(string), new Map()),
    tlsConfig: optional('tls_config', tlsConfig),
    ...proxyFields,
  },
  (oauth) => {
    checkProxy(oauth);
    return oauth;
  },
);
export type OAuth2 = ValueOf<typeof oauth2>;

const header = struct('config.plain', {
  values: field('values', list(string), []),
  secrets: field('secrets', list(secret), []),
  files: field('files', list(path), []),
});

/** Spread into the fields of sections that make requests; `http2` is the default of `enable_http2`. */
export function httpClientFields(http2 = true) {
  return {
    basicAuth: optional('basic_auth', basicAuth),
    authorization: optional('authorization', authorization),
    oauth2: optional('oauth2', oauth2),
    bearerToken: optional('bearer_token', secret),
    bearerTokenFile: field('bearer_token_file', path, ''),
    tlsConfig: optional('tls_config', tlsConfig),
    followRedirects: shown('follow_redirects', bool, true),
    enableHttp2: shown('enable_http2', bool, http2),
    ...proxyFields,
    httpHeaders: field('http_headers', mapOf(header), new Map()),
  } satisfies Fields;
}

/** The keys of a client alone, wherever they stand among others. */
export const httpClient = struct('http client', httpClientFields(), finishHttpClient, { ignoreUnknown: true });

export type HttpClientConfig = StructOf<ReturnType<typeof httpClientFields>>;

/** Headers the client sets itself. */
const RESERVED_HEADERS = new Set(
  'accept accept-charset accept-encoding authorization connection content-encoding content-length content-type host keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade user-agent www-authenticate x-prometheus-remote-write-version x-prometheus-scrape-timeout-seconds'.split(
    ' ',
  ),
);

/** Checks what goes together, and turns a bearer token into the authorization it is. */
export function finishHttpClient<T extends HttpClientConfig>(config: T): T {
  atMostOne('bearer_token & bearer_token_file', config.bearerToken, config.bearerTokenFile);
  const hasBearer = isGiven(config.bearerToken) || config.bearerTokenFile !== '';
  if ((config.basicAuth !== undefined || config.oauth2 !== undefined) && hasBearer) {
    throw new ConfigError('at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured');
  }
  if (config.basicAuth !== undefined) checkBasicAuth(config.basicAuth);
  if (config.authorization !== undefined) {
    if (hasBearer) throw new ConfigError('authorization is not compatible with bearer_token & bearer_token_file');
    if (config.basicAuth !== undefined || config.oauth2 !== undefined) throw oneAuthOnly();
  }
  if (config.oauth2 !== undefined) {
    if (config.basicAuth !== undefined) throw oneAuthOnly();
    checkOAuth2(config.oauth2);
  }
  checkProxy(config);
  for (const name of config.httpHeaders.keys()) {
    if (RESERVED_HEADERS.has(name.toLowerCase())) throw new ConfigError(`setting header ${quote(name)} is not allowed`);
  }
  const authorization = finishAuthorization(config);
  return { ...config, authorization, bearerToken: undefined, bearerTokenFile: '' };
}

function finishAuthorization(config: HttpClientConfig): Authorization | undefined {
  const given = config.authorization;
  if (given === undefined) {
    if (!isGiven(config.bearerToken) && config.bearerTokenFile === '') return undefined;
    return {
      type: 'Bearer',
      credentials: config.bearerToken,
      credentialsFile: config.bearerTokenFile,
      credentialsRef: '',
    };
  }
  atMostOne(
    'authorization credentials & credentials_file',
    given.credentials,
    given.credentialsFile,
    given.credentialsRef,
  );
  const type = given.type.trim();
  if (type.toLowerCase() === 'basic') {
    throw new ConfigError('authorization type cannot be set to "basic", use "basic_auth" instead');
  }
  return { ...given, type: type === '' ? 'Bearer' : type };
}

function checkBasicAuth(given: BasicAuth): void {
  atMostOne('basic_auth username, username_file & username_ref', given.username, given.usernameFile, given.usernameRef);
  atMostOne('basic_auth password, password_file & password_ref', given.password, given.passwordFile, given.passwordRef);
}

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

function checkOAuth2(given: OAuth2): void {
  if (given.clientId === '') throw new ConfigError('oauth2 client_id must be configured');
  if (given.tokenUrl === '') throw new ConfigError('oauth2 token_url must be configured');
  if (given.grantType === JWT_BEARER) {
    atMostOne(
      'oauth2 client_certificate_key, client_certificate_key_file & client_certificate_key_ref',
      given.clientCertificateKey,
      given.clientCertificateKeyFile,
      given.clientCertificateKeyRef,
      ` using grant-type=${JWT_BEARER}`,
    );
    if (given.signatureAlgorithm !== '' && !isJwtAlgorithm(given.signatureAlgorithm)) {
      throw new ConfigError('valid signature algorithms are RS256, RS384 and RS512');
    }
    return;
  }
  atMostOne(
    'oauth2 client_secret, client_secret_file & client_secret_ref',
    given.clientSecret,
    given.clientSecretFile,
    given.clientSecretRef,
    ' using grant-type=client_credentials',
  );
}

function checkProxy(given: ProxyConfig): void {
  if (given.proxyUrl === '' && given.proxyConnectHeader.size > 0 && !given.proxyFromEnvironment) {
    throw new ConfigError(
      'if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured',
    );
  }
  if (given.proxyFromEnvironment && given.proxyUrl !== '') {
    throw new ConfigError('if proxy_from_environment is configured, proxy_url must not be configured');
  }
  if (given.proxyFromEnvironment && given.noProxy !== '') {
    throw new ConfigError('if proxy_from_environment is configured, no_proxy must not be configured');
  }
  if (given.proxyUrl === '' && given.noProxy !== '') {
    throw new ConfigError('if no_proxy is configured, proxy_url must also be configured');
  }
}

function oneAuthOnly(): ConfigError {
  return new ConfigError('at most one of basic_auth, oauth2 & authorization must be configured');
}

type MaybeGiven = string | Secret | undefined;

function isGiven(value: MaybeGiven): boolean {
  return value !== undefined && (typeof value === 'string' ? value !== '' : !value.isEmpty);
}

/** Three ways to say the same: inline, by file, by reference. */
function atMostOne(names: string, a: MaybeGiven, b: MaybeGiven, c?: MaybeGiven, behind = ''): void {
  if ([a, b, c].filter(isGiven).length <= 1) return;
  throw new ConfigError(`at most one of ${names} must be configured${behind}`);
}
