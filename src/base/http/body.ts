// How a body comes to lie in the caller's memory: one class for each way its end is known.
//
//   sink's view   │ body so far │ window: the next read goes here │
//                 0          filled                          length
//
// A reader of the socket asks for the window, fills its start, and says how much: `took`. Nothing is copied
// but what came in one read with the head.

import { ChunkedDecoder } from './chunked.js';
import { BODY_LIMIT_TEXT, HttpError } from './error.js';
import type { ExchangeOptions } from './exchange.js';
import type { BodyFraming } from './head.js';

export interface BodyReader {
  /** Where the next bytes go: never empty. */
  window(): Uint8Array;
  /** `count` bytes were put at the start of the window. True once the body is whole. Throws HttpErrors. */
  took(count: number): boolean;
  /** Bytes of the body that lie in the sink. */
  readonly filled: number;
  /** Whether more came than the body: not the next answer, whatever it is. */
  readonly excess: boolean;
  /** Whether the end of the connection is the end of the body. */
  readonly endsWithConnection: boolean;
}

/** First view for a body of unknown length. */
const FIRST_BYTES = 64 * 1024;
/** A view is made longer when less than this is free: a read should be worth its system call. */
const WINDOW_BYTES_MIN = 4 * 1024;
/** Room given at once to a body that claims its length: beyond it, a target has to send before it gets more. */
const CLAIM_BYTES_MAX = 1024 * 1024;
/** A body of unknown length gets twice the room it filled, and beyond this a quarter more: rooms are shared. */
const DOUBLED_BYTES_MAX = 4 * 1024 * 1024;
/** An unwanted body longer than this is not worth keeping the connection for. */
const SKIPPED_BYTES_MAX = 256 * 1024;

export function readBody(framing: BodyFraming, options: BodyOptions): BodyReader {
  switch (framing.kind) {
    case 'length':
      return new SizedBody(framing.bytes, options);
    case 'chunked':
      return new ChunkedBody(options);
    case 'until-close':
      return new OpenBody(options);
  }
}

/** Reads a body to nowhere, so that the connection can be used again; undefined where that is not worth it. */
export function skipBody(framing: BodyFraming): BodyReader | undefined {
  if (framing.kind === 'until-close') return undefined;
  if (framing.kind === 'length' && framing.bytes > SKIPPED_BYTES_MAX) return undefined;
  const options = { sink: skippedSink(), bodyBytesMax: SKIPPED_BYTES_MAX, bodyBytesHint: 0 };
  return readBody(framing, options);
}

/**
 * Puts bytes that are already here, for instance read together with the head.
 * Gives how many of them lie behind the end of the body, or -1 while it is not whole.
 */
export function putBody(body: BodyReader, bytes: Uint8Array, from: number, end: number): number {
  // Even nothing is said, for a body may be whole without a byte.
  let whole = body.took(0);
  while (from < end && !whole) {
    const window = body.window();
    const count = Math.min(end - from, window.length);
    window.set(bytes.subarray(from, from + count));
    whole = body.took(count);
    from += count;
  }
  return whole ? end - from : -1;
}

/** What a body needs to know of its exchange. */
export type BodyOptions = Pick<ExchangeOptions, 'sink' | 'bodyBytesMax' | 'bodyBytesHint'>;

const NOTHING = new Uint8Array(0);

/** What the ways have in common: the sink's view and how far it is filled. */
class SinkView {
  bytes: Uint8Array = NOTHING;
  filled = 0;
  readonly #options: BodyOptions;

  constructor(options: BodyOptions) {
    this.#options = options;
  }

  /** Makes room for `bytes` in all; what is there stays. */
  reserve(bytes: number): void {
    const view = this.#options.sink.reserve(bytes, this.filled);
    if (view === undefined) throw new HttpError('no-room', `no memory for a body of ${bytes} bytes`);
    this.bytes = view;
  }

