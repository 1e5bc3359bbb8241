// The exports of the reader module: what a shard's readers run on the shard's memory. It is built apart from
// the core, because a second instance of the core would overwrite the statics of the first.

import * as round from './query/round';
import { Round } from './query/round';

/** Helps with what the shard does at the moment, in the lane of this number; comes back when there is nothing left. */
export function reader_help(address: usize, number: u32): void {
  round.help(changetype<Round>(address), number);
}

/** For a reader that trapped: it is not inside any more. */
export function reader_leave(address: usize): void {
  round.leave(changetype<Round>(address));
}
