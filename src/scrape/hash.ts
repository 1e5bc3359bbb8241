// A stable hash of a target: says where in the interval it is scraped and which shard parses its bodies.
// Not secret and not for hash tables: two FNV-1a lanes with murmur3's finish, cut to what a number holds exactly.

import type { Labels } from '../model/labels.js';

const PRIME = 0x01000193;
/** Stands between strings: no label contains it, because it is half of a surrogate pair. */
const SEPARATOR = 0xdc00;

/** 0 to 2^53 - 1: the same for the same labels, URL and seed, whichever process asks. */
export function targetHash(internal: Labels, url: string, seed = 0): number {
  let low = 0x811c9dc5 ^ (seed >>> 0);
  let high = 0x050c5d1f ^ Math.floor(seed / 2 ** 32);
  const take = (code: number) => {
    low = Math.imul(low ^ code, PRIME);
    high = Math.imul(high ^ ((code << 7) | (low >>> 25)), PRIME);
  };
  for (const text of [...internal, url]) {
    for (let i = 0; i < text.length; i++) take(text.charCodeAt(i));
    take(SEPARATOR);
  }
  return (finish(high) >>> 11) * 2 ** 32 + (finish(low ^ high) >>> 0);
}

/** A seed of this server: two servers with the same configuration do not ask at the same moment. */
export function serverSeed(hostname: string, externalLabels: Labels): number {
  return targetHash(externalLabels, hostname);
}

function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
