// Who a request says it is, and whether that is so: basic authentication.
//
//   header ─► known good? ─────────────────────────────────► in
//                └─► in the queue? ─► bcrypt, in a thread ─► in and remembered, or out
//
// Rules
//   - only what was right is remembered, for ten minutes, by a keyed hash of name, password hash and password
//     with their lengths: two different logins are never taken for one;
//   - a name nobody has is compared with the hash of somebody who is there, always the same for the same name, so
//     that its time is that of some user;
//   - a comparison is expensive, so few may wait, and of one client fewer: a flood of guesses is refused, not served.

import { createHmac } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import { secretBytes } from '../../base/prng.js';
import type { Secret } from '../../config/values.js';
import type { Passwords } from './passwords.js';

/** What comes of a login: `busy` says to ask again in a moment. */
export type LoginOutcome = 'in' | 'out' | 'busy';

/** Password hashes by name; not empty. */
export type Users = ReadonlyMap<string, Secret>;

const REMEMBERED_MS = 10 * 60_000;
const REMEMBERED_MAX = 1000;
/** Comparisons that may wait, of all clients and of one. */
const WAITING_MAX = 64;
const WAITING_OF_CLIENT_MAX = 8;

export class Logins {
  readonly #passwords: Passwords;
  readonly #clock: Clock;
  readonly #secret = secretBytes(32);
  /** When what is remembered ends to be good, oldest first. */
  readonly #good = new Map<string, number>();
  /** Comparisons under way: who asks the same meanwhile waits for the same. */
  readonly #waiting = new Map<string, Promise<LoginOutcome>>();
  readonly #waitingOf = new Map<string, number>();

  constructor(passwords: Passwords, clock: Clock) {
    this.#passwords = passwords;
    this.#clock = clock;
  }

  /** `header` is that of `Authorization`; `client` is an address. */
  check(users: Users, header: string, client: string): LoginOutcome | Promise<LoginOutcome> {
    const given = parseBasic(header);
    if (given === undefined) return 'out';
    const known = users.get(given.name);
    const hash = (known ?? this.#standIn(users, given.name)).reveal();
    const key = this.#keyOf(given.name, hash, given.password);
    if (known !== undefined && this.#isGood(key)) return 'in';
    return this.#waiting.get(key) ?? this.#compare(key, given.password, hash, known !== undefined, client);
  }

  #compare(
    key: string,
    password: string,
    hash: string,
    isKnown: boolean,
    client: string,
  ): LoginOutcome | Promise<LoginOutcome> {
    const ofClient = this.#waitingOf.get(client) ?? 0;
    if (this.#waiting.size >= WAITING_MAX || ofClient >= WAITING_OF_CLIENT_MAX) return 'busy';
    this.#waitingOf.set(client, ofClient + 1);
    const comparison = this.#passwords
      .matches(password, hash)
      .then((matches): LoginOutcome => {
        if (!matches || !isKnown) return 'out';
        this.#remember(key);
        return 'in';
      })
      .finally(() => {
        this.#waiting.delete(key);
        this.#leave(client);
      });
    this.#waiting.set(key, comparison);
    return comparison;
  }

  #leave(client: string): void {
    const left = this.#waitingOf.get(client)! - 1;
    if (left === 0) this.#waitingOf.delete(client);
    else this.#waitingOf.set(client, left);
  }

  #isGood(key: string): boolean {
    const untilMs = this.#good.get(key);
    return untilMs !== undefined && this.#clock.monotonicMs() < untilMs;
  }

  #remember(key: string): void {
    // What is remembered anew goes to the end, where the newest are.
    this.#good.delete(key);
    const [oldest] = this.#good.keys();
    if (this.#good.size >= REMEMBERED_MAX) this.#good.delete(oldest!);
    this.#good.set(key, this.#clock.monotonicMs() + REMEMBERED_MS);
  }

  /** Somebody's hash for a name that is nobody's. */
  #standIn(users: Users, name: string): Secret {
    const hashes = [...users.values()];
    const digest = createHmac('sha256', this.#secret).update(name).digest();
    return hashes[digest.readUInt32LE(0) % hashes.length]!;
  }

  #keyOf(...parts: string[]): string {
    const keyed = createHmac('sha256', this.#secret);
    for (const part of parts) {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      keyed.update(length).update(bytes);
    }
    return keyed.digest('base64');
  }
}

/** `Basic base64(name:password)`, as RFC 7617 has it. */
export function parseBasic(header: string): { readonly name: string; readonly password: string } | undefined {
  const match = /^basic ([A-Za-z0-9+/]*={0,2})$/i.exec(header);
  if (match === null || match[1]!.length % 4 !== 0) return undefined;
  const text = Buffer.from(match[1]!, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
