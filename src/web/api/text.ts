// /api/v1/format_query and /api/v1/parse_query: about the text of a query only.

import type { Expr } from '../../promql/syntax/ast.js';
import { toJson } from '../../promql/syntax/json.js';
import { parseExpr } from '../../promql/syntax/parse.js';
import { prettify } from '../../promql/syntax/prettify.js';
import { invalidParameter } from '../errors.js';
import { type ApiHandler, type ApiRoute, GET_POST, sendData } from './call.js';
import { messageOf } from './time.js';

export const textRoutes: readonly ApiRoute[] = [
  { pattern: '/format_query', methods: GET_POST, handler: about(prettify) },
  { pattern: '/parse_query', methods: GET_POST, handler: about(toJson) },
];

function about(tell: (expr: Expr) => unknown): ApiHandler {
  return async (call) => {
    let told: unknown;
    try {
      told = tell(parseExpr(call.params.get('query'), call.deps.language));
    } catch (error) {
      throw invalidParameter('query', messageOf(error));
    }
    await sendData(call, JSON.stringify(told));
  };
}
