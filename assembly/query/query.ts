// A query in one shard: a fragment evaluated over a list of series, morsel by morsel.
//
//   query (208 bytes)
//   0                80     84     88     92      96      100    104      108     112      128      144      160      176
//   ┌────────────────┬──────┬──────┬──────┬───────┬───────┬──────┬────────┬───────┬────────┬────────┬────────┬────────┬────────┐
//   │ job of the     │ view │ list │ count│ cursor│ groups│ op   │ mode   │ name  │ states │ values │ present│ times  │ failed │
//   │ kernels        │      │      │      │       │       │      │        │ symbol│ buffer │ buffer │ buffer │ buffer │        │
//   └────────────────┴──────┴──────┴──────┴───────┴───────┴──────┴────────┴───────┴────────┴────────┴────────┴────────┴────────┘
//
// Modes
//   rows      each series with a value gives a row: its labels to the label table, its cells to values and present;
//             where the query has a rendering (at 200), the rows come out as text instead
//   groups    rows are folded into the state of their group; nothing comes out before the end
//   samples   each series gives its raw samples: to times and values, their count to present (u32)
//   all       the same with stale markers, of every series, of those without samples too: their number follows
//             the count, because somebody has other samples of theirs
//
// A morsel ends after a number of samples decoded, so that appends get their turn. Between
// morsels series may go; the list holds numbers, and those that are gone are passed over.

import { STALE } from '../chunk/decode';
import { dataOf, Sealed, snapshot } from '../chunk/sealed';
import { ChunkState } from '../chunk/state';
import * as aggregate from '../eval/aggregate';
import { Job } from '../eval/job';
import * as evaluation from '../eval/series';
import * as journal from '../head/journal';
import * as series from '../head/series';
import * as schemas from '../labels/schemas';
import * as labelTable from '../labels/table';
import { CHUNK_BYTES_MAX, JOB_BYTES, QueryMode, Status, WindowFn } from '../layout';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import * as groups from './groups';
import * as rendering from './render';

const QUERY_BYTES: usize = 208;
const VIEW: usize = JOB_BYTES;
const LIST: usize = 84;
const COUNT: usize = 88;
const CURSOR: usize = 92;
const GROUPS: usize = 96;
const OP: usize = 100;
const MODE: usize = 104;
const NAME: usize = 108;
const STATES: usize = 112;
const VALUES: usize = 128;
const PRESENT: usize = 144;
const TIMES: usize = 160;
const FAILED: usize = 176;
/** How rows are written as text; 0 where they come as columns. */
const RENDERING: usize = 200;

/** Samples of one series that fit the columns at first; they double when a series has more in one window. */
const ROOM_MIN: u32 = 16384;

/** The group being folded into, as the aggregation kernel takes it. */
const share: usize = memory.data(32, 8);
const openChunk: usize = memory.data(CHUNK_BYTES_MAX, 16);
/** Addresses of a series' sealed chunks, newest first, while they are brought into time order. */
const chunks: usize = memory.data(16, 8);

let rowCount: u32 = 0;
let failure: Status = Status.Ok;
let corruptChunks: f64 = 0;

/** Rows of the last morsel. */
export function rows(): u32 {
  return rowCount;
}

/** Why the last morsel stopped: Ok, or NoMemory. */
export function status(): Status {
  return failure;
}

/** Chunks that could not be decoded: a broken promise, since we wrote them. */
export function corruptTotal(): f64 {
  return corruptChunks;
}

/**
 * Opens a query over `count` series at `list` (which stays the caller's until close) through a view, which is
 * taken: close() closes it. `name` is the symbol of the metric name that rows lose, or symbols.NONE.
 * `groupsAddress` is taken too; 0 without aggregation. 0 where the memory limit says no.
 */
