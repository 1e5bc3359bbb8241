// Which chunks of files a query wants for its next series.

import { STALE } from '../chunk/decode';
import { ChunkState } from '../chunk/state';
import { Job } from '../eval/job';
import * as guests from '../head/guests';
import * as journal from '../head/journal';
import * as series from '../head/series';
import * as wanted from '../head/wanted';
import * as query from './query';

/**
 * Makes a list of the chunks in [mint, maxt] that the query needs for its series from place `from` on, until there are `most` of them or
 * `places` were looked at. Gives how many places were; 0 where the memory limit says no.
 */
export function wantedOf(address: usize, from: u32, places: u32, mint: f64, maxt: f64, most: u32): u32 {
  wanted.begin();
  const list = query.list(address);
  const end = min(query.count(address), from + places);
  const isNewest = query.wantsNewest(address);
  let place = from;
  for (; place < end && wanted.count() < most; place++) {
    const number = load<u32>(list + ((<usize>place) << 2));
    if (isNewest && isShown(address, number)) continue;
    if (!wanted.add(number, place, <i64>mint, <i64>maxt)) return 0;
  }
  return place - from;
}

/** Whether the newest sample, which is in memory, says all that a single step wants to know. */
function isShown(address: usize, number: u32): bool {
  const record: usize = guests.isGuest(number) ? 0 : series.find(number);
  if (record == 0) return true;
  const state = changetype<ChunkState>(series.chunk(record));
  if (<f64>state.time > changetype<Job>(address).startMs || state.value == STALE) return false;
  return journal.cutOf(query.view(address), number, series.lastAppend(record)) == journal.NO_CUT;
}
