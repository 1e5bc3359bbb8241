// POST /api/v1/write: the receiver of remote write 1.0 and 2.0.
//
// The body goes from the socket straight into memory that the storage lends; what it
// says is read there. Here are only the headers, the limits and the statuses.

import type { Answer } from '../answer.js';
import type { RemoteWrite, WriteOutcome, Written } from '../deps.js';
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
  const message = messageOf(request.header('content-type'), request.header('content-encoding'), receiver.messages);
  if ('refused' in message) return answer.error(415, message.refused);
  const version = message.name === WRITE_REQUEST_2 ? 2 : 1;

  const slot = receiver.open();
  const body = await request.readBody(slot, receiver.bodyBytesMax);
  if (body.kind === 'whole') {
    const outcome = await slot.store(body.bytes.length, version);
    if (version === 2) tellWritten(answer, outcome.written ?? NOTHING_WRITTEN);
    return respond(answer, outcome);
  }
  slot.drop();
  if (body.kind === 'too-large') return answer.error(413, tooLarge(receiver));
  if (body.kind === 'refused') {
    return respond(answer, { kind: 'busy', message: 'no room for the request body', retryAfterSeconds: 1 });
  }
  // Cut: nobody is there to be told.
}

const NOTHING_WRITTEN: Written = { samples: 0, histograms: 0, exemplars: 0 };

/** Senders of 2.0 want to know what came through, whatever the status. */
function tellWritten(answer: Answer, { samples, histograms, exemplars }: Written): void {
  answer.header('X-Prometheus-Remote-Write-Samples-Written', String(samples));
  answer.header('X-Prometheus-Remote-Write-Histograms-Written', String(histograms));
  answer.header('X-Prometheus-Remote-Write-Exemplars-Written', String(exemplars));
}

export function respond(answer: Answer, outcome: WriteOutcome): void | Promise<void> {
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

export function tooLarge(receiver: Pick<RemoteWrite, 'bodyBytesMax'>): string {
  return `request body larger than ${receiver.bodyBytesMax} bytes`;
}

/** The message that a request says it is, or why it is refused, in Prometheus's words; missing headers mean version 1.0. */
export function messageOf(
  contentType: string,
  contentEncoding: string,
  accepted: readonly string[],
): { readonly name: string } | { readonly refused: string } {
  const message = messageOfType(contentType === '' ? PROTOBUF : contentType);
  if ('refused' in message) return message;
  if (!accepted.includes(message.name)) {
    return {
      refused: `${message.name} protobuf message is not accepted by this server; accepted [${accepted.join(' ')}]`,
    };
  }
  if (contentEncoding === '' || contentEncoding === 'snappy') return message;
  return {
    refused: `${contentEncoding} encoding (compression) is not accepted by this server; only snappy is acceptable`,
  };
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
