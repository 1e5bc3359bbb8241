// `narthex promql explain`: how a query is executed: its plan after each pass that changes it and, of a Narthex server, what
// it reads there. Ours, not of promtool.

import { HttpError } from '../../base/http.js';
import { explainQuery } from '../../promql/plan/planner.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../promql/syntax/parse.js';
import { switchFlag, textFlag } from '../flag.js';
import { Api, ApiError } from '../query/api.js';
import { secondsText, timeFlag, timeOf } from '../query/ask.js';
import { command, ToolError } from '../tool/command.js';
import { goDurationFlag } from '../tool/flags.js';
import { httpConfigFile } from '../tool/server.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const LOOKBACK_MS = 300_000;

export const explain = command({
  path: ['promql', 'explain'],
  help: 'Say how a query is executed and, with --url, what it reads there. Ours, not of promtool.',
  flags: {
    url: textFlag('url', '', 'A Narthex server, which estimates what the query reads.', { placeholder: '<URL>' }),
    analyze: switchFlag('analyze', false, 'Run the query there, and say what it did read.'),
    httpConfigFile,
    start: timeFlag('start', 'Where to begin; an hour before the end where absent.'),
    end: timeFlag('end', 'Where to end; now where absent.'),
    stepMs: goDurationFlag('step', MINUTE_MS, 'Time between two values.', { placeholder: '1m' }),
  },
  words: ['<query>'],
  run: async (world, { values, words }) => {
    const { url, analyze, stepMs, httpConfigFile: file } = values;
    const query = words[0]!;
    const endMs = timeOf(world, values.end, 'end', world.clock.nowMs());
    const startMs = timeOf(world, values.start, 'start', endMs - HOUR_MS);
    if (url === '') {
      if (analyze) throw new ToolError('--analyze runs the query on a server: say which with --url');
      const context = {
        startMs,
        endMs,
        stepMs,
        lookbackMs: LOOKBACK_MS,
        subqueryStepMs: MINUTE_MS,
        delayedNames: false,
      };
      world.out.line(explainQuery(parseExpr(query, ALL_PARSE_OPTIONS), context));
      return;
    }
    const params = [
      ['query', query],
      ['start', secondsText(startMs)],
      ['end', secondsText(endMs)],
      ['step', secondsText(stepMs)],
      ['analyze', String(analyze)],
    ] as const;
    const api = new Api(world, url, { httpConfigFile: file });
    try {
      const { data } = await api.post('/api/v1/status/explain_query', params);
      world.out.line((data as { readonly text: string }).text);
    } catch (error) {
      if (error instanceof ApiError && error.detail !== '')
        throw new ToolError(`no Narthex at ${url}: ${error.reason}`);
      if (error instanceof ApiError || error instanceof HttpError) throw new ToolError(error.message);
      throw error;
    } finally {
      api.close();
    }
  },
});
