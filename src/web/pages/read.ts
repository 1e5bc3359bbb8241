// POST /api/v1/read: remote read, for a server that has this one behind it.

import type { Answer } from '../answer.js';
import type { ReadAnswer } from '../deps.js';
import { heapSink } from '../door.js';
import { apiErrorOf } from '../errors.js';
import type { PageCall, PageRoute } from '../page.js';

/** Of a request, compressed. */
const BODY_BYTES_MAX = 32 << 20;
const SAMPLES_TYPE = 'application/x-protobuf';
const CHUNKS_TYPE = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';

export const readRoute: PageRoute = {
  pattern: '/api/v1/read',
  methods: ['POST'],
  handler: read,
  needsReady: true,
};

async function read({ deps, request, answer }: PageCall): Promise<void> {
  const body = await request.readBody(heapSink, BODY_BYTES_MAX);
  if (body.kind === 'too-large') return answer.error(413, `request body larger than ${BODY_BYTES_MAX} bytes`);
  if (body.kind !== 'whole') return;
  try {
    await deps.remoteRead(body.bytes, answer.gone, (result) => send(answer, result));
  } catch (thrown) {
    if (answer.status !== 0) throw thrown;
    const error = apiErrorOf(thrown);
    if (error.type === 'internal') deps.log.error('remote read failed', { err: error });
    await answer.error(error.status, error.message);
  }
}

async function send(answer: Answer, result: ReadAnswer): Promise<void> {
  if (result.form === 'samples') {
    answer.header('Content-Encoding', 'snappy');
    return answer.asIs(200, SAMPLES_TYPE, result.body);
  }
  const frames = result.frames[Symbol.asyncIterator]();
  // The first frames decide between an error and an answer.
  let piece = await frames.next();
  const stream = answer.streamAsIs(200, CHUNKS_TYPE);
  try {
    for (; piece.done !== true && !answer.gone.aborted; piece = await frames.next()) await stream.write(piece.value);
    await stream.end();
  } catch (error) {
    stream.fail();
    throw error;
  } finally {
    await frames.return?.();
  }
}
