// Finding the series of many label sets that somebody has as numbers of strings, as blocks have them.
//
//   strings  ┌─────────┬────────┬───      where each string is, and its bytes
//            │ address │ length │ …
//            └─────────┴────────┴───
//   rows     ┌───────┬────────┬─────────┬────────┬─────────┬───┐
//            │ pairs │ name 0 │ value 0 │ name 1 │ value 1 │ … │     numbers of strings; names ascend by bytes
//            └───────┴────────┴─────────┴────────┴─────────┴───┘
//
// All of it u32, and the caller's.

import * as scratch from '../labels/scratch';
import { LabelFault } from '../layout';
import * as series from './series';

const STRING_BYTES_LOG2: usize = 3;

/**
 * Writes the numbers of `count` label sets at `rows` to `out`: of a series of the head, of a guest, who is made where there
 * is no such series, or series.FOREIGN; series.UNKNOWN where a set has a name twice. Gives how many are done: fewer than
 * `count` where the memory limit says no.
 */
export function inviteRows(rows: usize, count: u32, strings: usize, shard: u32, shards: u32, out: usize): u32 {
  let at = rows;
  for (let i: u32 = 0; i < count; i++) {
    at = gather(at, strings);
    const fault = scratch.finish(true);
    if (fault == LabelFault.NoMemory) return i;
    const number = fault == LabelFault.Duplicate ? series.UNKNOWN : series.invite(shard, shards);
    if (number == series.NONE) return i;
    store<u32>(out + ((<usize>i) << 2), number);
  }
  return count;
}

/** Puts the label set at `row` into the scratch; gives the address behind it. */
function gather(row: usize, strings: usize): usize {
  const pairs = load<u32>(row);
  let at = row + 4;
  scratch.begin();
  for (let i: u32 = 0; i < pairs; i++) {
    const name = strings + ((<usize>load<u32>(at)) << STRING_BYTES_LOG2);
    const value = strings + ((<usize>load<u32>(at, 4)) << STRING_BYTES_LOG2);
    scratch.add(load<u32>(name), load<u32>(name, 4), load<u32>(value), load<u32>(value, 4));
    at += 8;
  }
  return at;
}
