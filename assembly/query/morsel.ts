// Morsels: a query's series, some at a time, so that appends get their turn.
//
// What a window function has to decode is done in rounds, with whoever helps (round.ts). Series are taken and
// handed on in the order of the query's list, whoever evaluates them.

import { Job } from '../eval/job';
import * as evaluation from '../eval/series';
import { workOfSample } from '../eval/work';
import * as journal from '../head/journal';
import * as series from '../head/series';
import { Status } from '../layout';
import * as history from './history';
import * as query from './query';
import * as round from './round';
import { LEFT, Round } from './round';
import * as rounds from './rounds';

/** Work, in decoded samples, that is done alone before readers are called, and that must be left for them: waking one up costs as much. */
const CALL_WORK: f64 = 20000;

/** While nobody waits for the shard a morsel goes on, to so many times its work: a hand-over to main costs as much as some ten thousand samples. */
const PATIENCE: f64 = 12;

/** While anybody waits a morsel of single samples ends after so many series: their labels are what takes time. */
const HURRIED_SERIES: u32 = 8192;
/** How many are looked at between two looks whether anybody waits. */
const LOOK_EVERY: u32 = 256;

/** Items of the round whose rows were handed on. */
let ready: u32 = 0;

/**
 * Evaluates series until about `samplesMax` samples were decoded by this thread, or what costs as much was done, more where
 * nobody waits for it, or `seriesMax` were looked at. True when all are done. query.status() says whether it stopped for want of memory.
 */
export function morsel(address: usize, samplesMax: f64, seriesMax: u32): bool {
  query.beginMorsel(address);
  const cursor = query.cursor(address);
  const end = min(min(query.count(address), cursor + seriesMax), history.end(query.history(address)));
  const job = changetype<Job>(address);
  const before = job.samples;
  const most = samplesMax / workOfSample(job);
  const status = query.isWindowed(address)
    ? inRounds(address, cursor, end, before + most, before + most * PATIENCE)
    : oneByOne(address, cursor, end, before + samplesMax);
  return query.endMorsel(address, status);
}

function oneByOne(address: usize, cursor: u32, end: u32, until: f64): Status {
  const list = query.list(address);
  let status = Status.Ok;
  const hurried = cursor + HURRIED_SERIES;
  while (status == Status.Ok && cursor < end && changetype<Job>(address).samples < until) {
    if (cursor >= hurried && cursor % LOOK_EVERY == 0 && rounds.isHurried()) break;
    const number = load<u32>(list + ((<usize>cursor) << 2));
    const record = series.findAny(number);
    const past = history.entryOf(query.history(address), cursor);
    cursor++;
    if (record != 0 && !history.isSkipped(past)) status = query.one(address, number, record, past);
  }
  query.setCursor(address, cursor);
  return status;
}

function inRounds(address: usize, cursor: u32, end: u32, until: f64, most: f64): Status {
  const job = changetype<Job>(address);
  let status = Status.Ok;
  while (status == Status.Ok && cursor < end && goesOn(job, until, most)) {
    const room = rounds.roomFor(job.steps);
    if (!prepare(address, cursor, end, room)) return Status.NoMemory;
    const one = rounds.current();
    if (!query.reserveRows(address, one)) return Status.NoMemory;
    status = run(address, one, until, most);
    const taken = ready;
    cursor = taken < one.end ? round.itemAt(one, taken).place : rounds.cursor;
    query.setCursor(address, cursor);
  }
  return status;
}

function prepare(address: usize, cursor: u32, end: u32, room: u32): bool {
  return rounds.prepare(query.view(address), query.list(address), query.history(address), cursor, end, room);
}

function goesOn(job: Job, until: f64, most: f64): bool {
  return job.samples < until || (job.samples < most && !rounds.isHurried());
}

/** Runs the round that is prepared until its items, or the samples, are used up. */
function run(address: usize, one: Round, until: f64, most: f64): Status {
  const job = changetype<Job>(address);
  let status = Status.Ok;
  let mayCall = rounds.readerCount() > 0;
  ready = 0;
  while (status == Status.Ok && goesOn(job, until, most)) {
    if (mayCall && isWorthACall(address, one)) {
      rounds.callReaders(query.lanesOf(address), address);
      mayCall = false;
    }
    const index = round.take(one);
    if (index >= one.end) break;
    round.evaluate(one, index, address);
    status = handOn(address, one, one.end);
  }
  const taken = round.close(one);
  if (one.failed != 0) unreachable();
  return status == Status.Ok ? handOn(address, one, taken) : status;
}

/** Whether enough is done to know how much is left, and enough left that help is worth a wake-up. */
function isWorthACall(address: usize, one: Round): bool {
  const job = changetype<Job>(address);
  const work = job.samples * workOfSample(job);
  if (work < CALL_WORK || ready >= one.end) return false;
  const place = round.itemAt(one, ready).place;
  const left = <f64>(query.count(address) - place);
  return left > 1 && work * left > CALL_WORK * <f64>place;
}

/** Hands the rows on that are ready, in order, up to the first item of which nobody knows anything yet. */
function handOn(address: usize, one: Round, end: u32): Status {
  const job = changetype<Job>(address);
  while (ready < end) {
    const item = round.itemAt(one, ready);
    const done = round.done(item);
    if (done == 0) break;
    round.aim(one, ready, address);
    let cells = done - 1;
    if (done == LEFT) {
      const status = rounds.readLeft(item, address);
      if (status != Status.Ok) return status;
      cells = evaluation.finish(job);
    }
    if (cells != 0) {
      const status = query.handOn(address, job, <usize>item.record, cells);
      if (status != Status.Ok) return status;
    }
    ready++;
  }
  return Status.Ok;
}