  reserveUnknown(): void {
    const { bodyBytesHint } = this.#options;
    this.reserve((bodyBytesHint > 0 ? bodyBytesHint : FIRST_BYTES) + WINDOW_BYTES_MIN);
  }

  /** Keeps the window worth a read. `coming`: bytes announced, which may be a lie: they add to the room twice at the most. */
  ensureWindow(coming: number): void {
    if (this.bytes.length - this.filled >= WINDOW_BYTES_MIN) return;
    const { length } = this.bytes;
    const grown = length < DOUBLED_BYTES_MAX ? 2 * length : length + Math.ceil(length / 4);
    this.reserve(Math.max(grown, Math.min(this.filled + coming + WINDOW_BYTES_MIN, 2 * grown)));
  }

  /** Lets the sink read what is there. */
  pass(): void {
    const { sink } = this.#options;
    if (sink.pass !== undefined && this.filled > 0) this.filled = sink.pass(this.filled);
  }

  checkLimit(bytes: number): void {
    if (bytes > this.#options.bodyBytesMax) throw new HttpError('body-limit', BODY_LIMIT_TEXT);
  }
}

/** A body whose length the head says. A window never reaches past its end, so no read does. */
class SizedBody implements BodyReader {
  readonly endsWithConnection = false;
  readonly excess = false;
  readonly #view: SinkView;
  readonly #bytes: number;

  constructor(bytes: number, options: BodyOptions) {
    this.#bytes = bytes;
    this.#view = new SinkView(options);
    this.#view.checkLimit(bytes);
    const claim = Math.max(CLAIM_BYTES_MAX, 2 * options.bodyBytesHint);
    if (bytes > 0) this.#view.reserve(Math.min(bytes, claim));
  }

  get filled(): number {
    return this.#view.filled;
  }

  window(): Uint8Array {
    // A subarray ends with its array at the latest.
    return this.#view.bytes.subarray(this.#view.filled, this.#bytes);
  }

  took(count: number): boolean {
    const view = this.#view;
    view.filled += count;
    if (view.filled === this.#bytes) return true;
    if (view.filled === view.bytes.length) view.reserve(Math.min(this.#bytes, 2 * view.filled));
    return false;
  }
}

class ChunkedBody implements BodyReader {
  readonly endsWithConnection = false;
  excess = false;
  readonly #view: SinkView;
  readonly #decoder = new ChunkedDecoder();

  constructor(options: BodyOptions) {
    this.#view = new SinkView(options);
    this.#view.reserveUnknown();
  }

  get filled(): number {
    return this.#view.filled;
  }

  window(): Uint8Array {
    return this.#view.bytes.subarray(this.#view.filled);
  }

  took(count: number): boolean {
    const view = this.#view;
    const rawEnd = view.filled + count;
    view.filled = this.#decoder.decode(view.bytes, view.filled, rawEnd, view.filled);
    view.pass();
    view.checkLimit(view.filled);
    if (!this.#decoder.done) {
      view.ensureWindow(this.#decoder.remaining);
      return false;
    }
    this.excess = this.#decoder.consumedTo < rawEnd;
    return true;
  }
}

/** A body that ends with its connection. */
class OpenBody implements BodyReader {
  readonly endsWithConnection = true;
  readonly excess = false;
  readonly #view: SinkView;

  constructor(options: BodyOptions) {
    this.#view = new SinkView(options);
    this.#view.reserveUnknown();
  }

  get filled(): number {
    return this.#view.filled;
  }

  window(): Uint8Array {
    return this.#view.bytes.subarray(this.#view.filled);
  }

  took(count: number): boolean {
    this.#view.filled += count;
    this.#view.pass();
    this.#view.checkLimit(this.#view.filled);
    this.#view.ensureWindow(0);
    return false;
  }
}

/** Memory for bodies nobody wants. */
function skippedSink(): ExchangeOptions['sink'] {
  let view = NOTHING;
  return {
    reserve: (bytes, kept) => {
      const larger = new Uint8Array(bytes);
      larger.set(view.subarray(0, kept));
      return (view = larger);
    },
  };
}
