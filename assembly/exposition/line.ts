// One line of text format 0.0.4, looked at byte by byte: the slow path.
//
// What is accepted and what is refused is what Prometheus 3 does, which is a little more
// than the format's description: see "quirks". A refusal leaves a fault, and where:
//
//   entry           token    cursor
//   ▼               ▼        ▼
//   metric{label="a"} 1.5   2 3⏎
//   entry   the start of the line        token..cursor   what was found, and of which kind
//
// Quirks, kept on purpose
//   - spaces before a bare metric name belong to the name;
//   - a label value may hold a raw line break, and zero bytes;
//   - a zero byte where a line would start ends the text;
//   - between name and value there need be no space: a+1 is a sample;
//   - labels need no comma between them.

import { floatEnd, floatOverflow, parseFloat } from '../bytes/float-parse';
import { find, findEither } from '../bytes/scan';
import { isValidUtf8 } from '../bytes/utf8';
import { MetadataKind, TextFault, TextToken } from '../layout';

/** What a line is. */
export enum Line {
  Series,
  /** HELP or TYPE: see metadata* below. */
  Metadata,
  Comment,
  Blank,
  /** The text ends here. */
  End,
  Fault,
}

/** Which label of a series a TYPE makes a float: none, le or quantile. */
export enum FloatLabel {
  None,
  Le,
  Quantile,
}

export let fault: TextFault = TextFault.None;
export let faultToken: TextToken = TextToken.Invalid;
export let entryAt: usize = 0;
export let tokenAt: usize = 0;
export let cursorAt: usize = 0;

/** Where the next line starts. */
export let nextLine: usize = 0;

/** The raw bytes of a series, which are its key in the cache: from the line's start to its name's or braces' end. */
export let seriesEnd: usize = 0;
export let value: u64 = 0;
export let hasTime: bool = false;
export let time: i64 = 0;

export let metadataKind: MetadataKind = MetadataKind.Help;
export let metadataName: usize = 0;
export let metadataNameEnd: usize = 0;
export let metadataText: usize = 0;
export let metadataEnd: usize = 0;
/** What a TYPE line says of the labels behind it. */
export let metadataFloat: FloatLabel = FloatLabel.None;

/** Where the text ends: behind the line break that is added to it. */
let end: usize = 0;
/** The metric name found in braces; 0 where there was none. */
let nameInBraces: usize = 0;

// What a byte can be part of.
export const NAME_START: u8 = 1;
export const NAME: u8 = 2;
export const LABEL_START: u8 = 4;
export const LABEL: u8 = 8;
const SPACE: u8 = 16;
const DIGIT: u8 = 32;

const classes: usize = memory.data(256, 16);
let classesReady = false;

const TAB: u8 = 0x09;
const BREAK: u8 = 0x0a;
const BLANK: u8 = 0x20;
const QUOTE: u8 = 0x22;
const HASH_SIGN: u8 = 0x23;
const COMMA: u8 = 0x2c;
const EQUAL_SIGN: u8 = 0x3d;
const BACKSLASH: u8 = 0x5c;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;

/** Starts a text: it ends before `textEnd`, whose last byte is a line break. */
export function start(textEnd: usize): void {
  end = textEnd;
  fault = TextFault.None;
  if (!classesReady) fillClasses();
}

// ---- what the other grammar finds (openmetrics.ts)

export function beginLine(at: usize): void {
  entryAt = at;
}

export function endLine(next: usize): void {
  nextLine = next;
}

export function foundSeries(end: usize, bits: u64): void {
  seriesEnd = end;
  value = bits;
}

export function foundNoTime(): void {
  hasTime = false;
}

export function foundTime(timeMs: i64): void {
  hasTime = true;
  time = timeMs;
}

export function foundMetadata(kind: MetadataKind, name: usize, nameEnd: usize, text: usize, end: usize): void {
  metadataKind = kind;
  metadataName = name;
  metadataNameEnd = nameEnd;
  metadataText = text;
  metadataEnd = end;
}

function fillClasses(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    const lower = byte | 0x20;
    const letter = lower >= 0x61 && lower <= 0x7a && byte < 0x80;
    const digit = byte >= 0x30 && byte <= 0x39;
    let bits: u8 = 0;
    if (letter || byte == 0x5f /* _ */) bits |= NAME_START | NAME | LABEL_START | LABEL;
    if (byte == 0x3a /* : */) bits |= NAME_START | NAME;
    if (digit) bits |= NAME | LABEL | DIGIT;
    if (byte == TAB || byte == BLANK) bits |= SPACE;
    store<u8>(classes + byte, bits);
  }
  classesReady = true;
}

