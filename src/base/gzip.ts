// gzip bodies, inflated whole, under a bound, into memory the caller lends.
//
// In the thread that needs the text: inflating 185 KB takes about 0.1 ms, so handing it to zlib's own threads costs
// more than it saves. Not by `gunzipSync`: it makes an engine and two buffers for each body, and V8 answers external
// memory at that rate with major collections, a quarter of all CPU time (docs/decisions/0030-scrape-client.md).
//
// So we drive the engine below `createGunzip`, one for each thread, by a method that is not documented. Tried on
// Node 20; where it should be gone, `gunzipSync` and a copy do. A synchronous call of node:zlib that takes an
// output buffer would let us remove this.

import { constants, createGunzip, gunzipSync } from 'node:zlib';
import type { BodySink } from './http/exchange.js';

/**
 * - `corrupt`: the body is not what it says; messages are Go's, which tools read;
 * - `limit`: it is longer than allowed;
 * - `no-room`: the caller's memory had no room for it.
 */
export type GzipErrorReason = 'corrupt' | 'limit' | 'no-room';

export class GzipError extends Error {
  override readonly name = 'GzipError';
  constructor(
    readonly reason: GzipErrorReason,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/** Exposition text shrinks about tenfold: so much room is asked for first. */
const RATIO_GUESS = 10;
const ROOM_BYTES_MIN = 16 * 1024;
/** A body that outgrows so much room is measured before it gets more: most of those that do are bombs. */
const MEASURED_BYTES = 4 * 1024 * 1024;
/** What is measured goes here, piece by piece. */
const PIECE_BYTES = 64 * 1024;
/** What the fallback inflates to at most, where the caller sets no limit. */
const FALLBACK_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Inflates a body, of several members perhaps, and gives its length. Borrows `compressed`; it may lie in shared memory,
 * and in the sink's own memory, as long as the sink does not hand it out. No more than one byte over `decodedBytesMax`
 * is ever inflated. Throws GzipError.
 */
export function gunzipInto(compressed: Uint8Array, sink: BodySink, decodedBytesMax: number): number {
  if (compressed.length === 0) throw new GzipError('corrupt', 'EOF');
  const engine = engineOfThread();
  return engine === undefined
    ? copyInto(compressed, sink, decodedBytesMax)
    : inflateInto(engine, compressed, sink, decodedBytesMax);
}

// ---- The engine below createGunzip

interface Engine {
  readonly handle: {
    /** Inflates at once. What is left is in `state`; errors go to `onerror`. */
    writeSync(
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputBytes: number,
      output: Uint8Array,
      outputAt: number,
      outputBytes: number,
    ): void;
    /** Begins a new body. */
    reset(): void;
    onerror: (message: string, errno: number, code: string) => void;
  };
  /** Bytes left of the output, then of the input. */
  readonly state: Uint32Array;
  fault: { readonly message: string; readonly code: string } | undefined;
}

let engineMade: Engine | undefined;

/** Made at first use; undefined where Node has no such engine. */
function engineOfThread(): Engine | undefined {
  engineMade ??= makeEngine();
  return engineMade;
}

function makeEngine(): Engine | undefined {
  const { _handle: handle, _writeState: state } = createGunzip() as unknown as {
    _handle?: Partial<Engine['handle']>;
    _writeState?: unknown;
  };
  const isKnown = typeof handle?.writeSync === 'function' && typeof handle.reset === 'function';
  if (!isKnown || !(state instanceof Uint32Array) || state.length < 2) return undefined;
  const engine: Engine = { handle: handle as Engine['handle'], state, fault: undefined };
  engine.handle.onerror = (message, _, code) => {
    engine.fault = { message, code };
  };
  return engine;
}

function inflateInto(engine: Engine, compressed: Uint8Array, sink: BodySink, decodedBytesMax: number): number {
  const { handle, state } = engine;
  engine.fault = undefined;
  handle.reset();
  let inputAt = 0;
  let filled = 0;
  let output = roomFor(sink, Math.max(compressed.length * RATIO_GUESS, ROOM_BYTES_MIN), 0);
  for (;;) {
    // One byte over the limit is inflated, to tell a body that is too long from one that ends there.
    const outputBytes = Math.min(output.length, decodedBytesMax + 1) - filled;
    const inputBytes = compressed.length - inputAt;
    handle.writeSync(constants.Z_FINISH, compressed, inputAt, inputBytes, output, filled, outputBytes);
    const fault = faultOf(engine);
    if (fault !== undefined) throw corrupt(fault.message, fault.code);
    filled += outputBytes - state[0]!;
    inputAt = compressed.length - state[1]!;
    if (filled > decodedBytesMax) throw new GzipError('limit', 'body size limit exceeded');
    if (state[0]! > 0) break;
    if (filled < MEASURED_BYTES) output = roomFor(sink, 2 * filled, filled);
    else {
      const bytes = filled + measureRest(engine, compressed, inputAt, decodedBytesMax - filled);
      handle.reset();
      inputAt = 0;
      filled = 0;
      // A byte more, so that it is seen to end.
      output = roomFor(sink, bytes + 1, 0);
    }
  }
  // zlib stops at the end of the last member and is silent about what follows; Go is not.
  if (inputAt < compressed.length) throw new GzipError('corrupt', 'gzip: invalid header');
  return filled;
}

/** How long the rest of a body is, which is inflated to nowhere. Throws GzipError where that is more than `bytesMax`. */
function measureRest(engine: Engine, compressed: Uint8Array, inputAt: number, bytesMax: number): number {
  const { handle, state } = engine;
  const piece = new Uint8Array(PIECE_BYTES);
  for (let bytes = 0; ; ) {
    const inputBytes = compressed.length - inputAt;
    handle.writeSync(constants.Z_FINISH, compressed, inputAt, inputBytes, piece, 0, piece.length);
    const fault = faultOf(engine);
    if (fault !== undefined) throw corrupt(fault.message, fault.code);
    bytes += piece.length - state[0]!;
    inputAt = compressed.length - state[1]!;
    if (bytes > bytesMax) throw new GzipError('limit', 'body size limit exceeded');
    if (state[0]! > 0) return bytes;
  }
}

/** What the engine complained about since the body began. A function, because the compiler sees nobody set it. */
function faultOf(engine: Engine): Engine['fault'] {
  return engine.fault;
}

function roomFor(sink: BodySink, bytes: number, kept: number): Uint8Array {
  const view = sink.reserve(bytes, kept);
  if (view === undefined) throw new GzipError('no-room', `no memory for a body of ${bytes} bytes`);
  return view;
}

// ---- Without it

export function copyInto(compressed: Uint8Array, sink: BodySink, decodedBytesMax: number): number {
  const { buffer, bytesRead } = inflateWhole(compressed, decodedBytesMax);
  if (bytesRead < compressed.length) throw new GzipError('corrupt', 'gzip: invalid header');
  if (buffer.length > decodedBytesMax) throw new GzipError('limit', 'body size limit exceeded');
  if (buffer.length > 0) roomFor(sink, buffer.length, 0).set(buffer);
  return buffer.length;
}

function inflateWhole(compressed: Uint8Array, decodedBytesMax: number): { buffer: Uint8Array; bytesRead: number } {
  const maxOutputLength = Math.max(1, Math.min(decodedBytesMax, FALLBACK_BYTES_MAX));
  try {
    const { buffer, engine } = gunzipSync(compressed, { maxOutputLength, info: true } as object) as unknown as {
      buffer: Uint8Array;
      engine: { bytesWritten: number };
    };
    return { buffer, bytesRead: engine.bytesWritten };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw new GzipError('limit', 'body size limit exceeded');
    throw corrupt(message, code);
  }
}

/** zlib's fault in Go's words. */
function corrupt(message: string, code: string): GzipError {
  if (code === 'Z_BUF_ERROR') return new GzipError('corrupt', 'unexpected EOF');
  if (/header|compression method/.test(message)) return new GzipError('corrupt', 'gzip: invalid header');
  if (/data check|length check/.test(message)) return new GzipError('corrupt', 'gzip: invalid checksum');
  return new GzipError('corrupt', `flate: corrupt input: ${message}`);
}
