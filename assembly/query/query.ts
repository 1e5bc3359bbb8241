// A query in one shard: a fragment evaluated over a list of series, morsel by morsel.
//
//   query (360 bytes)
//   0         256    260    264     268    272     276  280    284    288       304      320      324         328       332       336   344
//   ┌─────────┬──────┬──────┬───────┬──────┬───────┬────┬──────┬──────┬─────────┬────────┬────────┬───────────┬─────────┬─────────┬─────┬─────────┐
//   │ lane of │ view │ list │ count │cursor│ groups│ op │ mode │ name │ states  │ lanes  │ failed │ rendering │ shaping │ written │ φ   │ history │
//   │ its own │      │      │       │      │       │    │      │symbol│ buffer  │ buffer │        │           │         │         │ f64 │ 16 bytes│
//   └─────────┴──────┴──────┴───────┴──────┴───────┴────┴──────┴──────┴─────────┴────────┴────────┴───────────┴─────────┴─────────┴─────┴─────────┘
//
// The rows of a morsel (values, present, times) are taken out before the next call, so all queries write them to the
// same buffers: what a query keeps between two morsels is its place in the list and the state of its groups.
//
// Modes
//   rows      each series with a value gives a row: its labels to the label table, its cells to values and present;
//             where the query has a rendering, the rows come out as text instead
//   groups    rows are folded into the state of their group; nothing comes out before the end. With a rendering the
//             groups come out as rows of text then, some in each morsel; those of quantiles without one as rows
//   samples   each series gives its raw samples: to times and values, their count to present (u32)
//   all       the same with stale markers, of every series, of those without samples too: their number follows
//             the count, because somebody has other samples of theirs
//
// It is evaluated in morsels (morsel.ts). Between morsels series may go; the list holds numbers, and those that
// are gone are passed over.

import { STALE } from '../chunk/decode';
import { ChunkState } from '../chunk/state';
import * as aggregate from '../eval/aggregate';
import { finish } from '../eval/finish';
import { Job } from '../eval/job';
import * as evaluation from '../eval/series';
import * as journal from '../head/journal';
import * as series from '../head/series';
import * as schemas from '../labels/schemas';
import * as labelTable from '../labels/table';
import { AggregateOp, HISTORY_WHOLE, QueryMode, Status, WindowFn } from '../layout';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import * as groups from './groups';
import * as past from './history';
import * as lane from './lane';
import { LANE_BYTES } from './lane';
import * as lanes from './lanes';
import * as members from './members';
import * as rendering from './render';
import { Round } from './round';
import * as rounds from './rounds';
import * as shaping from './shaping';

const QUERY_BYTES: usize = LANE_BYTES + 104;
const VIEW: usize = LANE_BYTES;
const LIST: usize = LANE_BYTES + 4;
const COUNT: usize = LANE_BYTES + 8;
const CURSOR: usize = LANE_BYTES + 12;
const GROUPS: usize = LANE_BYTES + 16;
const OP: usize = LANE_BYTES + 20;
const MODE: usize = LANE_BYTES + 24;
const NAME: usize = LANE_BYTES + 28;
const STATES: usize = LANE_BYTES + 32;
const LANES: usize = LANE_BYTES + 48;
const FAILED: usize = LANE_BYTES + 64;
/** How rows are written as text; 0 where they come as columns. */
const RENDERING: usize = LANE_BYTES + 68;
/** What happens to rows' cells (shaping.ts); 0 for nothing. */
const SHAPING: usize = LANE_BYTES + 72;
/** Groups that came out as rows. */
const WRITTEN: usize = LANE_BYTES + 76;
/** The φ of AggregateOp.Quantile (f64). */
const PHI: usize = LANE_BYTES + 80;
/** What was loaded from blocks (history.ts). */
const HISTORY: usize = LANE_BYTES + 88;

/** What the morsel under way gives, or the last one gave: buffers. */
const VALUES: usize = memory.data(16, 8);
const PRESENT: usize = memory.data(16, 8);
const TIMES: usize = memory.data(16, 8);
/** As much of each of them is kept for the next morsel, whoever's. */
const KEPT_BYTES: u32 = 1 << 21;

/** Cells of groups that are written as text in one morsel, about: some milliseconds. */
const TEXT_CELLS: u32 = 1 << 16;

