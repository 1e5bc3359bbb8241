// The body of an OTLP export as a request of remote write.

import { gunzipSync } from 'node:zlib';
import { TooLong } from '../../base/message-writer.js';
import { WireError } from '../wire.js';
import { decodeOtlpJson } from './json.js';
import { decodeOtlp } from './protobuf.js';
import { type OtlpOptions, translate } from './translate.js';
import { writeRequestOf } from './write-request.js';

/** How a body is coded, and how it becomes series. */
export interface OtlpBody {
  readonly coding: 'protobuf' | 'json';
  readonly gzip: boolean;
  readonly options: OtlpOptions;
}

export interface OtlpRewritten {
  /** A prometheus.WriteRequest. */
  readonly body: Uint8Array;
  /** What was left out, and why. */
  readonly faults: readonly string[];
}

/** Bytes after decompression. */
const BODY_BYTES_MAX = 32 << 20;

/** Throws a WireError where the body is no export. It may be a view of shared memory. */
export function rewriteOtlp(given: Uint8Array, { coding, gzip, options }: OtlpBody): OtlpRewritten {
  const body = gzip ? inflated(given) : given.slice();
  const resources = coding === 'json' ? decodeOtlpJson(Buffer.from(body).toString('utf8')) : decodeOtlp(body);
  const translated = translate(resources, options);
  try {
    return { body: writeRequestOf(translated), faults: translated.faults };
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    throw new WireError(`an export of more than ${error.bytesMax} bytes as series`);
  }
}

function inflated(given: Uint8Array): Uint8Array {
  try {
    return gunzipSync(given.slice(), { maxOutputLength: BODY_BYTES_MAX });
  } catch (error) {
    const isTooLarge = (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
    throw new WireError(isTooLarge ? `over ${BODY_BYTES_MAX} bytes when inflated` : (error as Error).message);
  }
}
