// How a query is executed: its plan after each pass that changes it.
//
//   npm run explain -- 'sum by (job) (rate(x[5m])) / (60 * 5)'

import { explainQuery } from '../src/promql/plan/planner.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../src/promql/syntax/parse.js';

const [query] = process.argv.slice(2);

if (query === undefined) {
  console.error("npm run explain -- 'sum(rate(x[5m]))'");
  process.exitCode = 1;
} else {
  try {
    console.log(explain(query));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

/** As a range query of an hour, by the minute. */
function explain(text: string): string {
  const endMs = Date.now();
  return explainQuery(parseExpr(text, ALL_PARSE_OPTIONS), {
    startMs: endMs - 3_600_000,
    endMs,
    stepMs: 60_000,
    lookbackMs: 300_000,
    subqueryStepMs: 60_000,
    delayedNames: false,
  });
}
