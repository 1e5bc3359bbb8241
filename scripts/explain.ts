// How a query is executed: its plan after each pass that changes it and, of a server, what
// it reads there.
//
//   npm run explain -- 'sum by (job) (rate(x[5m])) / (60 * 5)'
//   npm run explain -- 'sum(rate(x[5m]))' --url http://localhost:9090             estimates
//   npm run explain -- 'sum(rate(x[5m]))' --url http://localhost:9090 --analyze   runs it, too

import { parseArgs } from 'node:util';
import { explainQuery } from '../src/promql/plan/planner.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../src/promql/syntax/parse.js';

const HOUR_MS = 3_600_000;
const STEP_MS = 60_000;

const USAGE = "npm run explain -- 'sum(rate(x[5m]))' [--url http://localhost:9090 [--analyze]]";

try {
  console.log(await answer());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function answer(): Promise<string> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { url: { type: 'string' }, analyze: { type: 'boolean', default: false } },
  });
  const [query, ...others] = positionals;
  if (query === undefined || others.length > 0) throw new Error(USAGE);
  if (values.url !== undefined) return askServer(values.url, query, values.analyze);
  if (values.analyze) throw new Error('--analyze runs the query on a server: say which with --url');
  return explain(query);
}

/** As a range query of the last hour, by the minute. */
function explain(text: string): string {
  const endMs = Date.now();
  return explainQuery(parseExpr(text, ALL_PARSE_OPTIONS), {
    startMs: endMs - HOUR_MS,
    endMs,
    stepMs: STEP_MS,
    lookbackMs: 300_000,
    subqueryStepMs: 60_000,
    delayedNames: false,
  });
}

async function askServer(url: string, text: string, analyze: boolean): Promise<string> {
  const end = Math.floor(Date.now() / 1000);
  const times = { start: String(end - HOUR_MS / 1000), end: String(end), step: String(STEP_MS / 1000) };
  const body = new URLSearchParams({ query: text, ...times, analyze: String(analyze) });
  const response = await fetch(`${url.replace(/\/$/, '')}/api/v1/status/explain_query`, { method: 'POST', body }).catch(
    (error: Error) => {
      throw new Error(`no answer from ${url}: ${String(error.cause ?? error)}`);
    },
  );
  const said = await response.text();
  if (!said.startsWith('{')) throw new Error(`no Narthex at ${url}: ${response.status} ${said.slice(0, 200)}`);
  const { status, error, data } = JSON.parse(said) as { status: string; error?: string; data: { text: string } };
  if (status !== 'success') throw new Error(error);
  return data.text;
}
