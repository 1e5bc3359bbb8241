// /api/v1/format_query and /api/v1/parse_query: about the text of a query only.

import { invalidParameter } from '../errors.js';
import { type ApiCall, type ApiHandler, type ApiRoute, GET_POST, sendData } from './call.js';
import { messageOf } from './time.js';

export const textRoutes: readonly ApiRoute[] = [
  { pattern: '/format_query', methods: GET_POST, handler: about((call, text) => call.deps.syntax.format(text)) },
  { pattern: '/parse_query', methods: GET_POST, handler: about((call, text) => call.deps.syntax.tree(text)) },
];

function about(tell: (call: ApiCall, text: string) => unknown): ApiHandler {
  return async (call) => {
    let told: unknown;
    try {
      told = tell(call, call.params.get('query'));
    } catch (error) {
      throw invalidParameter('query', messageOf(error));
    }
    await sendData(call, JSON.stringify(told));
  };
}
