// POST /api/v1/write: the receiver of remote write 1.0.
//
// The body goes from the socket straight into memory that the storage lends; what it
// says is read there. Here are only the headers, the limits and the statuses.

import type { Answer } from '../answer.js';
import type { RemoteWrite, WriteOutcome } from '../deps.js';
import type { PageCall, PageRoute } from '../page.js';

const PROTOBUF = 'application/x-protobuf';
/** The message of remote write 1.0, also meant where none is named. */
const WRITE_REQUEST = 'prometheus.WriteRequest';
const WRITE_REQUEST_2 = 'io.prometheus.write.v2.Request';

export const writeRoute: PageRoute = {
  pattern: '/api/v1/write',
  methods: ['POST'],
  handler: write,
  needsReady: true,
  changes: true,
};

async function write({ deps, request, answer }: PageCall): Promise<void> {
  const receiver = deps.remoteWrite;
  if (receiver === undefined) {
    const flag = '--web.enable-remote-write-receiver';
    return answer.error(404, `remote write receiver needs to be enabled with ${flag}`);
  }
  const refusal = refuseHeaders(request.header('content-type'), request.header('content-encoding'));
  if (refusal !== undefined) return answer.error(415, refusal);

  const slot = receiver.open();
  const body = await request.readBody(slot, receiver.bodyBytesMax);
  if (body.kind === 'whole') return respond(answer, await slot.store(body.bytes.length));
  slot.drop();
  if (body.kind === 'too-large') return answer.error(413, tooLarge(receiver));
  if (body.kind === 'refused') {
    return respond(answer, { kind: 'busy', message: 'no room for the request body', retryAfterSeconds: 1 });
  }
  // Cut: nobody is there to be told.
}

function respond(answer: Answer, outcome: WriteOutcome): void | Promise<void> {
  switch (outcome.kind) {
    case 'stored':
      return answer.empty(204);
    case 'bad':
      return answer.error(400, outcome.message);
    case 'busy':
      answer.header('Retry-After', String(outcome.retryAfterSeconds));
      return answer.error(503, outcome.message);
    case 'failed':
      return answer.error(500, outcome.message);
  }
}

function tooLarge(receiver: RemoteWrite): string {
  return `request body larger than ${receiver.bodyBytesMax} bytes`;
}

/** Why a request of these headers is refused, in Prometheus's words; missing headers mean version 1.0. */
export function refuseHeaders(contentType: string, contentEncoding: string): string | undefined {
  const message = messageOfType(contentType === '' ? PROTOBUF : contentType);
  if ('refused' in message) return message.refused;
  if (message.name !== WRITE_REQUEST) {
    return `${message.name} protobuf message is not accepted by this server; accepted [${WRITE_REQUEST}]`;
  }
  if (contentEncoding === '' || contentEncoding === 'snappy') return undefined;
  return `${contentEncoding} encoding (compression) is not accepted by this server; only snappy is acceptable`;
}

/** `application/x-protobuf;proto=prometheus.WriteRequest` */
function messageOfType(contentType: string): { readonly name: string } | { readonly refused: string } {
  const [media, ...parameters] = contentType.split(';').map((part) => part.trim());
  if (media !== PROTOBUF) {
    return { refused: `expected ${PROTOBUF} as the first (media) part, got ${contentType} content-type` };
  }
  for (const parameter of parameters) {
    const [key, name, ...more] = parameter.split('=');
    if (name === undefined || more.length > 0) {
      return {
        refused: `as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be key-values, got ${parameter} in ${contentType} content-type`,
      };
    }
    if (key !== 'proto') continue;
    if (name === WRITE_REQUEST || name === WRITE_REQUEST_2) return { name };
    const supported = `supported: ${WRITE_REQUEST}, ${WRITE_REQUEST_2}`;
    return { refused: `got ${contentType} content type; unknown remote write protobuf message ${name}, ${supported}` };
  }
  return { name: WRITE_REQUEST };
}
