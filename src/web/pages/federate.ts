// /federate: the newest sample of each selected series, as exposition text or protobuf.

import type { Matcher } from '../../model/matcher.js';
import { ParseError } from '../../promql/syntax/errors.js';
import { parseSelector } from '../../promql/syntax/parse.js';
import { expressionOf } from '../../query/federate-expressions.js';
import { messageOf } from '../api/time.js';
import { apiErrorOf, badData } from '../errors.js';
import { chooseExposition, expositionType } from '../negotiate.js';
import type { PageCall, PageRoute } from '../page.js';
import { Params } from '../params.js';

export const federateRoute: PageRoute = {
  pattern: '/federate',
  methods: ['GET'],
  handler: federate,
  needsReady: true,
};

async function federate(call: PageCall): Promise<void> {
  try {
    await answerFederation(call);
  } catch (error) {
    call.metrics.federationErrors.value++;
    throw error;
  }
}

async function answerFederation({ deps, request, answer }: PageCall): Promise<void> {
  const params = new Params();
  params.add(request.query);
  if (params.error !== undefined) return answer.error(400, `error parsing form values: ${params.error}`);
  const selectors: (readonly Matcher[])[] = [];
  for (const text of params.all('match[]')) {
    try {
      selectors.push(parseSelector(text));
    } catch (error) {
      return answer.error(400, messageOf(error));
    }
  }
  const exposition = chooseExposition(request.header('accept'));
  const type = expositionType(exposition);
  const expressions = params.all('expr[]').map(expressionOf);
  if (selectors.length + expressions.length === 0) return answer.whole(200, type, '');

  const query = { selectors, expressions, nowMs: deps.clock.nowMs(), ...exposition, signal: answer.signal };
  const pieces = deps.storage.federate(query)[Symbol.asyncIterator]();
  // The first piece decides between an error and an answer.
  let piece: IteratorResult<Uint8Array>;
  try {
    piece = await pieces.next();
  } catch (thrown) {
    const error = apiErrorOf(thrown instanceof ParseError ? badData(thrown.message) : thrown);
    if (error.type === 'internal' || expressions.length === 0) throw thrown;
    return answer.error(error.status, error.message);
  }
  if (piece.done === true) return answer.whole(200, type, '');
  const stream = answer.stream(200, type);
  try {
    for (; piece.done !== true; piece = await pieces.next()) {
      await stream.write(piece.value);
      if (answer.signal.aborted) {
        await pieces.return?.();
        return;
      }
    }
    await stream.end();
  } catch (error) {
    stream.fail();
    throw error;
  }
}
