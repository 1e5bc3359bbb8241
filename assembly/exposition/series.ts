// The raw bytes of a series, already found well-formed, as labels in the scratch.

import { floatEnd, floatOverflow, parseFloat } from '../bytes/float-parse';
import { FLOAT_TEXT_MAX, printLabel } from '../bytes/float-print';
import { findEither } from '../bytes/scan';
import * as scratch from '../labels/scratch';
import { FloatLabel } from './line';

const BLANK: u8 = 0x20;
const TAB: u8 = 0x09;
const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const EQUAL_SIGN: u8 = 0x3d;
const BACKSLASH: u8 = 0x5c;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;

/** "__name__", "le" and "quantile" */
const METRIC_NAME: usize = memory.data<u8>([0x5f, 0x5f, 0x6e, 0x61, 0x6d, 0x65, 0x5f, 0x5f]);
const METRIC_NAME_BYTES: usize = 8;
const QUANTILE: u64 = 0x656c69746e617571;
const LE: u16 = 0x656c;

/** A number's text, with a byte behind it that ends it. */
const number: usize = memory.data(64, 8);
const NUMBER_MAX: usize = 48;

/** Adds the labels of the series text from `at` to `end`. `float` says which label holds a number. */
export function addSeries(at: usize, end: usize, float: FloatLabel): void {
  const nameEnd = bareNameEnd(at, end);
  // Blanks before a bare name belong to it; before a brace they do not.
  if (load<u8>(skipBlanks(at, end)) != OPEN) {
    scratch.add(METRIC_NAME, METRIC_NAME_BYTES, at, nameEnd - at);
    at = nameEnd;
  }
  at = skipBlanks(at, end);
  if (at >= end) return;
  assert(load<u8>(at) == OPEN, 'a series text goes on with a brace');
  at = skipBlanks(at + 1, end);
  while (at < end && load<u8>(at) != CLOSE) at = addLabel(at, end, float);
}

/** One label or quoted metric name; gives where the next one starts. */
function addLabel(at: usize, end: usize, float: FloatLabel): usize {
  const quoted = load<u8>(at) == QUOTE;
  const nameAt = quoted ? at + 1 : at;
  at = quoted ? quoteEnd(nameAt, end) : labelEnd(at, end);
  const nameBytes = at - nameAt;
  at = skipBlanks(quoted ? at + 1 : at, end);
  if (at >= end || load<u8>(at) != EQUAL_SIGN) {
    scratch.addEscaped(METRIC_NAME, METRIC_NAME_BYTES, nameAt, nameBytes);
  } else {
    const valueAt = skipBlanks(at + 1, end) + 1;
    at = quoteEnd(valueAt, end);
    if (!addFloat(nameAt, nameBytes, valueAt, at - valueAt, float)) {
      scratch.addEscaped(nameAt, nameBytes, valueAt, at - valueAt);
    }
    at = skipBlanks(at + 1, end);
  }
  return at < end && load<u8>(at) == COMMA ? skipBlanks(at + 1, end) : at;
}

/** Adds the label in the form of a float where it is one that TYPE makes a number; false: it is not. */
function addFloat(name: usize, nameBytes: usize, value: usize, valueBytes: usize, float: FloatLabel): bool {
  if (float == FloatLabel.None || valueBytes > NUMBER_MAX) return false;
  if (float == FloatLabel.Le && (nameBytes != 2 || load<u16>(name) != LE)) return false;
  if (float == FloatLabel.Quantile && (nameBytes != 8 || load<u64>(name) != QUANTILE)) return false;
  memory.copy(number, value, valueBytes);
  memory.fill(number + valueBytes, 0, 64 - valueBytes);
  const bits = parseFloat(number);
  if (floatEnd != number + valueBytes || floatOverflow) return false;
  const textEnd = printLabel(number, bits);
  assert(textEnd - number <= FLOAT_TEXT_MAX, 'a printed float is short');
  scratch.add(name, nameBytes, number, textEnd - number);
  return true;
}

function skipBlanks(at: usize, end: usize): usize {
  while (at < end && (load<u8>(at) == BLANK || load<u8>(at) == TAB)) at++;
  return at;
}

/** The end of a bare metric name with the blanks before it. */
function bareNameEnd(at: usize, end: usize): usize {
  at = skipBlanks(at, end);
  while (at < end && load<u8>(at) != OPEN && load<u8>(at) != BLANK && load<u8>(at) != TAB) at++;
  return at;
}

function labelEnd(at: usize, end: usize): usize {
  for (; at < end; at++) {
    const byte = load<u8>(at);
    if (byte == EQUAL_SIGN || byte == BLANK || byte == TAB) return at;
  }
  return end;
}

/** The quote that ends a string whose first byte is at `at`. */
function quoteEnd(at: usize, end: usize): usize {
  at = findEither(at, end, QUOTE, BACKSLASH);
  while (at < end && load<u8>(at) == BACKSLASH) at = findEither(at + 2, end, QUOTE, BACKSLASH);
  return at;
}