/** The group being folded into, as the aggregation kernel takes it. */
const share: usize = memory.data(32, 8);
/** The row of a query that is not evaluated in rounds: it has one step. */
const row: usize = memory.data(16, 8);

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

/** Chunks that could not be decoded: a broken promise where we wrote them, damage where they come from blocks. */
export function corruptTotal(): f64 {
  return corruptChunks;
}

/**
 * Opens a query over `count` series at `list` (which stays the caller's until close) through a view, which is
 * taken: close() closes it. `name` is the symbol of the metric name that rows lose, or symbols.NONE.
 * `groupsAddress` is taken too; 0 without aggregation. `argument` and `shiftMs` are the job's. 0 where the memory limit says no.
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
  argument: f64,
  shiftMs: f64,
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
  job.argument = argument;
  job.shiftMs = shiftMs;
  job.floorMs = -Infinity;
  if (!lanes.begin(query)) {
    lanes.finish(query);
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

/** Rows are shaped from now on; takes the shaping. */
export function shape(query: usize, address: usize): void {
  store<u32>(query, <u32>address, SHAPING);
}

/** The φ, in [0, 1], of a query that gives quantiles of its groups. */
export function setPhi(query: usize, phi: f64): void {
  store<f64>(query, phi, PHI);
}

/** Blocks have all that is before `floorMs`: samples of the head from before it are not seen. */
export function setFloor(query: usize, floorMs: f64): void {
  changetype<Job>(query).floorMs = floorMs;
}

/** What blocks have of the series at places `from` … `from + count - 1`: the next morsels end with these. */
export function setHistory(query: usize, entries: usize, from: u32, count: u32): void {
  past.set(query + HISTORY, entries, from, count);
}

/** The query's history, all zeroes where it has none. */
export function history(query: usize): usize {
  return query + HISTORY;
}

export function close(query: usize): void {
  const job = changetype<Job>(query);
  const states = query + STATES;
  for (let i: u32 = 0; i < buffer.length(states); i += 4) {
    if (load<u32>(query, OP) == AggregateOp.Quantile) buffer.clear(<usize>load<u32>(buffer.address(states) + i));
    heap.free(<usize>load<u32>(buffer.address(states) + i), stateBytes(load<u32>(query, OP), job.steps));
  }
  buffer.clear(states);
  if (load<u32>(query, SHAPING) != 0) shaping.close(<usize>load<u32>(query, SHAPING));
  if (load<u32>(query, RENDERING) != 0) rendering.close(<usize>load<u32>(query, RENDERING));
  if (load<u32>(query, GROUPS) != 0) groups.close(<usize>load<u32>(query, GROUPS));
  journal.closeView(view(query));
  corruptChunks += <f64>lane.corrupt(query) + rounds.closeLanes(query + LANES);
  lanes.finish(query);
  heap.free(query, QUERY_BYTES);
}

/** Gives back what a large morsel took, once its rows are taken out. */
export function trimRows(): void {
  trim(VALUES);
  trim(PRESENT);
  trim(TIMES);
  if (labelTable.capacity() > KEPT_BYTES) labelTable.clear();
}

function trim(rows: usize): void {
  if (buffer.capacity(rows) > KEPT_BYTES) buffer.clear(rows);
}

export function beginMorsel(query: usize): void {
  const text = <usize>load<u32>(query, RENDERING);
  if (text != 0) rendering.begin(text);
  rowCount = 0;
  failure = Status.Ok;
  labelTable.begin();
  buffer.truncate(VALUES, 0);
  buffer.truncate(PRESENT, 0);
  buffer.truncate(TIMES, 0);
}

/** True when all series are done, and what comes of them is out. */
export function endMorsel(query: usize, status: Status): bool {
  const text = <usize>load<u32>(query, RENDERING);
  let done = cursor(query) == count(query);
  if (done && status == Status.Ok && (text != 0 || load<u32>(query, OP) == AggregateOp.Quantile) && isGrouped(query)) {
    if (!makeGroupRows(query, text)) status = Status.NoMemory;
    done = load<u32>(query, WRITTEN) == groups.size(<usize>load<u32>(query, GROUPS));
  }
  if (text != 0 && status == Status.Ok) {
    const written = rendering.write(text, buffer.address(VALUES), buffer.address(PRESENT));
    if (!written) status = Status.NoMemory;
  }
  failure = journal.isBroken(view(query)) ? Status.NoMemory : status;
  return done;
}

