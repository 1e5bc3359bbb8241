// `narthex query analyze`: how many buckets of histograms have anything in them, over time.

import { HttpError } from '../../base/http.js';
import { parseTime } from '../../web/api/time.js';
import { listFlag, textFlag } from '../flag.js';
import { command, ToolError } from '../tool/command.js';
import { goDurationFlag } from '../tool/flags.js';
import { goDuration } from '../tool/go-text.js';
import { Api, ApiError } from './api.js';
import { queryFlags, secondsText, timeFlag } from './ask.js';
import { type BucketStats, classicStats, nativeStats, summaryText } from './bucket-stats.js';
import { type ApiSeries, labelSetText, metricText, valueOf } from './values.js';

const HEAD = `Bucket stats for each histogram series over time
------------------------------------------------
First the min, avg, and max number of populated buckets, followed by the total
number of buckets (only if different from the max number of populated buckets
which is typical for classic but not native histograms).`;

const FOOT = `Aggregated bucket stats
-----------------------
Each line shows min/avg/max over the series above.`;

export const analyze = command({
  path: ['query', 'analyze'],
  help: 'Ask a server for histograms, and count which buckets are used.',
  flags: {
    ...queryFlags,
    server: textFlag('server', '', 'The server to ask.', { placeholder: '<URL>', required: true }),
    type: textFlag('type', '', 'What to look at: histogram.', { placeholder: 'histogram', required: true }),
    durationMs: goDurationFlag('duration', 3_600_000, 'How far back to look.', { placeholder: '1h' }),
    time: timeFlag('time', 'Where to end; now where absent.'),
    match: listFlag('match', [], 'Selector of series. Can be repeated.', undefined, {
      placeholder: '<selector>',
      required: true,
    }),
  },
  words: [],
  run: async (world, { values }) => {
    const { server, type, durationMs, time, match, httpConfigFile } = values;
    if (type !== 'histogram') throw new ToolError(`analyze type is ${type}, must be 'histogram'`);
    const endMs = time === '' ? world.clock.nowMs() : endOf(time);
    const print = (text: string) => world.out.line(text);
    const api = new Api(world, server, { httpConfigFile });
    try {
      print(`${HEAD}\n`);
      const found: Found[] = [];
      for (const selector of match) {
        const of = histogramsOf(await samplesOf(api, `${selector}[${goDuration(durationMs)}]`, endMs));
        for (const { name, kind, stats } of of) print(`- ${name} (${kind}): ${stats}`);
        found.push(...of);
      }
      print(`\n${FOOT}`);
      for (const [kind, title] of [
        ['native', 'Native'],
        ['classic', 'Classic'],
      ] as const) {
        const stats = found.filter((one) => one.kind === kind).map((one) => one.stats);
        if (stats.length > 0) print(`\n${title} ${summaryText(stats)}`);
      }
    } finally {
      api.close();
    }
  },
});

function endOf(text: string): number {
  try {
    return parseTime(text);
  } catch (error) {
    throw new ToolError(`error parsing time '${text}': ${(error as Error).message}`);
  }
}

async function samplesOf(api: Api, query: string, endMs: number): Promise<readonly ApiSeries[]> {
  try {
    const params = [
      ['query', query],
      ['time', secondsText(endMs)],
    ] as const;
    const value = valueOf((await api.post('/api/v1/query', params)).data);
    if (value.resultType !== 'matrix') throw new ToolError('query of buckets resulted in non-Matrix');
    return value.result;
  } catch (error) {
    if (error instanceof ApiError || error instanceof HttpError) throw new ToolError(error.message);
    throw error;
  }
}

interface Found {
  readonly name: string;
  readonly kind: 'native' | 'classic';
  readonly stats: BucketStats;
}

/** A series with floats is a bucket of a classic histogram, one without is a native one; others are passed over. */
function histogramsOf(matrix: readonly ApiSeries[]): Found[] {
  const found: Found[] = [];
  const classic = new Map<string, ApiSeries[]>();
  for (const series of matrix) {
    const { metric, values = [], histograms = [] } = series;
    if (values.length === 0) {
      const stats = nativeStats(histograms.map(([, histogram]) => histogram));
      if (stats !== undefined) found.push({ name: metricText(metric), kind: 'native', stats });
      continue;
    }
    const { __name__: name = '', le, ...others } = metric;
    if (le === undefined || !name.endsWith('_bucket')) continue;
    const key = name + labelSetText(others);
    classic.set(key, [...(classic.get(key) ?? []), series]);
  }
  for (const [name, buckets] of classic) {
    const stats = classicStats(buckets);
    if (stats !== undefined) found.push({ name, kind: 'classic', stats });
  }
  return found;
}
