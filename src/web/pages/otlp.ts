// POST /api/v1/otlp/v1/metrics: metrics as OpenTelemetry exports them.

import type { PageCall, PageRoute } from '../page.js';
import { respond, tooLarge } from './write.js';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

export const otlpRoute: PageRoute = {
  pattern: '/api/v1/otlp/v1/metrics',
  methods: ['POST'],
  handler: receive,
  needsReady: true,
  changes: true,
};

async function receive({ deps, request, answer }: PageCall): Promise<void> {
  const receiver = deps.otlp;
  if (receiver === undefined) {
    return answer.error(404, 'otlp write receiver needs to be enabled with --web.enable-otlp-receiver');
  }
  const type = request.header('content-type');
  if (type !== PROTOBUF && type !== JSON_TYPE) {
    return answer.error(400, `unsupported content type: ${type}, supported: [${JSON_TYPE}, ${PROTOBUF}]`);
  }
  const encoding = request.header('content-encoding');
  if (encoding !== '' && encoding !== 'gzip') {
    return answer.error(400, `unsupported compression: ${encoding}. Only "gzip" or no compression supported`);
  }
  const slot = receiver.open({ coding: type === JSON_TYPE ? 'json' : 'protobuf', gzip: encoding === 'gzip' });
  const body = await request.readBody(slot, receiver.bodyBytesMax);
  if (body.kind === 'whole') {
    const outcome = await slot.store(body.bytes.length);
    return outcome.kind === 'stored' ? answer.empty(200) : respond(answer, outcome);
  }
  slot.drop();
  if (body.kind === 'too-large') return answer.error(413, tooLarge(receiver));
  if (body.kind === 'refused') {
    return respond(answer, { kind: 'busy', message: 'no room for the request body', retryAfterSeconds: 1 });
  }
  // Cut: nobody is there to be told.
}