/** The time from which on samples of a series are invisible to the query; beyond all times where none are. */
export function cutOf(query: usize, number: u32): f64 {
  return <f64>journal.cutOf(view(query), number, series.lastAppend(series.at(number)));
}

export function view(query: usize): usize {
  return <usize>load<u32>(query, VIEW);
}

/** The numbers of the series, `count` of them. */
export function list(query: usize): usize {
  return <usize>load<u32>(query, LIST);
}

export function count(query: usize): u32 {
  return load<u32>(query, COUNT);
}

/** The place in the list of the next series. */
export function cursor(query: usize): u32 {
  return load<u32>(query, CURSOR);
}

export function setCursor(query: usize, cursor: u32): void {
  store<u32>(query, cursor, CURSOR);
}

/** The lanes of the query and of its readers, a buffer of addresses; empty before readers were called. */
export function lanesOf(query: usize): usize {
  return query + LANES;
}

/** Whether a series' newest sample mostly says all that the query wants of it. */
export function wantsNewest(query: usize): bool {
  return load<u32>(query, MODE) <= <u32>QueryMode.Groups && isNewestOnly(changetype<Job>(query));
}

/** Whether rows come of decoded windows: then series are evaluated in rounds. */
export function isWindowed(query: usize): bool {
  return load<u32>(query, MODE) <= <u32>QueryMode.Groups && !isNewestOnly(changetype<Job>(query));
}

/** Makes room for the rows of a round, behind those that the query has. */
export function reserveRows(query: usize, round: Round): bool {
  // Where all series are passed over there is nothing to make room for, and a buffer may have no address.
  if (round.end == 0) return true;
  const steps = changetype<Job>(query).steps;
  const values = buffer.reserve(VALUES, (round.end * steps) << 3);
  const present = buffer.reserve(PRESENT, round.end * steps);
  round.values = <u32>values;
  round.present = <u32>present;
  return values != 0 && present != 0;
}

function isGrouped(query: usize): bool {
  return load<u32>(query, MODE) == QueryMode.Groups;
}

/** Shapes the job's row, of whose cells `cells` have a value, and folds it into its group, or writes it out. */
export function handOn(query: usize, job: Job, record: usize, cells: u32): Status {
  if (cells == 0) return Status.Ok;
  let left = cells;
  const shape = <usize>load<u32>(query, SHAPING);
  if (shape != 0) {
    left = shaping.run(shape, series.labels(record), job.rowValues, job.rowPresent, job.steps, cells);
    if (left == 0) return Status.Ok;
  }
  return isGrouped(query) ? foldRow(query, job, record, left) : writeRow(query, job, record, left);
}

/** One series that needs no round: its newest sample, or its raw ones. `loaded` is its entry in the query's history. */
export function one(query: usize, number: u32, record: usize, loaded: u32): Status {
  const job = changetype<Job>(query);
  job.rowValues = <u32>row;
  job.rowPresent = <u32>(row + 8);
  const cut = journal.cutOf(<usize>load<u32>(query, VIEW), number, series.lastAppend(record));
  job.maxt = cut == journal.NO_CUT ? Infinity : <f64>(cut - 1);
  const mode = load<u32>(query, MODE);
  if (mode == QueryMode.Samples) return sampleRow(query, job, record, loaded);
  if (mode == QueryMode.AllSamples) return numberedRow(query, job, number, record, loaded);
  let cells: u32;
  if (isNewestOnly(job) && cut == journal.NO_CUT && newestCell(job, record, loaded)) {
    cells = job.cells;
  } else {
    const status = read(query, record, loaded);
    if (status != Status.Ok) return status;
    cells = evaluation.finish(job);
  }
  return handOn(query, job, record, cells);
}

// --- Reading a series ---

/** A single step of a function that the newest sample mostly answers, without a chunk. */
function isNewestOnly(job: Job): bool {
  const fn = job.fn;
  return job.steps == 1 && (fn == WindowFn.Last || fn == WindowFn.Timestamp || isOverTime(fn));
}

/** Whether it passes over a stale marker, where an instant selector ends. */
function isOverTime(fn: WindowFn): bool {
  return fn == WindowFn.LastOverTime || fn == WindowFn.PresentOverTime;
}

