// Rows of a query as the text of its answer, beside the same rows as columns; the newest samples of many series,
// for which no chunk is decoded. `node dist/bench/kernels/render.js [filter]`.

import { pathToFileURL } from 'node:url';
import { Prng } from '../../src/base/prng.js';
import { Queries, type QueryWindow } from '../../src/wasm/query.js';
import { Select } from '../../src/wasm/select.js';
import { ANY_TIME, HeadRig, type HeadRow } from '../../test/support/head.js';
import { type Micro, printAll } from './micro.js';

const START_MS = 1_700_000_000_000;
const STEP_MS = 15_000;

/** `count` series of one metric with so many samples each, of values that change or, every second series, stay. */
function rigOf(count: number, samples: number): HeadRig {
  const rig = new HeadRig();
  const random = new Prng(42);
  for (let i = 0; i < count; i++) {
    const labels = ['__name__', 'go_goroutines', 'instance', `10.20.0.${i}:9100`, 'job', `job-${i % 7}`];
    rig.exposition.scratch.write(labels);
    rig.head.resolve();
    rig.withPart((part) => rig.head.create(part, i + 1));
  }
  const cell = new DataView(new ArrayBuffer(8));
  for (let step = 0; step < samples; step++) {
    const rows = Array.from({ length: count }, (_, series): HeadRow => {
      cell.setFloat64(0, series % 2 === 0 ? series : random.int(1_000_000) / 100);
      const timeMs = BigInt(START_MS + step * STEP_MS);
      return { series, ref: series + 1, timeMs, bits: cell.getBigUint64(0) };
    });
    rig.append(rows, { append: 0, baseRef: 0, baseTimeMs: 0, ...ANY_TIME });
  }
  rig.head.commit(0);
  return rig;
}

/** One morsel over all series of a rig, as text or as columns. Gives the number of cells. */
function morsel(rig: HeadRig, window: QueryWindow, form: 'matrix' | 'vector' | 'columns'): () => number {
  const queries = new Queries(rig.core);
  const select = new Select(rig.core);
  const list = select.series([{ name: '__name__', op: '=', value: 'go_goroutines' }]);
  return () => {
    const view = queries.view(0);
    const { startMs, stepMs } = window;
    const query =
      form === 'columns'
        ? queries.open(list, view, 'last', window, false)
        : queries.openText(list, view, 'last', window, [], { form, startMs, stepMs });
    query.next({ samples: Number.POSITIVE_INFINITY, series: list.count });
    const rows = form === 'columns' ? query.rows().count : query.text().rowCount;
    query.close();
    if (rows !== list.count) throw new Error(`${rows} rows of ${list.count}`);
    return rows * window.steps;
  };
}

const LINES: QueryWindow = { startMs: START_MS, stepMs: STEP_MS, steps: 360, windowMs: 300_000 };
const NEWEST: QueryWindow = { startMs: START_MS + 3 * STEP_MS, stepMs: 1, steps: 1, windowMs: 300_000 };

export const renders: readonly Micro[] = [
  { name: 'query: 100 rows × 360, columns', unit: 'cell', prepare: () => morsel(rigOf(100, 360), LINES, 'columns') },
  { name: 'query: 100 rows × 360, text', unit: 'cell', prepare: () => morsel(rigOf(100, 360), LINES, 'matrix') },
  { name: 'query: 20,000 newest, columns', unit: 'series', prepare: () => morsel(rigOf(20_000, 4), NEWEST, 'columns') },
  { name: 'query: 20,000 newest, text', unit: 'series', prepare: () => morsel(rigOf(20_000, 4), NEWEST, 'vector') },
];

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) printAll(renders);
