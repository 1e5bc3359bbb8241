// POST /api/v1/import: old samples into blocks, past the head. OpenMetrics text, or the body of a remote write.

import { type ApiError, apiErrorOf, ApiError as Refusal, sendError } from '../errors.js';
import { JSON_TYPE } from '../json.js';
import type { PageCall, PageRoute } from '../page.js';

/** Larger ones are split, or go through `narthex tsdb create-blocks-from`. */
const BODY_BYTES_MAX = 256 * 2 ** 20;

export const importRoute: PageRoute = {
  pattern: '/api/v1/import',
  methods: ['POST'],
  handler: importSamples,
  needsReady: true,
  changes: true,
};

async function importSamples({ deps, request, answer }: PageCall): Promise<void> {
  const refuse = (error: ApiError) => sendError(answer, error);
  const { admin } = deps;
  if (admin === undefined) return refuse(new Refusal('unavailable', 'admin APIs disabled', 500));
  const encoding = request.header('content-encoding');
  const isWrite = request.header('content-type').startsWith('application/x-protobuf');
  if (encoding !== '' && !(isWrite && encoding === 'snappy')) {
    return refuse(new Refusal('bad_data', `content encoding ${encoding} is not accepted`, 415));
  }
  const body = await request.readBody({ reserve: (bytes) => new Uint8Array(bytes) }, BODY_BYTES_MAX);
  if (body.kind === 'too-large') {
    return refuse(new Refusal('bad_data', `request body larger than ${BODY_BYTES_MAX} bytes: split it`, 413));
  }
  if (body.kind !== 'whole') return;
  try {
    const imported = await admin.importSamples(isWrite ? 'remote-write' : 'openmetrics', bufferOf(body.bytes));
    const { conflicts, example, ...data } = imported;
    const left = `${conflicts} samples had the time of another one and another value, and are left out: ${example}`;
    const warnings = conflicts === 0 ? {} : { warnings: [left] };
    return answer.whole(200, JSON_TYPE, JSON.stringify({ status: 'success', data, ...warnings }));
  } catch (error) {
    return refuse(apiErrorOf(error));
  }
}

/** The body alone, in a buffer that may move. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.length === bytes.buffer.byteLength ? (bytes.buffer as ArrayBuffer) : bytes.slice().buffer;
}
