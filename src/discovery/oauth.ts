// Answers of OAuth 2.0 token endpoints (RFC 6749, section 5.1), which metadata servers of clouds give too.

import type { Lease } from '../base/lease.js';
import type { Asker } from './http.js';
import type { Tree } from './tree.js';

/** Asks a token endpoint with a form. */
export function postForm(asker: Asker, url: string, parameters: Readonly<Record<string, string>>): Promise<Tree> {
  return asker.json({
    url,
    method: 'POST',
    headers: [['Content-Type', 'application/x-www-form-urlencoded']],
    body: Buffer.from(String(new URLSearchParams(parameters))),
  });
}

/** The token of an answer that came just now. Throws an Error where it has none. */
export function tokenLease(answer: Tree, nowMs: number): Lease<string> {
  const value = answer.at('access_token').text;
  if (value === '') throw new Error('no access token in the answer');
  return { value, untilMs: nowMs + answer.at('expires_in').number * 1000 };
}
