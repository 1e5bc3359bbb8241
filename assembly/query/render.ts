// Rows of a query as the text of its answer, made in the shard: main only puts it in order.
//
//   {"metric":{"__name__":"up","job":"a"},"values":[[1435781430.781,"1"],[1435781445.781,"1"]]}     of a range
//   {"metric":{"__name__":"up","job":"a"},"value":[1435781430.781,"1"]}                             of one step
//   {"__name__":"up","job":"a"}                                                                     of a list of series
//
// The rows of a morsel are gathered, then written as one text, commas between them, with the
// end of each. Those of a range query or a list are in the order of their labels, and each brings a key:
// bytes that compare as the label sets do.
//
//   key   name <0> value <0> name <0> value <0> …     bytes 0 and 1 inside are written 1 1 and 1 2
//
// A rendering's fields are the constants below; openings are made once, for all steps.

import * as symbols from '../labels/symbols';
import { RenderForm, SAMPLE_TEXT_MAX } from '../layout';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import { ESCAPED_MAX, makeOpening, OPENING_BYTES, SLACK, writeSamples, writeString } from './json';
import { sortByKeys } from './keys';
import * as pairs from './pairs';

const BYTES: usize = 144;
const STEPS: usize = 0;
/** A RenderForm. */
const FORM: usize = 4;
const OPENINGS: usize = 8;
/** Cells with a value in the rows of the last morsel. */
const CELLS: usize = 12;
/** Buffer: the label set of each row, or the key of each group. */
const SETS: usize = 16;
/** Buffer: symbols of the names that rows lose. */
const DROPPED: usize = 32;
const KEYS: usize = 48;
/** Buffer: the end of each row's key. */
const KEY_ENDS: usize = 64;
/** Buffer: numbers of the rows in their order, and room to sort them. */
const ORDER: usize = 80;
const TEXT: usize = 96;
/** Buffer: the end of each row's text. */
const ENDS: usize = 112;
/** Whether rows are groups. */
const GROUPED: usize = 128;

/** `{"metric":{` and `},"values":[` and `]}` and a comma, rounded up. */
const AROUND_BYTES: u32 = 32;
const COMMA: u8 = 0x2c;

/** Starts a rendering of rows of `steps` cells, whose samples lie at startMs + i × stepMs. 0 where the memory limit says no. */
export function open(startMs: f64, stepMs: f64, steps: u32, form: RenderForm): usize {
  const rendering = heap.alloc(BYTES);
  const openings = heap.alloc(<usize>steps * OPENING_BYTES);
  if (rendering == 0 || openings == 0) {
    if (rendering != 0) heap.free(rendering, BYTES);
    if (openings != 0) heap.free(openings, <usize>steps * OPENING_BYTES);
    return 0;
  }
  memory.fill(rendering, 0, BYTES);
  store<u32>(rendering, steps, STEPS);
  store<u32>(rendering, form, FORM);
  store<u32>(rendering, <u32>openings, OPENINGS);
  for (let i: u32 = 0; i < steps; i++) {
    makeOpening(openings + <usize>i * OPENING_BYTES, <i64>(startMs + <f64>i * stepMs));
  }
  return rendering;
}

export function close(rendering: usize): void {
  heap.free(<usize>load<u32>(rendering, OPENINGS), <usize>load<u32>(rendering, STEPS) * OPENING_BYTES);
  for (let at = SETS; at <= ENDS; at += buffer.BUFFER_BYTES) buffer.clear(rendering + at);
  heap.free(rendering, BYTES);
}

/** Rows lose the label of this name. */
export function drop(rendering: usize, name: u32): bool {
  return pushWord(rendering + DROPPED, name);
}

/** Forgets the rows of the last morsel. */
export function begin(rendering: usize): void {
  buffer.truncate(rendering + SETS, 0);
  buffer.truncate(rendering + KEYS, 0);
  buffer.truncate(rendering + KEY_ENDS, 0);
  buffer.truncate(rendering + TEXT, 0);
  buffer.truncate(rendering + ENDS, 0);
  store<u32>(rendering, 0, CELLS);
}