export function open(
  fn: WindowFn,
  startMs: f64,
  stepMs: f64,
  steps: u32,
  windowMs: f64,
  mode: QueryMode,
  op: u32,
  groupsAddress: usize,
  view: usize,
  list: usize,
  count: u32,
  name: u32,
): usize {
  const query = heap.alloc(QUERY_BYTES);
  if (query == 0) return 0;
  memory.fill(query, 0, QUERY_BYTES);
  const job = changetype<Job>(query);
  job.fn = fn;
  job.startMs = startMs;
  job.stepMs = stepMs;
  job.steps = steps;
  job.windowMs = windowMs;
  job.rowValues = <u32>heap.alloc((<usize>steps) << 3);
  job.rowPresent = <u32>heap.alloc(steps);
  if (job.rowValues == 0 || job.rowPresent == 0 || !setRoom(job, ROOM_MIN)) {
    freeColumns(job);
    heap.free(query, QUERY_BYTES);
    return 0;
  }
  store<u32>(query, <u32>view, VIEW);
  store<u32>(query, <u32>list, LIST);
  store<u32>(query, count, COUNT);
  store<u32>(query, <u32>groupsAddress, GROUPS);
  store<u32>(query, op, OP);
  store<u32>(query, mode, MODE);
  store<u32>(query, name, NAME);
  return query;
}

/** Rows come out as text from now on; takes the rendering. */
export function render(query: usize, address: usize): void {
  store<u32>(query, <u32>address, RENDERING);
}

export function close(query: usize): void {
  const job = changetype<Job>(query);
  const states = query + STATES;
  for (let i: u32 = 0; i < buffer.length(states); i += 4) {
    heap.free(<usize>load<u32>(buffer.address(states) + i), stateBytes(load<u32>(query, OP), job.steps));
  }
  buffer.clear(states);
  buffer.clear(query + VALUES);
  buffer.clear(query + PRESENT);
  buffer.clear(query + TIMES);
  if (load<u32>(query, RENDERING) != 0) rendering.close(<usize>load<u32>(query, RENDERING));
  if (load<u32>(query, GROUPS) != 0) groups.close(<usize>load<u32>(query, GROUPS));
  journal.closeView(<usize>load<u32>(query, VIEW));
  freeColumns(job);
  heap.free(query, QUERY_BYTES);
}

/**
 * Evaluates series until about `samplesMax` samples were decoded or `seriesMax` looked at. True when all are done.
 * status() says whether it stopped for want of memory.
 */
export function morsel(query: usize, samplesMax: f64, seriesMax: u32): bool {
  const job = changetype<Job>(query);
  const list = <usize>load<u32>(query, LIST);
  const count = load<u32>(query, COUNT);
  const before = job.samples;
  const text = <usize>load<u32>(query, RENDERING);
  if (text != 0) rendering.begin(text);
  let cursor = load<u32>(query, CURSOR);
  const end = min(count, cursor + seriesMax);
  rowCount = 0;
  failure = Status.Ok;
  labelTable.begin();
  buffer.truncate(query + VALUES, 0);
  buffer.truncate(query + PRESENT, 0);
  buffer.truncate(query + TIMES, 0);
  while (cursor < end && job.samples - before < samplesMax) {
    const number = load<u32>(list + ((<usize>cursor) << 2));
    cursor++;
    const record = series.find(number);
    if (record == 0) continue;
    failure = one(query, job, number, record);
    if (failure != Status.Ok) break;
  }
  store<u32>(query, cursor, CURSOR);
  if (text != 0 && failure == Status.Ok) {
    const written = rendering.write(text, buffer.address(query + VALUES), buffer.address(query + PRESENT));
    if (!written) failure = Status.NoMemory;
  }
  if (journal.isBroken(<usize>load<u32>(query, VIEW))) failure = Status.NoMemory;
  return cursor == count;
}