export function is(at: usize, what: u8): bool {
  return (load<u8>(classes + load<u8>(at)) & what) != 0;
}

export function skip(at: usize, what: u8): usize {
  while (is(at, what)) at++;
  return at;
}

/** Looks at the line that starts at `at`. */
export function parseLine(at: usize): Line {
  entryAt = at;
  const first = skip(at, SPACE);
  if (first >= end) return Line.End;
  const byte = load<u8>(first);
  if (is(first, NAME_START)) {
    const nameEnd = skip(first, NAME);
    seriesEnd = nameEnd;
    const next = skip(nameEnd, SPACE);
    if (load<u8>(next) != OPEN) return parseSuffix(next);
    nameInBraces = at;
    return parseLabels(next + 1) ? parseSuffix(skip(seriesEnd, SPACE)) : Line.Fault;
  }
  if (byte == OPEN) {
    nameInBraces = 0;
    if (!parseLabels(first + 1)) return Line.Fault;
    return parseSuffix(skip(seriesEnd, SPACE));
  }
  if (byte == BREAK) {
    nextLine = first + 1;
    return Line.Blank;
  }
  if (byte == HASH_SIGN) return parseComment(first);
  if (byte == 0) return Line.End;
  return refuse(TextFault.StartToken, first, TextToken.Invalid);
}

// ---- labels

/** The labels from behind the brace on; sets seriesEnd behind the closing one. */
function parseLabels(at: usize): bool {
  at = skip(at, SPACE);
  while (load<u8>(at) != CLOSE) {
    const nameAt = at;
    const quoted = load<u8>(at) == QUOTE;
    if (!quoted && !is(at, LABEL_START)) return refuseLabel(TextFault.LabelName, at);
    at = quoted ? quotedEnd(at, false) : skip(at, LABEL);
    if (at == 0) return refuseLabel(TextFault.LabelName, nameAt);
    const nameEnd = at;
    at = skip(at, SPACE);
    const byte = load<u8>(at);
    if (byte == COMMA || byte == CLOSE) {
      // Not a label: the metric name. A bare word there is refused by its length, a quirk not kept.
      if (nameInBraces != 0) return refuseAt(TextFault.NameTwice, at + 1);
      if (!quoted) return refuseAt(TextFault.NoName, at + 1);
      nameInBraces = nameEnd;
      if (byte == CLOSE) break;
      at = skip(at + 1, SPACE);
      continue;
    }
    if (byte != EQUAL_SIGN) return refuseLabel(TextFault.Equal, at);
    const valueAt = skip(at + 1, SPACE);
    at = load<u8>(valueAt) == QUOTE ? quotedEnd(valueAt, true) : 0;
    if (at == 0) return refuseValue(valueAt);
    if (!isValidUtf8(valueAt, at - valueAt)) return refuseToken(TextFault.ValueUtf8, valueAt, at, TextToken.LabelValue);
    at = skip(at, SPACE);
    if (load<u8>(at) == COMMA) at = skip(at + 1, SPACE);
  }
  seriesEnd = at + 1;
  return true;
}

/**
 * Behind the quote that ends the string starting at `at`; 0 where there is none, and
 * cursorAt is then where it broke off. `zeros`: zero bytes are part of it.
 */
export function quotedEnd(at: usize, zeros: bool): usize {
  const start = at + 1;
  at = findEither(start, end, QUOTE, BACKSLASH);
  while (at < end && load<u8>(at) == BACKSLASH) {
    at++;
    if (at >= end || load<u8>(at) == BREAK) return breakOff(start, at, zeros);
    at = findEither(at + 1, end, QUOTE, BACKSLASH);
  }
  if (at >= end || (!zeros && find(start, at, 0) != at)) return breakOff(start, at, zeros);
  return at + 1;
}

/** A string that began at `start` broke off at `at`, or at a zero byte before that. */
function breakOff(start: usize, at: usize, zeros: bool): usize {
  cursorAt = zeros ? at : find(start, at, 0);
  return 0;
}

// ---- value and timestamp

