// What a query would read, without reading it: series by their postings, samples by
// what a few of those series have.

import type { Core } from '../wasm/core.js';
import { Queries, type Query } from '../wasm/query.js';
import type { Select, SeriesList } from '../wasm/select.js';
import type { HistoryFeed } from './history/feed.js';
import type { ShardHistory } from './history/history.js';
import type { Reply, Request } from './protocol.js';
import { ALONE } from './snapshots.js';

/** Series whose samples are counted; the others are taken to have as many. */
const PROBED_SERIES = 32;

/** Of matchers over a stretch of time. Series of the head that ended before it are counted too. */
export function estimate(
  core: Core,
  select: Select,
  past: ShardHistory,
  watermark: number,
  { matchers, startMs, endMs }: Request<'estimate'>,
): Reply<'estimate'> {
  const history = past.open(ALONE, watermark);
  try {
    const span = { minTimeMs: Math.floor(startMs) + 1, maxTimeMs: Math.floor(endMs) };
    const selection = history.select([matchers], span);
    const list = history.join(select, select.series(matchers), selection);
    try {
      const series = list.count;
      if (series === 0 || !(endMs > startMs)) return { series, samples: 0 };
      const probe = spread(core, list);
      const feed = (query: Query) => history.feed(query, probe, selection, span);
      const samples = countSamples(core, probe, watermark, startMs, endMs, feed);
      return { series, samples: (samples * series) / probe.count };
    } finally {
      select.release(list);
    }
  } finally {
    history.close();
  }
}

/** Some series from all over the list, moved to its begin; ascending as the list is. */
function spread(core: Core, list: SeriesList): SeriesList {
  const count = Math.min(list.count, PROBED_SERIES);
  const indexes = core.u32(list.address, list.count);
  const stride = list.count / count;
  for (let i = 0; i < count; i++) indexes[i] = indexes[Math.floor(i * stride)]!;
  return { ...list, count };
}

function countSamples(
  core: Core,
  list: SeriesList,
  watermark: number,
  startMs: number,
  endMs: number,
  feedOf: (query: Query) => HistoryFeed | undefined,
): number {
  const queries = new Queries(core);
  const window = { startMs: endMs, stepMs: 1, steps: 1, windowMs: endMs - startMs };
  const query = queries.open(list, queries.view(watermark), 'count_over_time', window, true);
  let feed: HistoryFeed | undefined;
  try {
    feed = feedOf(query);
    let samples = 0;
    for (let done = false; !done; ) {
      feed?.load(query);
      done = query.next();
      for (const count of new Float64Array(query.rows().values)) samples += count;
    }
    return samples;
  } finally {
    feed?.close();
    query.close();
  }
}
