// gzip bodies, inflated whole under a bound.
//
// In one call and in the thread that needs the text: inflating 256 KB takes about 0.2 ms, so handing it to zlib's
// own threads costs more than it saves (docs/decisions/0030-scrape-client.md).

import { gunzipSync, type ZlibOptions } from 'node:zlib';

/** The body is not what it says, or longer than allowed. Messages are Go's, which tools read. */
export class GzipError extends Error {
  override readonly name = 'GzipError';
  constructor(
    readonly reason: 'corrupt' | 'limit',
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

export interface GunzipOptions {
  /** More decoded bytes than this are an error `limit`; no more than this is ever set aside. */
  readonly decodedBytesMax: number;
  /** How long the text probably is: a good guess saves putting pieces together. 0 where nobody knows. */
  readonly decodedBytesHint: number;
}

/** Where there is no guess: exposition text shrinks about tenfold. */
const RATIO_GUESS = 10;
/** Even where the caller sets no limit: a body is one array. */
const DECODED_BYTES_MAX = 1024 * 1024 * 1024;
const PIECE_BYTES_MIN = 16 * 1024;
const PIECE_BYTES_MAX = 16 * 1024 * 1024;

/** Borrows `compressed`; it may lie in shared memory. Throws GzipError. */
export function gunzip(compressed: Uint8Array, options: GunzipOptions): Uint8Array {
  if (compressed.length === 0) throw new GzipError('corrupt', 'EOF');
  const { decodedBytesMax, decodedBytesHint } = options;
  const guess = decodedBytesHint > 0 ? decodedBytesHint + 1024 : compressed.length * RATIO_GUESS;
  const { buffer, engine } = inflate(compressed, {
    maxOutputLength: Math.max(1, Math.min(decodedBytesMax, DECODED_BYTES_MAX)),
    chunkSize: Math.max(PIECE_BYTES_MIN, Math.min(guess, decodedBytesMax, PIECE_BYTES_MAX)),
  });
  // zlib stops at the end of the last member and is silent about what follows; Go is not.
  if (engine.bytesWritten !== compressed.length) throw new GzipError('corrupt', 'gzip: invalid header');
  if (buffer.length > decodedBytesMax) throw limitError();
  return buffer;
}

function inflate(
  compressed: Uint8Array,
  options: ZlibOptions,
): { buffer: Uint8Array; engine: { bytesWritten: number } } {
  try {
    return gunzipSync(compressed, { ...options, info: true }) as never;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw limitError();
    throw new GzipError('corrupt', corruptText(code, message), error);
  }
}

function limitError(): GzipError {
  return new GzipError('limit', 'body size limit exceeded');
}

function corruptText(code: string | undefined, message: string): string {
  if (code === 'Z_BUF_ERROR') return 'unexpected EOF';
  if (message.includes('header') || message.includes('compression method')) return 'gzip: invalid header';
  if (message.includes('data check') || message.includes('length check')) return 'gzip: invalid checksum';
  return `flate: corrupt input: ${message}`;
}