/** False where older samples must be looked at: the newest is later than the step, in a block, or a stale marker that is passed over. */
function newestCell(job: Job, record: usize, loaded: u32): bool {
  const state = changetype<ChunkState>(series.chunk(record));
  const time = <f64>state.time;
  if (time > job.startMs) return false;
  const within = hasHead(state, record, job) && time > job.startMs - job.windowMs;
  if (loaded != 0 && (!within || (loaded & HISTORY_WHOLE) != 0)) return false;
  const visible = within && state.value != STALE;
  if (within && !visible && isOverTime(job.fn)) return false;
  job.cells = u32(visible);
  store<u8>(<usize>job.rowPresent, u8(visible));
  if (!visible) store<f64>(<usize>job.rowValues, 0);
  else if (job.fn == WindowFn.Timestamp) store<f64>(<usize>job.rowValues, time / 1000);
  else if (job.fn == WindowFn.PresentOverTime) store<f64>(<usize>job.rowValues, 1);
  else store<u64>(<usize>job.rowValues, state.value);
  job.samples += 1;
  return true;
}

/** Whether the newest sample in the head, and visible, is all that the query wants of a series: then what blocks have need not be loaded. */
export function isAnsweredByHead(query: usize, number: u32): bool {
  const job = changetype<Job>(query);
  if (load<u32>(query, MODE) > <u32>QueryMode.Groups || !isNewestOnly(job)) return false;
  const record = series.findAny(number);
  if (record == 0) return false;
  const cut = journal.cutOf(view(query), number, series.lastAppend(record));
  const state = changetype<ChunkState>(series.chunk(record));
  const time = <f64>state.time;
  if (cut != journal.NO_CUT || time > job.startMs || !hasHead(state, record, job)) return false;
  return time > job.startMs - job.windowMs && (state.value != STALE || !isOverTime(job.fn));
}

/** Whether the head has a sample of the series that no block has. */
function hasHead(state: ChunkState, record: usize, job: Job): bool {
  return (state.count != 0 || series.sealed(record) != 0) && <f64>state.time >= job.floorMs;
}

/** Decodes what the query's job sees of a series. */
function read(query: usize, record: usize, loaded: u32): Status {
  return lanes.read(query, past.sealed(loaded, record), past.newest(loaded), past.state(loaded, record));
}

/** What newestSample() found. */
export let newestTime: i64 = 0;
export let newestValue: u64 = 0;

/**
 * The newest sample of a series within the window of an instant query's only step, as the query's view sees it;
 * false where there is none, or it is a stale marker. `place` is that of the series in the query's history.
 */