function one(query: usize, job: Job, number: u32, record: usize): Status {
  const cut = journal.cutOf(<usize>load<u32>(query, VIEW), number, series.lastAppend(record));
  job.maxt = cut == journal.NO_CUT ? Infinity : <f64>(cut - 1);
  const mode = load<u32>(query, MODE);
  if (mode == QueryMode.Samples) return sampleRow(query, job, record);
  if (mode == QueryMode.AllSamples) return numberedRow(query, job, number, record);
  let cells: u32;
  if (isNewestOnly(job) && cut == journal.NO_CUT && newestCell(job, record)) {
    cells = job.cells;
  } else {
    const status = read(job, record);
    if (status != Status.Ok) return status;
    cells = evaluation.finish(job);
  }
  if (cells == 0) return Status.Ok;
  return mode == QueryMode.Groups ? foldRow(query, job, record, cells) : writeRow(query, job, record, cells);
}

// --- Reading a series ---

/** A single step of an instant selector: mostly answered by the newest sample, which needs no chunk. */
function isNewestOnly(job: Job): bool {
  return job.steps == 1 && (job.fn == WindowFn.Last || job.fn == WindowFn.Timestamp);
}

/** False where the newest sample is later than the step, so that older ones must be looked at. */
function newestCell(job: Job, record: usize): bool {
  const state = changetype<ChunkState>(series.chunk(record));
  const time = <f64>state.time;
  if (time > job.startMs) return false;
  const visible =
    (state.count != 0 || series.sealed(record) != 0) && time > job.startMs - job.windowMs && state.value != STALE;
  job.cells = u32(visible);
  store<u8>(<usize>job.rowPresent, u8(visible));
  if (!visible) store<f64>(<usize>job.rowValues, 0);
  else if (job.fn == WindowFn.Timestamp) store<f64>(<usize>job.rowValues, time / 1000);
  else store<u64>(<usize>job.rowValues, state.value);
  job.samples += 1;
  return true;
}

/** What newestSample() found. */
export let newestTime: i64 = 0;
export let newestValue: u64 = 0;

/**
 * The newest sample of a series within the window of an instant query's only step, as the query's view sees it;
 * false where there is none, or it is a stale marker.
 */
export function newestSample(query: usize, number: u32, record: usize): bool {
  const job = changetype<Job>(query);
  const cut = journal.cutOf(<usize>load<u32>(query, VIEW), number, series.lastAppend(record));
  const state = changetype<ChunkState>(series.chunk(record));
  if (cut == journal.NO_CUT && <f64>state.time <= job.startMs) {
    newestTime = state.time;
    newestValue = state.value;
    return (
      (state.count != 0 || series.sealed(record) != 0) &&
      <f64>state.time > job.startMs - job.windowMs &&
      state.value != STALE
    );
  }
  job.maxt = cut == journal.NO_CUT ? Infinity : <f64>(cut - 1);
  const found = read(job, record);
  if (found == Status.NoMemory) store<u32>(query, 1, FAILED);
  if (found != Status.Ok || job.count == 0) return false;
  const last: usize = (<usize>(job.count - 1)) << 3;
  newestTime = <i64>load<f64>(<usize>job.times + last);
  newestValue = load<u64>(<usize>job.values + last);
  return newestValue != STALE;
}

/** Whether newestSample() was refused memory, or the view of the query was: then it gives too little, or too much. */
export function isBroken(query: usize): bool {
  return load<u32>(query, FAILED) != 0 || journal.isBroken(<usize>load<u32>(query, VIEW));
}

/** Decodes the chunks of a series that the job can see, oldest first, into its columns. */
function read(job: Job, record: usize): Status {
  while (true) {
    const samples = job.samples;
    const status = readOnce(job, record);
    if (status != Status.NoMemory) return status;
    job.samples = samples;
    if (!setRoom(job, job.room * 2)) return Status.NoMemory;
  }
}

