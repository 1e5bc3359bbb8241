// Requests that end a shard each time they come, by a bug of ours: a sender that is told to come again would end one after
// the other, and the server with the third. So the second time is the last.

/** So many deaths of shards in the very same request, and it is refused. */
const DEATHS_MAX = 2;
/** Suspects that are remembered, the newest: there are none where there are no bugs. */
const SUSPECTS_MAX = 8;

interface Suspect {
  readonly body: Uint8Array;
  deaths: number;
}

export class Poison {
  readonly #suspects: Suspect[] = [];
  #refused = 0;

  /** Requests refused. */
  get refused(): number {
    return this.#refused;
  }

  /** A shard's core trapped in this request: copies it. */
  blame(body: Uint8Array): void {
    const known = this.#find(body);
    if (known !== undefined) known.deaths++;
    else this.#suspects.push({ body: body.slice(), deaths: 1 });
    if (this.#suspects.length > SUSPECTS_MAX) this.#suspects.shift();
  }

  /** Whether a request is not to be tried again. */
  refuses(body: Uint8Array): boolean {
    // Nearly always there is nothing to compare with.
    if (this.#suspects.length === 0) return false;
    const isRefused = (this.#find(body)?.deaths ?? 0) >= DEATHS_MAX;
    if (isRefused) this.#refused++;
    return isRefused;
  }

  #find(body: Uint8Array): Suspect | undefined {
    return this.#suspects.find((one) => one.body.length === body.length && Buffer.compare(one.body, body) === 0);
  }
}
