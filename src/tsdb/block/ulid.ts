// ULIDs, the names of blocks: 48 bits of time and 80 of chance, in an alphabet that sorts as the numbers do.
//
//   01M7Y0DXJ9  842ERM7HS55F3Y8P
//   time (ms)   chance              32 symbols, 5 bits each; I, L, O and U are left out

import { secretBytes } from '../../base/prng.js';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_DIGITS = 10;
const CHANCE_BYTES = 10;
/** The first digit has three bits only: 26 digits would be 130. */
const PATTERN = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i;

/** A name for a block made at `nowMs`. `chance` gives the random bytes. */
export function newUlid(nowMs: number, chance: (count: number) => Uint8Array = secretBytes): string {
  let text = '';
  for (let rest = nowMs, digit = 0; digit < TIME_DIGITS; digit++) {
    text = ALPHABET[rest % 32]! + text;
    rest = Math.floor(rest / 32);
  }
  let bits = 0;
  let pending = 0;
  for (const byte of chance(CHANCE_BYTES)) {
    pending = (pending << 8) | byte;
    for (bits += 8; bits >= 5; ) {
      bits -= 5;
      text += ALPHABET[(pending >>> bits) & 31];
    }
    pending &= (1 << bits) - 1;
  }
  return text;
}

/** Whether a folder of this name is a block's. */
export function isUlid(name: string): boolean {
  return PATTERN.test(name);
}

/** When a block was made, in milliseconds since 1970. */
export function ulidTimeMs(ulid: string): number {
  let time = 0;
  for (let digit = 0; digit < TIME_DIGITS; digit++) time = time * 32 + ALPHABET.indexOf(ulid[digit]!);
  return time;
}
