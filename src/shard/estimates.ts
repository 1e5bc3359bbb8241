// What a query would read, without reading it: series by their postings, samples by
// what a few of those series have.

import type { Core } from '../wasm/core.js';
import { Queries } from '../wasm/query.js';
import type { Select, SeriesList } from '../wasm/select.js';
import type { Reply, Request } from './protocol.js';

/** Series whose samples are counted; the others are taken to have as many. */
const PROBED_SERIES = 32;

/** Of matchers over a stretch of time. Series that ended before it are counted too. */
export function estimate(
  core: Core,
  select: Select,
  watermark: number,
  { matchers, startMs, endMs }: Request<'estimate'>,
): Reply<'estimate'> {
  const list = select.series(matchers);
  try {
    const series = list.count;
    if (series === 0 || !(endMs > startMs)) return { series, samples: 0 };
    const probe = spread(core, list);
    const samples = countSamples(core, probe, watermark, startMs, endMs);
    return { series, samples: (samples * series) / probe.count };
  } finally {
    select.release(list);
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

function countSamples(core: Core, list: SeriesList, watermark: number, startMs: number, endMs: number): number {
  const queries = new Queries(core);
  const window = { startMs: endMs, stepMs: 1, steps: 1, windowMs: endMs - startMs };
  const query = queries.open(list, queries.view(watermark), 'count_over_time', window, true);
  try {
    let samples = 0;
    for (let done = false; !done; ) {
      done = query.next();
      for (const count of new Float64Array(query.rows().values)) samples += count;
    }
    return samples;
  } finally {
    query.close();
  }
}
