// Tokens that we sign ourselves (RFC 7519), for which a server gives one of its own.

import { createSign } from 'node:crypto';

const ALGORITHMS = ['RS256', 'RS384', 'RS512'] as const;
export type JwtAlgorithm = (typeof ALGORITHMS)[number];

export function isJwtAlgorithm(name: string): name is JwtAlgorithm {
  return (ALGORITHMS as readonly string[]).includes(name);
}

export interface JwtSigner {
  readonly algorithm: JwtAlgorithm;
  /** Which of the keys it is, for those who check; may be empty. */
  readonly keyId: string;
  /** As PEM. */
  readonly privateKey: string;
}

/** Throws an Error where the key is none; its message does not contain it. */
export function signedJwt(claims: Readonly<Record<string, unknown>>, signer: JwtSigner): string {
  const { algorithm, keyId, privateKey } = signer;
  const head = { alg: algorithm, typ: 'JWT', ...(keyId === '' ? {} : { kid: keyId }) };
  const text = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = createSign(`RSA-SHA${algorithm.slice(2)}`)
    .update(text)
    .sign(privateKey, 'base64url');
  return `${text}.${signature}`;
}
