// Making lanes, and making them larger.

import { ChunkState } from '../chunk/state';
import { Job } from '../eval/job';
import { CHUNK_BYTES_MAX, DECODE_SLACK, Status } from '../layout';
import * as heap from '../memory/heap';
import * as lane from './lane';
import { LANE_BYTES } from './lane';

/** Samples of one series that fit the columns at first; they double when a series has more in one window. */
const ROOM_MIN: u32 = 16384;

/** Room for one of our chunks; those that others wrote may need more. */
const SCRATCH_ROOM_MIN: usize = CHUNK_BYTES_MAX;

/** Gives the zeroed lane at `address` its memory; false where the limit says no. finish() takes it back either way. */
export function begin(address: usize): bool {
  lane.setOpenChunk(address, heap.alloc(CHUNK_BYTES_MAX));
  return lane.openChunk(address) != 0 && setScratch(address, SCRATCH_ROOM_MIN) && setRoom(address, ROOM_MIN);
}

export function finish(address: usize): void {
  if (lane.openChunk(address) != 0) heap.free(lane.openChunk(address), CHUNK_BYTES_MAX);
  if (lane.jobOf(address).scratch != 0) freeScratch(address);
  if (lane.jobOf(address).room != 0) freeColumns(address);
}

/** One more lane for the windows of `like`; 0 where the memory limit says no. */
export function open(like: Job): usize {
  const address = heap.alloc(LANE_BYTES);
  if (address == 0) return 0;
  memory.fill(address, 0, LANE_BYTES);
  const job = lane.jobOf(address);
  job.fn = like.fn;
  job.startMs = like.startMs;
  job.stepMs = like.stepMs;
  job.steps = like.steps;
  job.windowMs = like.windowMs;
  job.argument = like.argument;
  job.shiftMs = like.shiftMs;
  job.floorMs = like.floorMs;
  if (begin(address)) return address;
  close(address);
  return 0;
}

export function close(address: usize): void {
  finish(address);
  heap.free(address, LANE_BYTES);
}

/** lane.read(), with more room where that is needed. */
export function read(address: usize, newestSealed: usize, history: usize, state: ChunkState): Status {
  while (true) {
    const status = lane.read(address, newestSealed, history, state);
    if (status == Status.Ok) return status;
    const grown =
      status == Status.Full
        ? setScratch(address, lane.wanted(address))
        : setRoom(address, lane.jobOf(address).room * 2);
    if (!grown) return Status.NoMemory;
  }
}

function setScratch(address: usize, room: usize): bool {
  const scratch = heap.alloc(room + DECODE_SLACK);
  if (scratch == 0) return false;
  const job = lane.jobOf(address);
  if (job.scratch != 0) freeScratch(address);
  job.scratch = <u32>scratch;
  job.scratchRoom = <u32>room;
  return true;
}

function freeScratch(address: usize): void {
  const job = lane.jobOf(address);
  heap.free(<usize>job.scratch, <usize>job.scratchRoom + DECODE_SLACK);
}

function setRoom(address: usize, room: u32): bool {
  const times = heap.alloc((<usize>room) << 3);
  const values = heap.alloc((<usize>room) << 3);
  const chunks = heap.alloc((<usize>lane.chunkRoom(room)) << 2);
  if (times == 0 || values == 0 || chunks == 0) {
    if (times != 0) heap.free(times, (<usize>room) << 3);
    if (values != 0) heap.free(values, (<usize>room) << 3);
    if (chunks != 0) heap.free(chunks, (<usize>lane.chunkRoom(room)) << 2);
    return false;
  }
  const job = lane.jobOf(address);
  if (job.room != 0) freeColumns(address);
  job.times = <u32>times;
  job.values = <u32>values;
  job.room = room;
  lane.setChunks(address, chunks);
  return true;
}

function freeColumns(address: usize): void {
  const job = lane.jobOf(address);
  heap.free(<usize>job.times, (<usize>job.room) << 3);
  heap.free(<usize>job.values, (<usize>job.room) << 3);
  heap.free(lane.chunks(address), (<usize>lane.chunkRoom(job.room)) << 2);
}