export function newestSample(query: usize, number: u32, record: usize, place: u32): bool {
  const job = changetype<Job>(query);
  const loaded = past.entryOf(query + HISTORY, place);
  const cut = journal.cutOf(<usize>load<u32>(query, VIEW), number, series.lastAppend(record));
  const state = changetype<ChunkState>(series.chunk(record));
  if (cut == journal.NO_CUT && <f64>state.time <= job.startMs && (loaded & HISTORY_WHOLE) == 0) {
    const within = hasHead(state, record, job) && <f64>state.time > job.startMs - job.windowMs;
    newestTime = state.time;
    newestValue = state.value;
    if (within || loaded == 0) return within && state.value != STALE;
  }
  job.maxt = cut == journal.NO_CUT ? Infinity : <f64>(cut - 1);
  const found = read(query, record, loaded);
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
  if (op == AggregateOp.Quantile) {
    const kept = members.add(stateAt(query, group), job.rowValues, job.rowPresent, job.steps);
    return kept ? Status.Ok : Status.NoMemory;
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

/** A group's block: its state columns, then its present bytes, as a share of one group has them. Of quantiles its rows (members.ts). */
function stateBytes(op: u32, steps: u32): usize {
  if (op == AggregateOp.Quantile) return buffer.BUFFER_BYTES;
  return ((<usize>(aggregate.columnsOf(op) * steps)) << 3) + <usize>steps;
}

/** Makes rows of the groups, for `text` of the next ones only; false where the memory limit says no. */
function makeGroupRows(query: usize, text: usize): bool {
  const groupsAddress = <usize>load<u32>(query, GROUPS);
  const steps = changetype<Job>(query).steps;
  const from = load<u32>(query, WRITTEN);
  const left = groups.size(groupsAddress) - from;
  const rows = text == 0 ? left : min(left, max(TEXT_CELLS / steps, 1));
  const values = buffer.reserve(VALUES, (rows * steps) << 3);
  const present = buffer.reserve(PRESENT, rows * steps);
  if (rows != 0 && (values == 0 || present == 0)) return false;
  for (let row: u32 = 0; row < rows; row++) {
    const first: usize = <usize>row * <usize>steps;
    const cells = finishGroup(query, from + row, values + (first << 3), present + first);
    if (cells < 0) return false;
    if (text != 0 && !rendering.addGroup(text, groups.keyAt(groupsAddress, from + row), cells)) return false;
  }
  store<u32>(query, from + rows, WRITTEN);
  return true;
}

function finishGroup(query: usize, group: u32, values: usize, present: usize): i32 {
  const op = load<u32>(query, OP);
  const steps = changetype<Job>(query).steps;
  const state = stateAt(query, group);
  if (op == AggregateOp.Quantile) return members.quantiles(state, steps, load<f64>(query, PHI), values, present);
  return finish(op, state, steps, values, present);
}

function writeRow(query: usize, job: Job, record: usize, cells: u32): Status {
  const valueBytes = job.steps << 3;
  const values = buffer.reserve(VALUES, valueBytes);
  const present = buffer.reserve(PRESENT, job.steps);
  if (values == 0 || present == 0) return Status.NoMemory;
  const set = series.labels(record);
  const text = <usize>load<u32>(query, RENDERING);
  const named = text != 0 ? rendering.addRow(text, set, cells) : writeLabels(set, load<u32>(query, NAME));
  if (!named) return Status.NoMemory;
  memory.copy(values, job.rowValues, valueBytes);
  memory.copy(present, job.rowPresent, job.steps);
  buffer.advance(VALUES, valueBytes);
  buffer.advance(PRESENT, job.steps);
  rowCount++;
  return Status.Ok;
}

function sampleRow(query: usize, job: Job, record: usize, loaded: u32): Status {
  const status = read(query, record, loaded);
  if (status != Status.Ok) return status;
  return job.count == 0 ? Status.Ok : writeSamples(query, job, record);
}

function numberedRow(query: usize, job: Job, number: u32, record: usize, loaded: u32): Status {
  let status = read(query, record, loaded);
  if (status == Status.Ok) status = writeSamples(query, job, record);
  if (status != Status.Ok) return status;
  const entry = buffer.reserve(PRESENT, 4);
  if (entry == 0) return Status.NoMemory;
  store<u32>(entry, number);
  buffer.advance(PRESENT, 4);
  return Status.Ok;
}

function writeSamples(query: usize, job: Job, record: usize): Status {
  const bytes = job.count << 3;
  // Something, so that a buffer has an address even where there is no sample.
  const times = buffer.reserve(TIMES, bytes + 8);
  const values = buffer.reserve(VALUES, bytes + 8);
  const size = buffer.reserve(PRESENT, 4);
  if (times == 0 || values == 0 || size == 0) return Status.NoMemory;
  if (!writeLabels(series.labels(record), load<u32>(query, NAME))) return Status.NoMemory;
  memory.copy(times, job.times, bytes);
  memory.copy(values, job.values, bytes);
  store<u32>(size, job.count);
  buffer.advance(TIMES, bytes);
  buffer.advance(VALUES, bytes);
  buffer.advance(PRESENT, 4);
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

export function valuesAddress(): usize {
  return buffer.address(VALUES);
}

export function valuesBytes(): u32 {
  return buffer.length(VALUES);
}

export function presentAddress(): usize {
  return buffer.address(PRESENT);
}

export function timesAddress(): usize {
  return buffer.address(TIMES);
}

/** Chunks that could not be decoded so far, in all lanes. */
export function corruptOf(query: usize): f64 {
  const lanes = query + LANES;
  let sum = <f64>lane.corrupt(query);
  for (let at: u32 = 4; at < buffer.length(lanes); at += 4) {
    sum += <f64>lane.corrupt(<usize>load<u32>(buffer.address(lanes) + at));
  }
  return sum;
}

/** Samples decoded so far, in all lanes. */
export function samples(query: usize): f64 {
  const lanes = query + LANES;
  let sum = changetype<Job>(query).samples;
  for (let at: u32 = 4; at < buffer.length(lanes); at += 4) {
    sum += changetype<Job>(<usize>load<u32>(buffer.address(lanes) + at)).samples;
  }
  return sum;
}