function readOnce(job: Job, record: usize): Status {
  evaluation.begin(job);
  const mint = evaluation.mintOf(job);
  const maxt = evaluation.maxtOf(job);
  if (maxt < mint) return Status.Ok;
  buffer.truncate(chunks, 0);
  let block = series.sealed(record);
  let newestSealed: i64 = i64.MIN_VALUE;
  while (block != 0) {
    const chunk = changetype<Sealed>(block);
    if (chunk.maxT < mint) break;
    if (newestSealed == i64.MIN_VALUE) newestSealed = chunk.maxT;
    if (chunk.minT <= maxt) {
      const entry = buffer.reserve(chunks, 4);
      if (entry == 0) return Status.NoMemory;
      store<u32>(entry, <u32>block);
      buffer.advance(chunks, 4);
    }
    block = <usize>chunk.next;
  }
  for (let at = buffer.length(chunks); at > 0; at -= 4) {
    const chunk = changetype<Sealed>(<usize>load<u32>(buffer.address(chunks) + at - 4));
    const status = evaluation.addChunk(job, dataOf(chunk), chunk.bytes, chunk.minT, chunk.maxT);
    if (status == Status.NoMemory) return status;
    if (status != Status.Ok) corruptChunks += 1;
  }
  const state = changetype<ChunkState>(series.chunk(record));
  if (state.count == 0 || state.time < mint) return Status.Ok;
  const from = newestSealed == i64.MIN_VALUE ? i64.MIN_VALUE : newestSealed + 1;
  if (from > maxt) return Status.Ok;
  const bytes = snapshot(state, openChunk);
  const status = evaluation.addChunk(job, openChunk, bytes, from, state.time);
  if (status == Status.Invalid) {
    corruptChunks += 1;
    return Status.Ok;
  }
  return status;
}

// --- What comes out ---

function foldRow(query: usize, job: Job, record: usize, cells: u32): Status {
  const groupsAddress = <usize>load<u32>(query, GROUPS);
  const group = groups.groupOf(groupsAddress, series.labels(record));
  if (group == groups.NONE) return Status.NoMemory;
  const states = query + STATES;
  const op = load<u32>(query, OP);
  if (group << 2 == buffer.length(states)) {
    const bytes = stateBytes(op, job.steps);
    const entry = buffer.reserve(states, 4);
    const state: usize = entry == 0 ? 0 : heap.alloc(bytes);
    if (state == 0) return Status.NoMemory;
    memory.fill(state, 0, bytes);
    store<u32>(entry, <u32>state);
    buffer.advance(states, 4);
  }
  const one = changetype<aggregate.Groups>(share);
  one.op = op;
  one.steps = job.steps;
  one.count = 1;
  one.state = load<u32>(buffer.address(states) + ((<usize>group) << 2));
  one.present = one.state + ((aggregate.columnsOf(op) * job.steps) << 3);
  aggregate.fold(one, 0, job.rowValues, job.rowPresent, cells);
  return Status.Ok;
}

/** A group's block: its state columns, then its present bytes, as a share of one group has them. */
function stateBytes(op: u32, steps: u32): usize {
  return ((<usize>(aggregate.columnsOf(op) * steps)) << 3) + <usize>steps;
}

function writeRow(query: usize, job: Job, record: usize, cells: u32): Status {
  const valueBytes = job.steps << 3;
  const values = buffer.reserve(query + VALUES, valueBytes);
  const present = buffer.reserve(query + PRESENT, job.steps);
  if (values == 0 || present == 0) return Status.NoMemory;
  const set = series.labels(record);
  const text = <usize>load<u32>(query, RENDERING);
  const named = text != 0 ? rendering.addRow(text, set, cells) : writeLabels(set, load<u32>(query, NAME));
  if (!named) return Status.NoMemory;
  memory.copy(values, job.rowValues, valueBytes);
  memory.copy(present, job.rowPresent, job.steps);
  buffer.advance(query + VALUES, valueBytes);
  buffer.advance(query + PRESENT, job.steps);
  rowCount++;
  return Status.Ok;
}

function sampleRow(query: usize, job: Job, record: usize): Status {
  const status = read(job, record);
  if (status != Status.Ok) return status;
  return job.count == 0 ? Status.Ok : writeSamples(query, job, record);
}