/** What follows the labels: value, perhaps a timestamp, line break. */
function parseSuffix(at: usize): Line {
  // The name is the last thing checked before the value.
  if (nameInBraces == 0 && load<u8>(seriesEnd - 1) == CLOSE) {
    refuseAt(TextFault.NoName, valueToken(at));
    return Line.Fault;
  }
  const valueEnd = valueToken(at);
  if (valueEnd == at) {
    const brace = load<u8>(at) == OPEN;
    return refuse(TextFault.ValueExpected, at, brace ? TextToken.BraceOpen : TextToken.Invalid, brace ? at + 1 : at);
  }
  value = parseFloat(at);
  if (floatEnd != valueEnd || floatOverflow) return refuseNumber(at, valueEnd);

  const lineEnd = parseTail(valueEnd);
  if (lineEnd == 0) return refuseTail(skip(valueEnd, SPACE));
  nextLine = lineEnd + 1;
  return Line.Series;
}

/** Reads blanks, perhaps a timestamp and blanks; gives the line break, or 0. Sets hasTime and time. */
export function parseTail(at: usize): usize {
  hasTime = false;
  at = skip(at, SPACE);
  if (load<u8>(at) == BREAK) return at;
  if (!is(at, DIGIT)) return 0;
  at = parseTime(at);
  if (at == 0) return 0;
  at = skip(at, SPACE);
  return load<u8>(at) == BREAK ? at : 0;
}

/** Finds out why parseTail() refused what starts at `at`. */
function refuseTail(at: usize): Line {
  if (!is(at, DIGIT)) return refuse(TextFault.TimestampExpected, at, TextToken.Invalid);
  const digitsEnd = skip(at, DIGIT);
  if (parseTime(at) == 0) return refuse(TextFault.TimestampRange, at, TextToken.Timestamp, digitsEnd);
  const next = skip(digitsEnd, SPACE);
  if (!is(next, DIGIT)) return refuse(TextFault.AfterTimestamp, next, TextToken.Invalid);
  return refuse(TextFault.AfterTimestamp, next, TextToken.Timestamp, skip(next, DIGIT));
}

/** Reads decimal digits into `time`; gives their end, 0 where they do not fit 63 bits. */
function parseTime(at: usize): usize {
  let result: u64 = 0;
  for (; is(at, DIGIT); at++) {
    const digit: u64 = load<u8>(at) & 0x0f;
    if (result > 922337203685477580 || (result == 922337203685477580 && digit > 7)) return 0;
    result = result * 10 + digit;
  }
  time = <i64>result;
  hasTime = true;
  return at;
}

/** The end of the value token: it stops at white space, an opening brace and a zero byte. */
function valueToken(at: usize): usize {
  while (!is(at, SPACE) && load<u8>(at) != BREAK && load<u8>(at) != OPEN && load<u8>(at) != 0) at++;
  return at;
}

/** A number from `at` to `valueEnd` that is none. */
export function refuseNumber(at: usize, valueEnd: usize): Line {
  let reason = floatEnd == valueEnd ? TextFault.ValueRange : TextFault.ValueSyntax;
  for (let p = at; p < valueEnd; p++) {
    const byte = load<u8>(p);
    if (byte == 0x70 /* p */ || byte == 0x50 /* P */ || byte == 0x5f /* _ */) reason = TextFault.ValueCharacter;
  }
  return refuse(reason, at, TextToken.Value, valueEnd);
}

// ---- comments

function parseComment(at: usize): Line {
  const word = skip(at + 1, SPACE);
  if (word != at + 1) {
    // "HELP" and "TYPE" as little-endian words, each with a space behind it.
    const letters = load<u32>(word);
    if (letters == 0x504c4548 && is(word + 4, SPACE)) return parseMetadata(MetadataKind.Help, word + 4);
    if (letters == 0x45505954 && is(word + 4, SPACE)) return parseMetadata(MetadataKind.Type, word + 4);
  }
  const lineEnd = find(at, end, BREAK);
  // Directly behind the sign, a zero byte ends the text.
  if (word == at + 1 && find(at, lineEnd, 0) != lineEnd) return Line.End;
  if (lineEnd >= end) return Line.End;
  nextLine = lineEnd + 1;
  return Line.Comment;
}

