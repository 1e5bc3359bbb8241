// Columns that look like real series, from a seed.

import { Prng } from '../../src/base/prng.js';

export type Shape = 'constant' | 'mixed' | 'counter' | 'float';
export const SHAPES: readonly Shape[] = ['constant', 'mixed', 'counter', 'float'];

export interface SeriesColumns {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** `count` samples at 15 s, from a round start. */
export function seriesColumns(shape: Shape, count: number, seed = 42): SeriesColumns {
  const random = new Prng(seed);
  const times = new Float64Array(count);
  const values = new Float64Array(count);
  let value = 1000 + random.int(1000);
  for (let i = 0; i < count; i++) {
    times[i] = 1_700_000_000_000 + i * 15000;
    if (shape === 'counter') value += random.int(200);
    else if (shape === 'float') value = random.float() * 100;
    else if (shape === 'mixed' && random.int(2) === 0) {
      value = random.int(3) === 0 ? value + random.float() : Math.floor(value) + random.int(20);
    }
    values[i] = value;
  }
  return { times, values };
}
