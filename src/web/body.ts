// One request body on its way from an engine's chunks to the sink that a handler lends.
//
//   engine ── push(chunk) … finish() ──► BodyReader ──► sink.reserve(length) ──► outcome
//                                            ▲
//   handler ─────────── read(sink, max) ─────┘
//
// Chunks may come before the handler asks, so the first ones may wait here,
// copied; the engine is then told to pause. A body whose length was announced
// goes straight into the lent bytes; a chunked one waits until it is whole.

import type { Clock, Timer } from '../base/clock.js';
import { BODY_PACE, type BodyOutcome, type BodySink } from './door.js';
import type { BodyLength } from './guard.js';

/** What the reader asks of the engine that feeds it. */
export interface BodyFeed {
  pause(): void;
  resume(): void;
  /** Ends the connection: the client is too slow. */
  destroy(): void;
}

export class BodyReader {
  readonly #length: BodyLength;
  readonly #feed: BodyFeed;
  readonly #clock: Clock;
  /** Chunks that came before the handler asked, or of a body without a length. */
  #waiting: Uint8Array[] = [];
  #received = 0;
  #ended = false;
  #paused = false;
  #outcome: BodyOutcome | undefined;
  #read: Reading | undefined;
  #pace: Timer | undefined;

  constructor(length: BodyLength, feed: BodyFeed, clock: Clock) {
    this.#length = length;
    this.#feed = feed;
    this.#clock = clock;
    this.#ended = length === 0;
  }

  /** Whether the client has sent all of it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes announced and not here yet; Infinity where that is not known. */
  get missingBytes(): number {
    if (this.#ended) return 0;
    return this.#length === 'chunked' ? Number.POSITIVE_INFINITY : this.#length - this.#received;
  }

  /** Borrows the chunk. */
  push(chunk: Uint8Array): void {
    if (this.#outcome !== undefined || chunk.length === 0) return;
    const read = this.#read;
    this.#received += chunk.length;
    if (read?.target !== undefined) {
      // An engine never delivers more than was announced; a fault there must not write behind the lent bytes.
      if (this.#received > (this.#length as number)) {
        this.#settle({ kind: 'cut' });
        return;
      }
      read.target.set(chunk, this.#received - chunk.length);
      return;
    }
    if (read !== undefined && this.#received > read.bytesMax) {
      this.#settle({ kind: 'too-large' });
      return;
    }
    this.#waiting.push(chunk.slice());
    if (read !== undefined) this.#placeWaiting(read);
    else if (!this.#paused) {
      this.#paused = true;
      this.#feed.pause();
    }
  }

  /** The client has sent all of it. */
  finish(): void {
    this.#ended = true;
    if (this.#read !== undefined) this.#complete(this.#read);
  }

  /** The client is gone. */
  abort(): void {
    if (!this.#ended) this.#settle({ kind: 'cut' });
    this.#pace?.cancel();
  }

  /** Nobody will read it (any more): what still comes is dropped. */
  discard(): void {
    this.#settle({ kind: 'cut' });
    if (this.#paused) {
      this.#paused = false;
      this.#feed.resume();
    }
  }

  read(sink: BodySink, bytesMax: number): Promise<BodyOutcome> {
    if (this.#read !== undefined) throw new Error('a request body was read twice');
    return new Promise((settle) => {
      const read: Reading = { sink, bytesMax, settle, target: undefined };
      this.#read = read;
      if (this.#outcome !== undefined) return settle(this.#outcome);
      const known = this.#length === 'chunked' ? this.#received : this.#length;
      if (known > bytesMax) {
        this.#settle({ kind: 'too-large' });
        return;
      }
      this.#placeWaiting(read);
      if (this.#ended) return this.#complete(read);
      this.#watchPace(0);
      if (this.#paused) {
        this.#paused = false;
        this.#feed.resume();
      }
    });
  }

  /** Moves what waits into lent bytes, which are asked for when the first byte is here. */
  #placeWaiting(read: Reading): void {
    if (this.#length === 'chunked' || this.#waiting.length === 0) return;
    read.target = read.sink.reserve(this.#length);
    if (read.target === undefined) {
      this.#settle({ kind: 'refused' });
      return;
    }
    this.#moveWaiting(read.target);
  }

  #complete(read: Reading): void {
    if (this.#outcome !== undefined) return;
    if (this.#length !== 'chunked') {
      if (this.#received !== this.#length) {
        this.#settle({ kind: 'cut' });
        return;
      }
      this.#settle({ kind: 'whole', bytes: (read.target ?? NO_BYTES).subarray(0, this.#received) });
      return;
    }
    const target = this.#received === 0 ? NO_BYTES : read.sink.reserve(this.#received);
    if (target === undefined) {
      this.#settle({ kind: 'refused' });
      return;
    }
    this.#moveWaiting(target);
    this.#settle({ kind: 'whole', bytes: target.subarray(0, this.#received) });
  }

  #moveWaiting(target: Uint8Array): void {
    let offset = 0;
    for (const chunk of this.#waiting) {
      target.set(chunk, offset);
      offset += chunk.length;
    }
    this.#waiting = [];
  }

  #settle(outcome: BodyOutcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#waiting = [];
    this.#pace?.cancel();
    this.#read?.settle(outcome);
  }

  #watchPace(receivedBefore: number): void {
    this.#pace = this.#clock.after(BODY_PACE.spanMs, () => {
      if (this.#outcome !== undefined) return;
      if (this.#received - receivedBefore >= BODY_PACE.bytes) return this.#watchPace(this.#received);
      this.#settle({ kind: 'cut' });
      this.#feed.destroy();
    });
  }
}

interface Reading {
  readonly sink: BodySink;
  readonly bytesMax: number;
  readonly settle: (outcome: BodyOutcome) => void;
  target: Uint8Array | undefined;
}

const NO_BYTES = new Uint8Array(0);
