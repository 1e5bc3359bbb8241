// Tokens that we sign ourselves (RFC 7519), for which a server gives one of its own.

import { createSign } from 'node:crypto';

export interface JwtSigner {
  readonly algorithm: 'RS256' | 'RS512';
  /** Which of the keys it is, for those who check. */
  readonly keyId: string;
  /** As PEM. */
  readonly privateKey: string;
}

/** Throws an Error where the key is none. */
export function signedJwt(claims: Readonly<Record<string, unknown>>, signer: JwtSigner): string {
  const { algorithm, keyId, privateKey } = signer;
  const head = { alg: algorithm, typ: 'JWT', kid: keyId };
  const text = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = createSign(`RSA-SHA${algorithm.slice(2)}`)
    .update(text)
    .sign(privateKey, 'base64url');
  return `${text}.${signature}`;
}