function numberedRow(query: usize, job: Job, number: u32, record: usize): Status {
  let status = read(job, record);
  if (status == Status.Ok) status = writeSamples(query, job, record);
  if (status != Status.Ok) return status;
  const entry = buffer.reserve(query + PRESENT, 4);
  if (entry == 0) return Status.NoMemory;
  store<u32>(entry, number);
  buffer.advance(query + PRESENT, 4);
  return Status.Ok;
}

function writeSamples(query: usize, job: Job, record: usize): Status {
  const bytes = job.count << 3;
  // Something, so that a buffer has an address even where there is no sample.
  const times = buffer.reserve(query + TIMES, bytes + 8);
  const values = buffer.reserve(query + VALUES, bytes + 8);
  const size = buffer.reserve(query + PRESENT, 4);
  if (times == 0 || values == 0 || size == 0) return Status.NoMemory;
  if (!writeLabels(series.labels(record), load<u32>(query, NAME))) return Status.NoMemory;
  memory.copy(times, job.times, bytes);
  memory.copy(values, job.values, bytes);
  store<u32>(size, job.count);
  buffer.advance(query + TIMES, bytes);
  buffer.advance(query + VALUES, bytes);
  buffer.advance(query + PRESENT, 4);
  rowCount++;
  return Status.Ok;
}

/** Adds a label set to the label table as a row, without the name `dropped`. */
export function writeLabels(set: usize, dropped: u32): bool {
  if (!labelTable.beginRow()) return false;
  const schema = series.schemaOf(set);
  const count = schemas.count(schema);
  const names = schemas.names(schema);
  const values = series.values(set);
  for (let i: usize = 0; i < <usize>count; i++) {
    const name = load<u32>(names + (i << 2));
    if (name != dropped && !labelTable.addPair(name, load<u32>(values + (i << 2)))) return false;
  }
  return true;
}

/** Writes the labels of all groups to the label table; their states are at stateAt(). Gives the number of groups, or -1. */
export function groupCount(query: usize): i32 {
  labelTable.begin();
  const groupsAddress = <usize>load<u32>(query, GROUPS);
  return groups.writeLabels(groupsAddress) ? <i32>groups.size(groupsAddress) : -1;
}

export function stateAt(query: usize, group: u32): usize {
  return <usize>load<u32>(buffer.address(query + STATES) + ((<usize>group) << 2));
}

export function valuesAddress(query: usize): usize {
  return buffer.address(query + VALUES);
}

export function valuesBytes(query: usize): u32 {
  return buffer.length(query + VALUES);
}

export function presentAddress(query: usize): usize {
  return buffer.address(query + PRESENT);
}

export function timesAddress(query: usize): usize {
  return buffer.address(query + TIMES);
}

/** Samples decoded so far. */
export function samples(query: usize): f64 {
  return changetype<Job>(query).samples;
}

// --- The job's columns ---

function setRoom(job: Job, room: u32): bool {
  const times = heap.alloc((<usize>room) << 3);
  const values = heap.alloc((<usize>room) << 3);
  if (times == 0 || values == 0) {
    if (times != 0) heap.free(times, (<usize>room) << 3);
    if (values != 0) heap.free(values, (<usize>room) << 3);
    return false;
  }
  if (job.room != 0) {
    heap.free(<usize>job.times, (<usize>job.room) << 3);
    heap.free(<usize>job.values, (<usize>job.room) << 3);
  }
  job.times = <u32>times;
  job.values = <u32>values;
  job.room = room;
  return true;
}

function freeColumns(job: Job): void {
  if (job.rowValues != 0) heap.free(<usize>job.rowValues, (<usize>job.steps) << 3);
  if (job.rowPresent != 0) heap.free(<usize>job.rowPresent, job.steps);
  if (job.room == 0) return;
  heap.free(<usize>job.times, (<usize>job.room) << 3);
  heap.free(<usize>job.values, (<usize>job.room) << 3);
}
