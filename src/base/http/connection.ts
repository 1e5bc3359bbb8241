// One HTTP/1.1 connection over TCP or a unix socket, one exchange at a time.
//
// The kernel copies a body from the socket into the caller's memory and nobody copies it again: `onread.buffer`
// names, before every read, where the bytes are to go. That is the window of the body (body.ts), or, while a
// head is awaited, a scratch buffer: one for the whole process, since a read and its callback never interleave.
//
//   idle ─► head ─► body ─► idle        the answer let the connection be kept
//     └───────┴───────┴───► closed      anything else; a socket once destroyed reads no more

import { connect, type Socket } from 'node:net';
import { type Address, dialError, networkOf } from './address.js';
import { type BodyReader, putBody, readBody, skipBody } from './body.js';
import { HttpError, systemErrorText } from './error.js';
import { type ExchangeOptions, type HttpAnswer, inRequest, type OutgoingRequest, wireBytes } from './exchange.js';
import { broken, findHeadEnd, HEAD_BYTES_MAX, parseHead, type ResponseHead } from './head.js';

/** A small body comes whole with its head in one read of this size; of a large one this much is copied. */
const SCRATCH_BYTES = 16 * 1024;

/** Answers of class 1xx before the real one. */
const INTERIM_HEADS_MAX = 5;

const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** What the next bytes are. */
type Phase = 'idle' | 'head' | 'body' | 'closed';

export class Connection {
  readonly #address: Address;
  readonly #socket: Socket;
  #phase: Phase = 'idle';
  #exchanges = 0;
  /** Whether the target sent any byte since the request under way was written. */
  #heard = false;
  #aborted = false;
  #socketError: Error | undefined;

  // The exchange under way.
  #request: OutgoingRequest | undefined;
  #options: ExchangeOptions | undefined;
  #resolve: ((answer: HttpAnswer) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  /** A head that did not come whole: its first bytes, and how many of them there are. */
  #headBytes: Buffer | undefined;
  #headFilled = 0;
  #interimHeads = 0;
  #head: ResponseHead | undefined;
  #body: BodyReader | undefined;

