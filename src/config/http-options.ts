// How a section of the configuration speaks HTTP, in the words of the client.

import type { HttpClientOptions, ProxyOptions, TlsOptions } from '../base/http.js';
import { isJwtAlgorithm } from '../base/jwt.js';
import { type HttpClientConfig, JWT_BEARER, type OAuth2, type ProxyConfig, type TlsConfig } from './http-client.js';

export function httpOptionsOf(config: HttpClientConfig): HttpClientOptions {
  // As Prometheus without a secret manager, which its server has none of.
  if (hasReference(config)) return { refusal: 'cannot use secret ref without manager' };
  const { basicAuth, authorization, oauth2 } = config;
  const headers = [...config.httpHeaders];
  return {
    basicAuth: basicAuth && {
      username: basicAuth.username,
      usernameFile: given(basicAuth.usernameFile),
      password: basicAuth.password?.reveal(),
      passwordFile: given(basicAuth.passwordFile),
    },
    authorization: authorization && {
      type: authorization.type,
      credentials: authorization.credentials?.reveal(),
      credentialsFile: given(authorization.credentialsFile),
    },
    oauth2: oauth2 && oauth2OptionsOf(oauth2),
    headers: headers.flatMap(([name, { values, secrets }]) =>
      [...values, ...secrets.map((secret) => secret.reveal())].map((value) => [name, value] as const),
    ),
    headerFiles: headers.flatMap(([name, { files }]) => files.map((file) => [name, file] as const)),
    tls: config.tlsConfig && tlsOptionsOf(config.tlsConfig),
    followRedirects: config.followRedirects,
    ...proxyOptionsOf(config),
  };
}

function oauth2OptionsOf(config: OAuth2): HttpClientOptions['oauth2'] {
  const isAssertion = config.grantType === JWT_BEARER;
  return {
    clientId: config.clientId,
    secret: (isAssertion ? config.clientCertificateKey : config.clientSecret)?.reveal(),
    secretFile: given(isAssertion ? config.clientCertificateKeyFile : config.clientSecretFile),
    tokenUrl: config.tokenUrl,
    scopes: config.scopes,
    endpointParams: [...config.endpointParams],
    assertion: isAssertion
      ? {
          algorithm: isJwtAlgorithm(config.signatureAlgorithm) ? config.signatureAlgorithm : 'RS256',
          keyId: config.clientCertificateKeyId,
          issuer: config.issuer,
          audience: config.audience,
          claims: [...config.claims],
        }
      : undefined,
    client: { tls: config.tlsConfig && tlsOptionsOf(config.tlsConfig), ...proxyOptionsOf(config) },
  };
}

function tlsOptionsOf(tls: TlsConfig): TlsOptions {
  return {
    ca: tls.ca,
    cert: tls.cert,
    key: tls.key?.reveal(),
    caFile: given(tls.caFile),
    certFile: given(tls.certFile),
    keyFile: given(tls.keyFile),
    serverName: given(tls.serverName),
    insecureSkipVerify: tls.insecureSkipVerify,
    minVersion: given(tls.minVersion),
    maxVersion: given(tls.maxVersion),
  };
}

function proxyOptionsOf(config: ProxyConfig): ProxyOptions {
  return {
    proxyUrl: given(config.proxyUrl),
    noProxy: given(config.noProxy),
    proxyFromEnvironment: config.proxyFromEnvironment,
    proxyConnectHeaders: [...config.proxyConnectHeader].flatMap(([name, values]) =>
      values.map((value) => [name, value.reveal()] as const),
    ),
  };
}

function hasReference({ basicAuth, authorization, tlsConfig, oauth2 }: HttpClientConfig): boolean {
  const tls = [tlsConfig, oauth2?.tlsConfig].flatMap((config) => [config?.caRef, config?.certRef, config?.keyRef]);
  const refs = [
    basicAuth?.usernameRef,
    basicAuth?.passwordRef,
    authorization?.credentialsRef,
    oauth2?.clientSecretRef,
    oauth2?.clientCertificateKeyRef,
    ...tls,
  ];
  return refs.some((ref) => ref !== undefined && ref !== '');
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}
