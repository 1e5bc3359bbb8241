// A round: a list of series that a shard evaluates together with its readers, threads that look at its memory
// while it works on a morsel and at no other time.
//
//   shard    prepare ─► open ─► call ─► take, evaluate, hand on what is ready in order … ─► close ─► wait until nobody is inside
//   reader   asleep ───────────► enter ─► take, evaluate … ─► nothing left ─► leave ─► asleep
//
//   item (32 bytes): a series                                                      row of the item
//   0        4        8       12      16            24      28        32           values   + item × steps × 8
//   ┌────────┬────────┬───────┬───────┬─────────────┬───────┬─────────┐            present  + item × steps
//   │ record │ newest │ open  │ place │ not seen    │ done  │ history │
//   │        │ sealed │ chunk │ in the│ later than  │       │         │   done: 0, or 1 + cells with a value, or LEFT
//   └────────┴────────┴───────┴───────┴ list ── f64 ┴───────┴─────────┘   history: the newest chunk loaded from blocks, or 0
//
// Whoever has nothing to do takes the next item, so nobody waits for a reader that is late, or busy elsewhere: only
// for items under way. A row depends on its item alone, whoever evaluates it, and rows are handed on in the order of
// items: so the answer is the same to the bit whatever the number of readers.
//
// A reader says that it is inside before it looks whether the round is open, and the shard closes the round before it
// looks who is inside. So either the shard waits for the reader, or the reader sees that it came too late, and has
// touched nothing but the round itself, which is never freed.
//
// Nothing here allocates, calls what allocates, or has statics: this is what the reader module is made of.

import { ChunkState } from '../chunk/state';
import * as evaluation from '../eval/series';
import { ROUND_CALL, ROUND_HELPED, ROUND_INSIDE, ROUND_NEXT, ROUND_OPEN, Status } from '../layout';
import * as lane from './lane';

/** The block that a shard and its readers share. Offsets are in layout.ts. */
@unmanaged
export class Round {
  call: u32;
  open: u32;
  inside: u32;
  failed: u32;
  next: u32;
  end: u32;
  items: u32;
  lanes: u32;
  laneList: u32;
  values: u32;
  present: u32;
  helped: u32;
  hurry: u32;
}

@unmanaged
export class Item {
  record: u32;
  sealed: u32;
  state: u32;
  place: u32;
  maxt: f64;
  done: u32;
  history: u32;
}

export const ITEM_BYTES: usize = 32;
const DONE: usize = 24;

/** The item did not fit the lane of who took it: for the shard, which can make its lane larger. */
export const LEFT: u32 = 0xffffffff;

/** How often the shard looks whether all have left before it goes to sleep: some 50 µs, longer than most series take and shorter than waking up. */
const LOOKS: u32 = 50_000;
/** Longest sleep before it looks again. */
const SLEEP_NS: i64 = 100_000_000;

export function itemAt(round: Round, index: u32): Item {
  return changetype<Item>(<usize>round.items + <usize>index * ITEM_BYTES);
}

// --- What the shard does ---

export function open(round: Round): void {
  atomic.store<u32>(changetype<usize>(round), 1, ROUND_OPEN);
}

/** Wakes up to `readers` of those who sleep. */
export function call(round: Round, readers: u32): void {
  atomic.add<u32>(changetype<usize>(round), 1, ROUND_CALL);
  atomic.notify(changetype<usize>(round) + ROUND_CALL, <i32>readers);
}

/** Nobody takes items from now on. Gives how many were taken, and waits until they are done. */
export function close(round: Round): u32 {
  const at = changetype<usize>(round);
  atomic.store<u32>(at, 0, ROUND_OPEN);
  const taken = min(atomic.xchg<u32>(at, round.end, ROUND_NEXT), round.end);
  for (let look: u32 = 0; look < LOOKS; look++) if (atomic.load<u32>(at, ROUND_INSIDE) == 0) return taken;
  while (true) {
    const inside = atomic.load<u32>(at, ROUND_INSIDE);
    if (inside == 0) return taken;
    atomic.wait<i32>(at + ROUND_INSIDE, <i32>inside, SLEEP_NS);
  }
}

// --- What a reader does ---

/** Helps with the round, if it is still open and has a lane of this number. */
export function help(round: Round, number: u32): void {
  const at = changetype<usize>(round);
  atomic.add<u32>(at, 1, ROUND_INSIDE);
  if (atomic.load<u32>(at, ROUND_OPEN) != 0 && number < round.lanes) {
    const own = <usize>load<u32>(<usize>round.laneList + ((<usize>number) << 2));
    let helped: u32 = 0;
    while (true) {
      const index = take(round);
      if (index >= round.end) break;
      evaluate(round, index, own);
      helped++;
    }
    if (helped != 0) atomic.add<u32>(at, helped, ROUND_HELPED);
  }
  leave(round);
}

/** Also after a trap, from outside: the shard waits for it. */
export function leave(round: Round): void {
  const at = changetype<usize>(round);
  if (atomic.sub<u32>(at, 1, ROUND_INSIDE) == 1) atomic.notify(at + ROUND_INSIDE, 1);
}

// --- What both do ---

/** The number of an item that nobody else has or will have; not below `end` where there is none left. */
export function take(round: Round): u32 {
  return atomic.add<u32>(changetype<usize>(round), 1, ROUND_NEXT);
}

/** Evaluates an item into its row. The item is LEFT where the lane is too small. */
export function evaluate(round: Round, index: u32, own: usize): void {
  const item = itemAt(round, index);
  aim(round, index, own);
  const status = lane.read(own, item.sealed, item.history, changetype<ChunkState>(<usize>item.state));
  settle(item, status == Status.Ok ? 1 + evaluation.finish(lane.jobOf(own)) : LEFT);
}

/** Points a lane's job at an item and its row. */
export function aim(round: Round, index: u32, own: usize): void {
  const job = lane.jobOf(own);
  const first: usize = <usize>index * <usize>job.steps;
  job.maxt = itemAt(round, index).maxt;
  job.rowValues = <u32>(<usize>round.values + (first << 3));
  job.rowPresent = <u32>(<usize>round.present + first);
}

/** What became of an item, for all threads to see, and with it its row. */
export function settle(item: Item, done: u32): void {
  atomic.store<u32>(changetype<usize>(item), done, DONE);
}

export function done(item: Item): u32 {
  return atomic.load<u32>(changetype<usize>(item), DONE);
}