/** Adds a row of `cells` values; false where the memory limit says no. */
export function addRow(rendering: usize, set: usize, cells: u32): bool {
  store<u32>(rendering, load<u32>(rendering, CELLS) + cells, CELLS);
  return pushWord(rendering + SETS, <u32>set);
}

/** The same of a group by its key, which stays where it is until the rows are written. */
export function addGroup(rendering: usize, key: usize, cells: u32): bool {
  store<u32>(rendering, 1, GROUPED);
  return addRow(rendering, key, cells);
}

/** Looks at the labels of a row. */
function look(rendering: usize, row: u32): void {
  const labels = <usize>wordAt(rendering + SETS, row);
  if (load<u32>(rendering, GROUPED) != 0) pairs.lookAtKey(labels);
  else pairs.lookAtSet(labels);
}

/** Writes the rows, whose cells lie at `values` and `present`; false where the memory limit says no. */
export function write(rendering: usize, values: usize, present: usize): bool {
  const rows = buffer.length(rendering + SETS) >>> 2;
  const sorted = load<u32>(rendering, FORM) != RenderForm.Vector;
  if (sorted && !sortRows(rendering, rows)) return false;
  const steps = <usize>load<u32>(rendering, STEPS);
  for (let i: u32 = 0; i < rows; i++) {
    const row: usize = sorted ? wordAt(rendering + ORDER, i) : i;
    if (!writeRow(rendering, row, values + ((row * steps) << 3), present + row * steps)) return false;
  }
  return true;
}

function writeRow(rendering: usize, row: usize, values: usize, present: usize): bool {
  look(rendering, <u32>row);
  const steps = load<u32>(rendering, STEPS);
  const most = labelsMax() + steps * SAMPLE_TEXT_MAX + AROUND_BYTES + <u32>SLACK;
  const from = buffer.reserve(rendering + TEXT, most);
  if (from == 0) return false;
  let out = from;
  if (buffer.length(rendering + ENDS) != 0) {
    store<u8>(out, COMMA);
    out++;
  }
  out = writeCells(rendering, out, values, present);
  buffer.advance(rendering + TEXT, <u32>(out - from));
  return pushWord(rendering + ENDS, buffer.length(rendering + TEXT));
}

/** Writes the row looked at as its form says; gives the end. */
function writeCells(rendering: usize, out: usize, values: usize, present: usize): usize {
  const form: RenderForm = load<u32>(rendering, FORM);
  if (form == RenderForm.Labels) return writeLabels(rendering, out);
  store<u64>(out, 0x697274656d227b); // {"metri
  store<u32>(out, 0x3a2263, 7); // c":
  out = writeLabels(rendering, out + 10);
  const openings = <usize>load<u32>(rendering, OPENINGS);
  const steps = load<u32>(rendering, STEPS);
  if (form == RenderForm.Matrix) {
    store<u64>(out, 0x7365756c6176222c); // ,"values
    store<u32>(out, 0x005b3a22, 8); // ":[
    out = writeSamples(out + 11, openings, values, present, steps);
    store<u16>(out, 0x7d5d); // ]}
    return out + 2;
  }
  store<u64>(out, 0x2265756c6176222c); // ,"value"
  store<u8>(out, 0x3a /* : */, 8);
  out = writeSamples(out + 9, openings, values, present, steps);
  store<u8>(out, 0x7d /* } */);
  return out + 1;
}

/** `{"__name__":"up","job":"a"}` */
function writeLabels(rendering: usize, out: usize): usize {
  store<u8>(out, 0x7b /* { */);
  out++;
  let first = true;
  for (let i: u32 = 0; i < pairs.count(); i++) {
    const name = pairs.nameAt(i);
    if (isDropped(rendering, name)) continue;
    if (!first) {
      store<u8>(out, COMMA);
      out++;
    }
    first = false;
    out = writeString(out, symbols.address(name), symbols.length(name));
    store<u8>(out, 0x3a /* : */);
    const value = pairs.valueAt(i);
    out = writeString(out + 1, symbols.address(value), symbols.length(value));
  }
  store<u8>(out, 0x7d /* } */);
  return out + 1;
}

