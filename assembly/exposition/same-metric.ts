// Whether two series texts of OpenMetrics are of one metric: the same name up to what follows its family's, the same labels in
// the same order, but for the one that tells the parts of a histogram or summary apart.
//
//   name{a="b",le="0.5"}          {"name",a="b"}          both were found to be series
//
// Compared are raw bytes, escapes and all, as in Prometheus.

import { FloatLabel } from './line';

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const EQUAL_SIGN: u8 = 0x3d;
const BACKSLASH: u8 = 0x5c;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;

/** `_created` */
const SUFFIX_BYTES: usize = 8;
const LE: u32 = 0x656c;
const QUANTILE: u64 = 0x656c69746e617571;

/** The part between braces that was read last: a label, or the metric's name. */
let partAt: usize = 0;
let partEnd: usize = 0;
let valueAt: usize = 0;
let valueEnd: usize = 0;
let isName: bool = false;

/** The name that was found last. */
export let nameAt: usize = 0;
export let nameEnd: usize = 0;

/**
 * Whether the series from `at` to `end` is one of the metric whose creation the series from `created` on tells. The name of
 * their family has `nameBytes` bytes; `float` says which label the family's type leaves out.
 */
export function isSameMetric(
  at: usize,
  end: usize,
  created: usize,
  createdEnd: usize,
  nameBytes: usize,
  float: FloatLabel,
): bool {
  findName(created, createdEnd);
  const name = nameAt;
  if (nameEnd - name != nameBytes + SUFFIX_BYTES) return false;
  findName(at, end);
  if (nameEnd - nameAt < nameBytes || memory.compare(nameAt, name, nameBytes) != 0) return false;
  at = partsAt(at, end);
  created = partsAt(created, createdEnd);
  while (true) {
    at = nextLabel(at, float);
    const label = partAt;
    const labelBytes = partEnd - partAt;
    const value = valueAt;
    const valueBytes = valueEnd - valueAt;
    created = nextLabel(created, float);
    if (at == 0 || created == 0) return at == created;
    if (partEnd - partAt != labelBytes || valueEnd - valueAt != valueBytes) return false;
    if (memory.compare(label, partAt, labelBytes) != 0 || memory.compare(value, valueAt, valueBytes) != 0) return false;
  }
}

/** Finds the metric name of a series: before the braces, or in quotes among the labels. */
export function findName(at: usize, end: usize): void {
  nameAt = at;
  nameEnd = at;
  if (load<u8>(at) != OPEN) {
    while (nameEnd < end && load<u8>(nameEnd) != OPEN) nameEnd++;
    return;
  }
  for (let part = readPart(at + 1); part != 0; part = readPart(part)) {
    if (!isName) continue;
    nameAt = partAt;
    nameEnd = partEnd;
    return;
  }
}

/** Behind the opening brace; 0 where there are no braces. */
function partsAt(at: usize, end: usize): usize {
  if (load<u8>(end - 1) != CLOSE) return 0;
  if (load<u8>(at) == OPEN) return at + 1;
  findName(at, end);
  return nameEnd + 1;
}

/** Reads the next label that counts; gives what is behind it, 0 where there is none. */
function nextLabel(at: usize, float: FloatLabel): usize {
  while (at != 0) {
    at = readPart(at);
    if (at != 0 && !isName && !isLeftOut(float)) return at;
  }
  return 0;
}

function isLeftOut(float: FloatLabel): bool {
  const bytes = partEnd - partAt;
  if (float == FloatLabel.Le) return bytes == 2 && <u32>load<u16>(partAt) == LE;
  return float == FloatLabel.Quantile && bytes == 8 && load<u64>(partAt) == QUANTILE;
}

/** Reads the label or the name at `at`; gives what is behind it, 0 at the closing brace. */
function readPart(at: usize): usize {
  if (load<u8>(at) == COMMA) at++;
  if (load<u8>(at) == CLOSE) return 0;
  const isQuoted = load<u8>(at) == QUOTE;
  let end = at;
  if (isQuoted) end = quoteEnd(at);
  else while (load<u8>(end) != EQUAL_SIGN) end++;
  partAt = isQuoted ? at + 1 : at;
  partEnd = isQuoted ? end - 1 : end;
  isName = load<u8>(end) != EQUAL_SIGN;
  if (isName) return end;
  valueAt = end + 2;
  const next = quoteEnd(end + 1);
  valueEnd = next - 1;
  return next;
}

/** Behind the quote that ends the string at `at`. */
function quoteEnd(at: usize): usize {
  for (at++; load<u8>(at) != QUOTE; at++) if (load<u8>(at) == BACKSLASH) at++;
  return at + 1;
}
