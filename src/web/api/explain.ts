// /api/v1/status/explain_query: the plan of a query and what it reads; with analyze=true it
// is run, and what came of it told beside the estimates. Ours; Prometheus has no such thing.

import { type Explanation, explanationText } from '../../query/explain.js';
import { type ApiCall, type ApiRoute, GET_POST, sendData } from './call.js';
import { asked, readOptions, readSteps } from './query.js';
import { timeParameter } from './time.js';

export const explainRoutes: readonly ApiRoute[] = [
  { pattern: '/status/explain_query', methods: GET_POST, handler: explain },
];

/** With `start`, `end` and `step` as a range query, which needs all three; without any as an instant one. */
async function explain(call: ApiCall): Promise<void> {
  const { params, deps } = call;
  const options = { ...readOptions(call), analyze: params.get('analyze') === 'true' };
  const ranged = ['start', 'end', 'step'].some((name) => params.get(name) !== '');
  const { steps, endMs } = ranged ? readSteps(call) : instantSteps(timeParameter(params, 'time', deps.clock.nowMs()));
  const text = params.get('query');
  const explanation = await asked(() => deps.query.explain(text, steps, ranged, { ...options, endMs }));
  await sendData(call, JSON.stringify(answerOf(explanation)));
}

function instantSteps(timeMs: number): { steps: Parameters<ApiCall['deps']['query']['range']>[1]; endMs: number } {
  return { steps: { startMs: timeMs, stepMs: 1, count: 1 }, endMs: timeMs };
}

function answerOf(explanation: Explanation): object {
  return { ...explanation, text: explanationText(explanation) };
}