  constructor(address: Address) {
    this.#address = address;
    const onread = {
      buffer: () => this.#body?.window() ?? scratch,
      callback: (count: number) => this.#onBytes(count),
    };
    this.#socket =
      address.kind === 'tcp'
        ? connect({ host: address.host, port: address.port, onread, allowHalfOpen: true, keepAlive: true })
        : connect({ path: address.path, onread, allowHalfOpen: true });
    this.#socket.on('error', (error) => {
      this.#socketError = error;
    });
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('close', () => this.#onEnd());
  }

  get usable(): boolean {
    return this.#phase === 'idle';
  }

  /** Whether this connection, used before, ended before any byte of the last answer: not the target's last word. */
  get diedUnheard(): boolean {
    return this.#phase === 'closed' && this.#exchanges > 1 && !this.#heard && !this.#aborted;
  }

  exchange(request: OutgoingRequest, options: ExchangeOptions): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#request = request;
      this.#options = options;
      this.#resolve = resolve;
      this.#reject = reject;
      this.#exchanges++;
      this.#heard = false;
      this.#interimHeads = 0;
      this.#phase = 'head';
      this.#socket.write(wireBytes(request));
    });
  }

  abort(reason: HttpError): void {
    this.#aborted = true;
    this.#fail(reason);
  }

  /** `count` bytes were read to where `onread.buffer` said. False stops reading for good. */
  #onBytes(count: number): boolean {
    this.#heard = true;
    try {
      if (this.#body !== undefined) {
        if (this.#body.took(count)) this.#finish();
      } else if (this.#phase === 'head') this.#onHeadBytes(count);
      else throw new HttpError('protocol', 'unsolicited response received on idle HTTP channel');
    } catch (error) {
      this.#fail(error);
    }
    return this.#phase !== 'closed';
  }

  /** Nearly always the head is whole in the first read; otherwise it is collected. */
  #onHeadBytes(count: number): void {
    const searched = this.#headFilled;
    if (searched > 0) this.#collectHead(count);
    const bytes = this.#headBytes ?? scratch;
    const filled = searched + count;
    const headEnd = findHeadEnd(bytes, searched, filled);
    if ((headEnd < 0 ? filled : headEnd) > HEAD_BYTES_MAX) {
      throw new HttpError('protocol', `net/http: server response headers exceeded ${HEAD_BYTES_MAX} bytes; aborted`);
    }
    if (headEnd < 0) {
      if (searched === 0) this.#collectHead(count);
      return;
    }
    this.#headBytes = undefined;
    this.#headFilled = 0;
    const head = parseHead(bytes, headEnd);
    if (head.status < 200 && head.status !== 101) this.#onInterimHead(bytes, headEnd, filled);
    else this.#onHead(head, bytes, headEnd, filled);
  }

  #collectHead(count: number): void {
    const needed = this.#headFilled + count;
    if (this.#headBytes === undefined || this.#headBytes.length < needed) {
      const larger = Buffer.allocUnsafe(2 * Math.max(SCRATCH_BYTES, needed));
      this.#headBytes?.copy(larger, 0, 0, this.#headFilled);
      this.#headBytes = larger;
    }
    scratch.copy(this.#headBytes, this.#headFilled, 0, count);
    this.#headFilled = needed;
  }

  /** 100 Continue and the like: another head follows, part of which may have come. */
  #onInterimHead(bytes: Buffer, from: number, end: number): void {
    if (++this.#interimHeads > INTERIM_HEADS_MAX) {
      throw new HttpError('protocol', 'net/http: too many 1xx informational responses');
    }
    // All of it came in the last read, so it fits; from here on it is as if it had come alone.
    bytes.copy(scratch, 0, from, end);
    if (end > from) this.#onHeadBytes(end - from);
  }

  /** A head has come; `bytes` from `from` to `end` followed it in the same read. */
  #onHead(head: ResponseHead, bytes: Buffer, from: number, end: number): void {
    this.#head = head;
    this.#phase = 'body';
    const options = this.#options!;
    const wanted = options.wantsBody(head);
    this.#body = wanted ? readBody(head.framing, options) : skipBody(head.framing);
    if (this.#body === undefined) this.#finish(true);
    else {
      const behind = putBody(this.#body, bytes, from, end);
      if (behind >= 0) this.#finish(behind > 0);
    }
  }

  /** The answer is whole. `excess`: something came that is not part of it, or will. */
  #finish(excess = false): void {
    const head = this.#head!;
    const body = this.#body;
    const wanted = this.#options!.wantsBody(head);
    const reusable = head.keepAlive && head.status !== 101 && !excess && body?.excess !== true;
    const resolve = this.#resolve!;
    this.#release();
    if (reusable) this.#phase = 'idle';
    else this.#shut();
    resolve({
      status: head.status,
      statusText: head.statusText,
      headers: head.headers,
      bodyBytes: wanted && body !== undefined ? body.filled : 0,
    });
  }

  /** The target has said all, or the connection is gone. */
  #onEnd(): void {
    if (this.#phase === 'closed') return;
    if (this.#body?.endsWithConnection && !this.#socket.destroyed) this.#finishUnlessReset();
    else this.#fail(this.#lostError());
  }

  /**
   * libuv reports a reset that comes together with data as an end in order, and a body cut by it would pass for whole.
   * Only a write tells the two apart.
   */
  #finishUnlessReset(): void {
    this.#socket.write('\r\n', (error) => {
      if (this.#phase === 'closed') return;
      if (error === null || error === undefined) this.#finish(true);
      else {
        this.#socketError = Object.assign(error, { code: 'ECONNRESET', syscall: 'read' });
        this.#fail(this.#lostError());
      }
    });
  }

  #fail(error: unknown): void {
    const reject = this.#reject;
    const request = this.#request;
    const beforeHead = this.#phase === 'head';
    this.#release();
    this.#shut();
    if (reject === undefined || request === undefined) return;
    reject(beforeHead && error instanceof HttpError ? inRequest(request, error) : error);
  }

  /** Nothing is written into the sink from here on: a destroyed socket reads no more. */
  #shut(): void {
    this.#phase = 'closed';
    this.#socket.destroy();
  }

  #release(): void {
    this.#request = undefined;
    this.#options = undefined;
    this.#resolve = undefined;
    this.#reject = undefined;
    this.#head = undefined;
    this.#body = undefined;
    this.#headBytes = undefined;
    this.#headFilled = 0;
  }

  #lostError(): HttpError {
    const cause = this.#socketError;
    if (cause === undefined) {
      if (this.#phase !== 'head') return new HttpError('broken', 'unexpected EOF');
      return new HttpError('broken', this.#heard ? broken('unexpected EOF').message : 'EOF');
    }
    const { syscall = 'read' } = cause as NodeJS.ErrnoException;
    if (cause instanceof AggregateError || syscall === 'connect' || syscall === 'getaddrinfo') {
      return dialError(this.#address, cause);
    }
    return new HttpError(
      'broken',
      `${syscall} ${networkOf(this.#address)}: ${syscall}: ${systemErrorText(cause)}`,
      cause,
    );
  }
}
