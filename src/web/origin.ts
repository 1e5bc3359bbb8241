// Who may use a browser to reach us: CORS, and requests that change something.
//
// Prometheus lets every page on the web read its API. We let none, unless
// `--web.cors.origin` names it: see docs/differences.md.

import { compilePattern } from '../model/matcher.js';
import type { Answer } from './answer.js';
import type { DoorRequest } from './door.js';

/** Decides on the Origin header of a request; undefined lets nobody read. */
export type OriginTest = ((origin: string) => boolean) | undefined;

/** `--web.cors.origin`: a regular expression for the whole origin, as a matcher's. Throws PatternError. */
export function compileOrigin(pattern: string | undefined): OriginTest {
  return pattern === undefined || pattern === '' ? undefined : compilePattern(pattern);
}

/** Sets the headers by which a browser lets a page of that origin read the answer. */
export function allowOrigin(request: DoorRequest, answer: Answer, test: OriginTest): void {
  answer.header('Vary', 'Origin');
  const origin = request.header('origin');
  if (origin === '' || test === undefined || !test(origin)) return;
  answer.header('Access-Control-Allow-Headers', 'Accept, Authorization, Content-Type, Origin');
  answer.header('Access-Control-Allow-Methods', 'GET, POST, OPTIONS');
  answer.header('Access-Control-Allow-Origin', origin);
  answer.header('Access-Control-Expose-Headers', 'Date');
}

/**
 * Whether a browser sent this on behalf of a page of somebody else, which must not change anything here.
 * What sends neither header is no browser.
 */
export function isCrossSite(request: DoorRequest): boolean {
  const site = request.header('sec-fetch-site');
  if (site !== '') return site !== 'same-origin' && site !== 'none';
  const origin = request.header('origin');
  if (origin === '') return false;
  const authority = origin.indexOf('://');
  return authority < 0 || origin.slice(authority + 3) !== request.header('host');
}
