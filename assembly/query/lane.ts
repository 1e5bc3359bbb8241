// A lane: what one thread needs to read series and evaluate windows over them.
//
//   lane (256 bytes)
//   0                144    148      152       156
//   ┌────────────────┬──────┬────────┬─────────┬────────┐
//   │ job of the     │ open │ chunks │ corrupt │ wanted │   open     room for the bytes of one open chunk
//   │ kernels        │      │        │         │        │   chunks   a list of addresses, while a series' chunks are brought into time order
//   └────────────────┴──────┴────────┴─────────┴────────┘   corrupt  chunks that could not be decoded
//                                                           wanted   bytes of a chunk that the scratch had no room for
//
// Nothing here allocates or has statics: readers.ts runs it in threads beside the shard's own. lanes.ts makes
// lanes, and larger ones where a series does not fit.

import { bytesOf, dataOf, Sealed, snapshot } from '../chunk/read';
import { ChunkState } from '../chunk/state';
import { Job } from '../eval/job';
import * as evaluation from '../eval/series';
import { JOB_BYTES, Status } from '../layout';

export const LANE_BYTES: usize = 256;
const OPEN: usize = JOB_BYTES;
const CHUNKS: usize = OPEN + 4;
const CORRUPT: usize = CHUNKS + 4;
const WANTED: usize = CORRUPT + 4;

/** Samples that the columns have room for, for each chunk that the list has room for. */
const SAMPLES_PER_CHUNK: u32 = 64;

export function jobOf(lane: usize): Job {
  return changetype<Job>(lane);
}

export function openChunk(lane: usize): usize {
  return <usize>load<u32>(lane, OPEN);
}

export function setOpenChunk(lane: usize, address: usize): void {
  store<u32>(lane, <u32>address, OPEN);
}

export function chunks(lane: usize): usize {
  return <usize>load<u32>(lane, CHUNKS);
}

export function setChunks(lane: usize, address: usize): void {
  store<u32>(lane, <u32>address, CHUNKS);
}

/** Chunks that a lane's list has room for where its columns have room for so many samples. */
export function chunkRoom(room: u32): u32 {
  return room / SAMPLES_PER_CHUNK;
}

/** Chunks that could not be decoded. */
export function corrupt(lane: usize): u32 {
  return load<u32>(lane, CORRUPT);
}

/** Bytes of the chunk that the scratch had no room for. */
export function wanted(lane: usize): usize {
  return <usize>load<u32>(lane, WANTED);
}

/**
 * Decodes the chunks of a series that the lane's job can see, oldest first, into its columns: those of the head, and
 * before them those from `history` on, the newest of those that were loaded from blocks. NoMemory where they have no room
 * in the columns, Full where one has none in the scratch; then the job's count of samples is as before.
 */
export function read(lane: usize, newestSealed: usize, history: usize, state: ChunkState): Status {
  const job = jobOf(lane);
  const samples = job.samples;
  const status = decode(lane, job, newestSealed, history, state);
  if (status != Status.Ok) job.samples = samples;
  return status;
}

function decode(lane: usize, job: Job, newestSealed: usize, history: usize, state: ChunkState): Status {
  evaluation.begin(job);
  const mint = evaluation.mintOf(job);
  const maxt = evaluation.maxtOf(job);
  if (maxt < mint) return Status.Ok;
  // What blocks have of the head is not read twice.
  const floor = <i64>job.floorMs;
  const headMint = max(mint, floor);
  const ofHead = list(lane, job, 0, newestSealed, headMint, maxt);
  let count = ofHead == NO_ROOM ? NO_ROOM : list(lane, job, ofHead, history, mint, maxt);
  if (count == NO_ROOM) return Status.NoMemory;
  // Listed newest first, wanted oldest first.
  while (count > 0) {
    const chunk = changetype<Sealed>(<usize>load<u32>(chunks(lane) + ((<usize>--count) << 2)));
    const from = count < ofHead ? max(chunk.minT, floor) : chunk.minT;
    const status = add(lane, job, dataOf(chunk), bytesOf(chunk), from, chunk.maxT);
    if (status != Status.Ok) return status;
  }
  if (state.count == 0 || state.time < headMint) return Status.Ok;
  const before = newestSealed == 0 ? history : newestSealed;
  const from = before == 0 ? floor : max(changetype<Sealed>(before).maxT + 1, floor);
  if (from > maxt) return Status.Ok;
  return add(lane, job, openChunk(lane), snapshot(state, openChunk(lane)), from, state.time);
}

const NO_ROOM: u32 = u32.MAX_VALUE;

/** Adds the chunks of a chain, newest first, that overlap the times given to the lane's list. Gives how many it has then, or NO_ROOM. */
function list(lane: usize, job: Job, count: u32, newest: usize, mint: i64, maxt: i64): u32 {
  const into = chunks(lane);
  const room = chunkRoom(job.room);
  let block = newest;
  while (block != 0) {
    const chunk = changetype<Sealed>(block);
    if (chunk.maxT < mint) break;
    if (chunk.minT <= maxt) {
      if (count == room) return NO_ROOM;
      store<u32>(into + ((<usize>count) << 2), <u32>block);
      count++;
    }
    block = <usize>chunk.next;
  }
  return count;
}

/** Adds a chunk; one that cannot be decoded is counted and passed over. */
function add(lane: usize, job: Job, data: usize, bytes: usize, mint: i64, maxt: i64): Status {
  const status = evaluation.addChunk(job, data, bytes, mint, maxt);
  if (status == Status.Full) store<u32>(lane, <u32>bytes, WANTED);
  if (status != Status.Invalid) return status;
  store<u32>(lane, corrupt(lane) + 1, CORRUPT);
  return Status.Ok;
}