/** Most bytes of the labels' text. */
function labelsMax(): u32 {
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < pairs.count(); i++) {
    bytes += symbols.length(pairs.nameAt(i)) + symbols.length(pairs.valueAt(i));
  }
  // Around each pair: four quotes, a colon, a comma.
  return bytes * ESCAPED_MAX + pairs.count() * 6;
}

function isDropped(rendering: usize, name: u32): bool {
  const dropped = rendering + DROPPED;
  for (let i: u32 = 0; i < buffer.length(dropped) >>> 2; i++) if (wordAt(dropped, i) == name) return true;
  return false;
}

// --- Order ---

/** Makes the keys, brings the rows into their order, and the keys into the same. */
function sortRows(rendering: usize, rows: u32): bool {
  for (let row: u32 = 0; row < rows; row++) {
    look(rendering, row);
    if (!addKey(rendering)) return false;
  }
  buffer.truncate(rendering + ORDER, 0);
  // As much again is the room that sorting takes.
  const order = buffer.reserve(rendering + ORDER, rows << 3);
  if (order == 0 && rows != 0) return false;
  sortByKeys(order, rows, buffer.address(rendering + KEYS), buffer.address(rendering + KEY_ENDS));
  buffer.advance(rendering + ORDER, rows << 2);
  return true;
}

function addKey(rendering: usize): bool {
  for (let i: u32 = 0; i < pairs.count(); i++) {
    const name = pairs.nameAt(i);
    if (isDropped(rendering, name)) continue;
    if (!addPart(rendering + KEYS, name) || !addPart(rendering + KEYS, pairs.valueAt(i))) return false;
  }
  return pushWord(rendering + KEY_ENDS, buffer.length(rendering + KEYS));
}

/** A name or value of a key, with the zero behind it. */
function addPart(keys: usize, symbol: u32): bool {
  const length = symbols.length(symbol);
  const from = buffer.reserve(keys, length * 2 + 1);
  if (from == 0) return false;
  const text = symbols.address(symbol);
  let out = from;
  for (let i: usize = 0; i < <usize>length; i++) {
    const byte = load<u8>(text + i);
    if (byte > 1) {
      store<u8>(out, byte);
      out++;
    } else {
      store<u8>(out, 1);
      store<u8>(out, byte + 1, 1);
      out += 2;
    }
  }
  store<u8>(out, 0);
  buffer.advance(keys, <u32>(out + 1 - from));
  return true;
}

// --- What comes out ---

/** Rows of the last morsel. */
export function rows(rendering: usize): u32 {
  return buffer.length(rendering + SETS) >>> 2;
}

export function cells(rendering: usize): u32 {
  return load<u32>(rendering, CELLS);
}

export function textAddress(rendering: usize): usize {
  return buffer.address(rendering + TEXT);
}

export function textBytes(rendering: usize): u32 {
  return buffer.length(rendering + TEXT);
}

export function endsAddress(rendering: usize): usize {
  return buffer.address(rendering + ENDS);
}

/** Keys stand in the order in which rows were found; `order` says which row of those is the i-th of the text. */
export function keysAddress(rendering: usize): usize {
  return buffer.address(rendering + KEYS);
}

export function keysBytes(rendering: usize): u32 {
  return buffer.length(rendering + KEYS);
}

export function keyEndsAddress(rendering: usize): usize {
  return buffer.address(rendering + KEY_ENDS);
}

export function orderAddress(rendering: usize): usize {
  return buffer.address(rendering + ORDER);
}

function wordAt(words: usize, index: u32): u32 {
  return load<u32>(buffer.address(words) + ((<usize>index) << 2));
}

function pushWord(words: usize, value: u32): bool {
  const at = buffer.reserve(words, 4);
  if (at == 0) return false;
  store<u32>(at, value);
  buffer.advance(words, 4);
  return true;
}