function parseMetadata(kind: MetadataKind, at: usize): Line {
  metadataKind = kind;
  at = skip(at, SPACE);
  const expected = kind == MetadataKind.Help ? TextFault.NameAfterHelp : TextFault.NameAfterType;
  metadataName = at;
  if (load<u8>(at) == QUOTE) {
    const nameEnd = quotedEnd(at, false);
    if (nameEnd == 0) return refuse(expected, at, TextToken.Invalid, cursorAt);
    metadataName = at + 1;
    metadataNameEnd = nameEnd - 1;
    at = nameEnd;
  } else {
    if (!is(at, NAME_START)) return refuse(expected, at, TextToken.Invalid);
    at = skip(at, NAME);
    metadataNameEnd = at;
  }
  const lineEnd = find(at, end, BREAK);
  // Of the text, the first byte is the space that parts it from the name. White space alone is no text.
  metadataText = min(at + 1, lineEnd);
  if (skip(at, SPACE) == lineEnd) metadataText = lineEnd;
  metadataEnd = lineEnd;
  nextLine = lineEnd + 1;
  if (kind == MetadataKind.Help) {
    if (isValidUtf8(metadataText, lineEnd - metadataText)) return Line.Metadata;
    return refuse(TextFault.HelpUtf8, metadataText, TextToken.Invalid, lineEnd);
  }
  if (readType()) return Line.Metadata;
  return refuse(TextFault.InvalidType, metadataText, TextToken.Invalid, lineEnd);
}

/** counter, gauge, histogram, summary or untyped, and nothing else. */
function readType(): bool {
  return readCommonType() || isText(UNTYPED, 7);
}

/** The types that both grammars know. */
export function readCommonType(): bool {
  metadataFloat = FloatLabel.None;
  if (isText(COUNTER, 7) || isText(GAUGE, 5)) return true;
  if (isText(HISTOGRAM, 9)) metadataFloat = FloatLabel.Le;
  else if (isText(SUMMARY, 7)) metadataFloat = FloatLabel.Quantile;
  return metadataFloat != FloatLabel.None;
}

const COUNTER: usize = memory.data<u8>([0x63, 0x6f, 0x75, 0x6e, 0x74, 0x65, 0x72]);
const GAUGE: usize = memory.data<u8>([0x67, 0x61, 0x75, 0x67, 0x65]);
const HISTOGRAM: usize = memory.data<u8>([0x68, 0x69, 0x73, 0x74, 0x6f, 0x67, 0x72, 0x61, 0x6d]);
const SUMMARY: usize = memory.data<u8>([0x73, 0x75, 0x6d, 0x6d, 0x61, 0x72, 0x79]);
const UNTYPED: usize = memory.data<u8>([0x75, 0x6e, 0x74, 0x79, 0x70, 0x65, 0x64]);

/** Whether the text of the metadata line is a word. */
export function isText(word: usize, bytes: usize): bool {
  return metadataEnd - metadataText == bytes && memory.compare(metadataText, word, bytes) == 0;
}

// ---- refusals

/** A fault about one byte that fits no token, or about a token from `at` to `cursor`. */
export function refuse(reason: TextFault, at: usize, kind: TextToken, cursor: usize = at): Line {
  refuseToken(reason, at, cursor, kind);
  return Line.Fault;
}

export function refuseToken(reason: TextFault, at: usize, cursor: usize, kind: TextToken): bool {
  fault = reason;
  tokenAt = at;
  cursorAt = cursor;
  faultToken = kind;
  return false;
}

/** A fault that only says how far the text was read. */
export function refuseAt(reason: TextFault, cursor: usize): bool {
  return refuseToken(reason, cursor, cursor, TextToken.Invalid);
}

/** A fault between the braces: finds out what stands there. */
function refuseLabel(reason: TextFault, at: usize): bool {
  const byte = load<u8>(at);
  if (at < end) {
    if (byte == CLOSE) return refuseToken(reason, at, at + 1, TextToken.BraceClose);
    if (byte == EQUAL_SIGN) return refuseToken(reason, at, at + 1, TextToken.Equal);
    if (byte == COMMA) return refuseToken(reason, at, at + 1, TextToken.Comma);
    if (is(at, LABEL_START)) return refuseToken(reason, at, skip(at, LABEL), TextToken.LabelName);
    if (byte == QUOTE) {
      const quoted = quotedEnd(at, false);
      if (quoted != 0) return refuseToken(reason, at, quoted, TextToken.Quoted);
      return refuseToken(reason, at, cursorAt, TextToken.Invalid);
    }
  }
  return refuseToken(reason, at, at, TextToken.Invalid);
}

function refuseValue(at: usize): bool {
  return refuseToken(TextFault.LabelValue, at, load<u8>(at) == QUOTE ? cursorAt : at, TextToken.Invalid);
}
