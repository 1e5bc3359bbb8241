// Where series are: the addresses of their records, and their labels beside them, for main to read newest
// samples by itself (docs/decisions/0062-newest-samples.md).

import * as series from '../head/series';
import * as symbols from '../labels/symbols';
import * as labelTable from '../labels/table';
import { writeLabels } from './query';

/**
 * Writes the addresses of a list's records to `out`, which has room for all, and their labels to the label table.
 * Gives how many there are, fewer where series have gone; -1 where the memory limit says no.
 */
export function placesOf(list: usize, count: u32, out: usize): i32 {
  labelTable.begin();
  let found: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = series.find(load<u32>(list + ((<usize>i) << 2)));
    if (record == 0) continue;
    if (!writeLabels(series.labels(record), symbols.NONE)) return -1;
    store<u32>(out + ((<usize>found) << 2), <u32>record);
    found++;
  }
  return <i32>found;
}
