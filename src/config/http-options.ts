// How a section of the configuration speaks HTTP, in the words of the client.

import { readFileSync } from '../base/disk.js';
import type { HttpClientOptions } from '../base/http.js';
import type { HttpClientConfig } from './http-client.js';

export function httpOptionsOf(config: HttpClientConfig): HttpClientOptions {
  if (config.oauth2 !== undefined) return { refusal: 'oauth2 is not supported yet' };
  const { basicAuth, authorization, tlsConfig: tls } = config;
  const options = {
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
    tls: tls && {
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
    },
    followRedirects: config.followRedirects,
    proxyUrl: given(config.proxyUrl),
    noProxy: given(config.noProxy),
    proxyFromEnvironment: config.proxyFromEnvironment,
    proxyConnectHeaders: [...config.proxyConnectHeader].flatMap(([name, values]) =>
      values.map((value) => [name, value.reveal()] as const),
    ),
  };
  try {
    return { ...options, headers: headersOf(config) };
  } catch (error) {
    return { refusal: `unable to read a file of http_headers: ${(error as Error).message}` };
  }
}

/** Files are read here, once: unlike credentials, headers are not read again at every request. */
function headersOf(config: HttpClientConfig): (readonly [name: string, value: string])[] {
  return [...config.httpHeaders].flatMap(([name, { values, secrets, files }]) => {
    const fromFiles = files.map((file) => readFileSync(file, 'utf8').trim());
    return [...values, ...secrets.map((secret) => secret.reveal()), ...fromFiles].map(
      (value) => [name, value] as const,
    );
  });
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}
