// One line of OpenMetrics 1.0 (or 0.0.1) text, looked at byte by byte: the slow path.
//
// What it finds goes where line.ts has it, and a refusal reads the same way. The grammar is stricter: between two
// words is one space and nothing else, each line has its end, and the text ends with `# EOF`.
//
//   a_total{b="c"} 17 1767232620.5 # {trace="x"} 1 1767232620⏎
//   └───series───┘ └value  └time   └──────exemplar──────────┘
//
// Quirks of Prometheus, kept on purpose
//   - behind a value, what is no timestamp and no exemplar is refused as the start of the next line;
//   - a label value may hold zero bytes, a metric name in quotes line breaks.

import { floatEnd, floatOverflow, parseFloat } from '../bytes/float-parse';
import { find } from '../bytes/scan';
import { isValidUtf8 } from '../bytes/utf8';
import { MetadataKind, TextFault, TextToken } from '../layout';
import * as line from './line';
import { is, LABEL, LABEL_START, Line, NAME, NAME_START, refuse, refuseAt, refuseToken, skip } from './line';

const BREAK: u8 = 0x0a;
const BLANK: u8 = 0x20;
const QUOTE: u8 = 0x22;
const HASH_SIGN: u8 = 0x23;
const COMMA: u8 = 0x2c;
const EQUAL_SIGN: u8 = 0x3d;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;
const UNDERSCORE: u8 = 0x5f;

/** The exemplar of the last series, from its brace to the end of the line; 0 where it has none. */
export let exemplarAt: usize = 0;
export let exemplarEnd: usize = 0;

/** Where the text ends. */
let end: usize = 0;
/** The metric name found in braces; 0 where there was none. */
let nameInBraces: usize = 0;
/** Where the last string that has no end broke off. */
let brokeAt: usize = 0;

/** Starts a text that ends before `textEnd`, behind which there are zeroes. */
export function start(textEnd: usize): void {
  end = textEnd;
  line.start(textEnd);
}

/** Looks at the line that starts at `at`. */
export function parseLine(at: usize): Line {
  line.beginLine(at);
  if (at >= end) return refuseUnended();
  if (is(at, NAME_START)) {
    const nameEnd = skip(at, NAME);
    nameInBraces = at;
    if (load<u8>(nameEnd) != OPEN) return parseSuffix(nameEnd, at);
    return parseLabels(nameEnd + 1);
  }
  const byte = load<u8>(at);
  if (byte == HASH_SIGN) return parseComment(at);
  if (byte != OPEN) return refuse(TextFault.StartToken, at, TextToken.Invalid);
  nameInBraces = 0;
  return parseLabels(at + 1);
}

/** The text ended without `# EOF`. */
export function refuseUnended(): Line {
  return refuse(TextFault.Unended, end, TextToken.End);
}

// ---- labels

/** The labels from behind the brace on, and the rest of the line. */
function parseLabels(at: usize): Line {
  while (load<u8>(at) != CLOSE) {
    const nameAt = at;
    const quoted = load<u8>(at) == QUOTE;
    if (!quoted && !is(at, LABEL_START)) return refuseLabel(TextFault.LabelName, at, at - 1);
    at = quoted ? line.quotedEnd(at, false) : skip(at, LABEL);
    if (at == 0) return refuse(TextFault.LabelName, nameAt, TextToken.Invalid, line.cursorAt);
    const byte = load<u8>(at);
    if (byte == COMMA || byte == CLOSE) {
      // Not a label: the metric name. A bare word is none, though Prometheus cuts a name out of it.
      if (nameInBraces != 0) return refuseLine(TextFault.NameTwice, at + 1);
      if (!quoted) return refuseLine(TextFault.NoName, at + 1);
      nameInBraces = nameAt;
      if (byte == COMMA) at++;
      continue;
    }
    if (byte != EQUAL_SIGN) return refuseLabel(TextFault.Equal, at, nameAt);
    const valueAt = at + 1;
    at = load<u8>(valueAt) == QUOTE ? stringEnd(valueAt, true) : 0;
    if (at == 0) return refuseValue(valueAt);
    if (!isValidUtf8(valueAt, at - valueAt)) return refuse(TextFault.ValueUtf8, valueAt, TextToken.LabelValue, at);
    if (load<u8>(at) == COMMA) at++;
    else if (load<u8>(at) != CLOSE) return refuseLabel(TextFault.LabelSeparator, at, valueAt);
  }
  return parseSuffix(at + 1, at);
}

/** Behind the quote that ends the string at `at`, which has no raw line break; 0 where there is none: see brokeAt. */
function stringEnd(at: usize, zeros: bool): usize {
  const found = line.quotedEnd(at, zeros);
  const until = found != 0 ? found : line.cursorAt;
  brokeAt = find(at + 1, until, BREAK);
  return brokeAt == until ? found : 0;
}

// ---- value, timestamp and exemplar

/** What follows the series, which ends before `at` with a token at `last`. */
function parseSuffix(at: usize, last: usize): Line {
  const valueEnd = wordEnd(at);
  if (nameInBraces == 0) {
    return refuseLine(TextFault.NoName, valueEnd != 0 ? valueEnd : load<u8>(at) == OPEN ? at + 1 : brokenAt(at));
  }
  if (valueEnd == 0) {
    if (load<u8>(at) == OPEN) return refuse(TextFault.ValueExpected, at, TextToken.BraceOpen, at + 1);
    return refuseWord(TextFault.ValueExpected, at, last);
  }
  const bits = parseFloat(at + 1);
  if (floatEnd != valueEnd || floatOverflow) return line.refuseNumber(at + 1, valueEnd);
  line.foundSeries(at, bits);
  const lineEnd = parseTail(valueEnd);
  if (lineEnd == 0) return Line.Fault;
  line.endLine(lineEnd + 1);
  return Line.Series;
}

/** Reads what follows a value, and remembers it; gives the line break, or 0: then there is a fault. */
export function parseTail(at: usize): usize {
  exemplarAt = 0;
  line.foundNoTime();
  if (load<u8>(at) == BREAK) return at;
  if (at >= end) return fault(refuseUnended());
  if (isExemplar(at)) return parseExemplar(at + 3);
  const timeEnd = timeToken(at);
  if (timeEnd == 0) return fault(refuseStray(load<u8>(at) != BLANK ? at : brokenAt(at)));
  if (!readTime(at + 1, timeEnd, TextFault.TimestampInfinite)) return 0;
  line.foundTime(timeMs);
  if (load<u8>(timeEnd) == BREAK) return timeEnd;
  if (isExemplar(timeEnd)) return parseExemplar(timeEnd + 3);
  return fault(refuseTail(TextFault.AfterTimestamp, timeEnd, at));
}

/** A fault was noted. */
function fault(_: Line): usize {
  return 0;
}

/** Whether ` # {` stands here. */
function isExemplar(at: usize): bool {
  return load<u32>(at) == 0x7b202320;
}

/** The end of the word behind the space at `at`: up to a space, a line break or a zero byte. 0 where there is none. */
function wordEnd(at: usize): usize {
  if (load<u8>(at) != BLANK) return 0;
  let next = at + 1;
  while (load<u8>(next) != BLANK && load<u8>(next) != BREAK && load<u8>(next) != 0) next++;
  return next == at + 1 ? 0 : next;
}

/** The same, but that ` # ` begins an exemplar. */
function timeToken(at: usize): usize {
  return load<u16>(at, 1) == 0x2023 ? 0 : wordEnd(at);
}

/** Where a token that is no word breaks off. */
function brokenAt(at: usize): usize {
  if (load<u8>(at) != BLANK) return at;
  return load<u16>(at, 1) == 0x2023 ? at + 3 : at + 1;
}

let timeMs: i64 = 0;

/** Seconds to `timeMs`; false where there is a fault. */
function readTime(at: usize, timeEnd: usize, infinite: TextFault): bool {
  const bits = parseFloat(at);
  if (floatEnd != timeEnd || floatOverflow) {
    line.refuseNumber(at, timeEnd);
    return false;
  }
  const seconds = reinterpret<f64>(bits);
  if (!isFinite(seconds)) return refuseToken(infinite, at, timeEnd, TextToken.Timestamp);
  const ms = seconds * 1000;
  // Beyond, all is out of bounds; Prometheus has the least of all times there.
  timeMs = abs(ms) < 9223372036854775808.0 ? <i64>ms : i64.MIN_VALUE;
  return true;
}

/** The exemplar whose brace is at `at`; gives the line break, or 0: then there is a fault. */
function parseExemplar(at: usize): usize {
  const brace = at;
  at = parseExemplarLabels(at + 1);
  if (at == 0) return 0;
  const valueEnd = wordEnd(at + 1);
  if (valueEnd == 0) return fault(refuseExemplarValue(at + 1, at));
  parseFloat(at + 2);
  if (floatEnd != valueEnd || floatOverflow) return fault(line.refuseNumber(at + 2, valueEnd));
  exemplarAt = brace;
  exemplarEnd = valueEnd;
  if (load<u8>(valueEnd) == BREAK) return valueEnd;
  if (valueEnd >= end) return fault(refuseUnended());
  const timeEnd = wordEnd(valueEnd);
  if (timeEnd == 0) return fault(refuseWord(TextFault.ExemplarNext, valueEnd, at));
  if (!readTime(valueEnd + 1, timeEnd, TextFault.ExemplarInfinite)) return 0;
  exemplarEnd = timeEnd;
  if (load<u8>(timeEnd) == BREAK) return timeEnd;
  const nextEnd = wordEnd(timeEnd);
  if (nextEnd != 0) return fault(refuse(TextFault.AfterExemplar, timeEnd, TextToken.Timestamp, nextEnd));
  return fault(refuseWord(TextFault.AfterExemplar, timeEnd, valueEnd));
}

/** Gives the closing brace, or 0: then there is a fault. */
function parseExemplarLabels(at: usize): usize {
  // The first token is ` # {`.
  let last = at - 4;
  while (load<u8>(at) != CLOSE) {
    const nameAt = at;
    const quoted = load<u8>(at) == QUOTE;
    if (!quoted && !is(at, LABEL_START)) return fault(refuseLabel(TextFault.LabelName, at, last));
    at = quoted ? stringEnd(at, false) : skip(at, LABEL);
    if (at == 0) return fault(refuse(TextFault.LabelName, nameAt, TextToken.Invalid, brokeAt));
    const byte = load<u8>(at);
    if (byte == COMMA || byte == CLOSE) return fault(refuseLabel(TextFault.LabelName, at, nameAt));
    if (byte != EQUAL_SIGN) return fault(refuseLabel(TextFault.Equal, at, nameAt));
    const valueAt = at + 1;
    at = load<u8>(valueAt) == QUOTE ? stringEnd(valueAt, false) : 0;
    if (at == 0) return fault(refuseExemplarLabel(valueAt));
    if (!isValidUtf8(valueAt, at - valueAt)) {
      return fault(refuse(TextFault.ValueUtf8, valueAt, TextToken.LabelValue, at));
    }
    last = at;
    if (load<u8>(at) == COMMA) at++;
    else if (load<u8>(at) != CLOSE) return fault(refuseLabel(TextFault.LabelSeparator, at, valueAt));
  }
  return at;
}

// ---- metadata

// As little-endian words.
const HELP: u32 = 0x504c4548;
const TYPE: u32 = 0x45505954;
const UNIT: u32 = 0x54494e55;
const EOF: u32 = 0x464f45;

function parseComment(at: usize): Line {
  if (load<u8>(at, 1) != BLANK) return refuse(TextFault.StartToken, at, TextToken.Invalid, at + 1);
  const word = at + 2;
  const letters = load<u32>(word);
  if ((letters & 0xffffff) == EOF) return parseEnd(word + 3);
  if (load<u8>(word, 4) == BLANK) {
    if (letters == HELP) return parseMetadata(MetadataKind.Help, word + 5);
    if (letters == TYPE) return parseMetadata(MetadataKind.Type, word + 5);
    if (letters == UNIT) return parseMetadata(MetadataKind.Unit, word + 5);
  }
  return refuse(TextFault.StartToken, at, TextToken.Invalid, word + commonPrefix(letters));
}

/** How many letters are those of a word that might stand here. */
function commonPrefix(letters: u32): usize {
  const help = ctz<u32>(letters ^ HELP);
  const type = ctz<u32>(letters ^ TYPE);
  const unit = ctz<u32>(letters ^ UNIT);
  const eof = min(ctz<u32>(letters ^ EOF), 24);
  return <usize>max(max(help, type), max(unit, eof)) >> 3;
}

function parseEnd(at: usize): Line {
  if (load<u8>(at) == BREAK && at < end) at++;
  return at < end ? refuse(TextFault.AfterEnd, at, TextToken.Invalid) : Line.End;
}

/** A line that says something of the metric whose name is at `at`. */
function parseMetadata(kind: MetadataKind, at: usize): Line {
  const nameAt = at;
  const quoted = load<u8>(at) == QUOTE;
  const unnamed: TextFault = TextFault.NameAfterHelp + nameless(kind);
  if (at >= end) return refuse(unnamed, line.entryAt, TextToken.End, end);
  if (!quoted && !is(at, NAME_START)) return refuse(unnamed, at, TextToken.Invalid);
  at = quoted ? line.quotedEnd(at, false) : skip(at, NAME);
  if (at == 0) return refuse(unnamed, nameAt, TextToken.Invalid, line.cursorAt);
  const lineEnd = find(at, end, BREAK);
  if (load<u8>(at) != BLANK || lineEnd >= end) {
    return refuse(TextFault.TextAfterHelp + (kind - MetadataKind.Help), at, TextToken.Invalid);
  }
  const quote: usize = quoted ? 1 : 0;
  const textAt = at + 1;
  line.foundMetadata(kind, nameAt + quote, at - quote, textAt, lineEnd);
  line.endLine(lineEnd + 1);
  if (kind == MetadataKind.Help) {
    if (isValidUtf8(textAt, lineEnd - textAt)) return Line.Metadata;
    return refuse(TextFault.HelpUtf8, textAt, TextToken.Invalid, lineEnd);
  }
  if (kind == MetadataKind.Type) {
    if (readType()) return Line.Metadata;
    return refuse(TextFault.InvalidType, textAt, TextToken.Invalid, lineEnd);
  }
  if (isSuffix(textAt, lineEnd - textAt)) return Line.Metadata;
  return refuse(TextFault.UnitSuffix, textAt, TextToken.Invalid, lineEnd);
}

/** What to add to the fault of a missing name behind HELP. */
function nameless(kind: MetadataKind): i32 {
  return kind == MetadataKind.Unit ? TextFault.NameAfterUnit - TextFault.NameAfterHelp : kind - MetadataKind.Help;
}

/** Whether a unit ends the metric's name, behind an underscore. None always does. */
function isSuffix(unit: usize, bytes: usize): bool {
  if (bytes == 0) return true;
  if (line.metadataNameEnd - line.metadataName < bytes + 1) return false;
  const suffix = line.metadataNameEnd - bytes;
  return load<u8>(suffix - 1) == UNDERSCORE && memory.compare(suffix, unit, bytes) == 0;
}

const GAUGE_HISTOGRAM: usize = memory.data<u8>([
  0x67, 0x61, 0x75, 0x67, 0x65, 0x68, 0x69, 0x73, 0x74, 0x6f, 0x67, 0x72, 0x61, 0x6d,
]);
const INFO: usize = memory.data<u8>([0x69, 0x6e, 0x66, 0x6f]);
const STATE_SET: usize = memory.data<u8>([0x73, 0x74, 0x61, 0x74, 0x65, 0x73, 0x65, 0x74]);
const UNKNOWN: usize = memory.data<u8>([0x75, 0x6e, 0x6b, 0x6e, 0x6f, 0x77, 0x6e]);

function readType(): bool {
  if (line.readCommonType()) return true;
  return (
    line.isText(GAUGE_HISTOGRAM, 14) || line.isText(INFO, 4) || line.isText(STATE_SET, 8) || line.isText(UNKNOWN, 7)
  );
}

// ---- refusals

function refuseLine(reason: TextFault, cursor: usize): Line {
  refuseAt(reason, cursor);
  return Line.Fault;
}

/** No word stands at `at`. At the end of the text, what is quoted is the token before, at `last`. */
function refuseWord(reason: TextFault, at: usize, last: usize): Line {
  if (at >= end) return refuse(reason, last, TextToken.End, end);
  return refuse(reason, at, TextToken.Invalid, load<u8>(at) == BLANK ? at + 1 : at);
}

/** A fault between braces: finds out what stands there. The token before it is at `last`. */
function refuseLabel(reason: TextFault, at: usize, last: usize): Line {
  const byte = load<u8>(at);
  if (at >= end) return refuse(reason, last, TextToken.End, end);
  if (byte == CLOSE) return refuse(reason, at, TextToken.BraceClose, at + 1);
  if (byte == EQUAL_SIGN) return refuse(reason, at, TextToken.Equal, at + 1);
  if (byte == COMMA) return refuse(reason, at, TextToken.Comma, at + 1);
  if (is(at, LABEL_START)) return refuse(reason, at, TextToken.LabelName, skip(at, LABEL));
  if (byte != QUOTE) return refuse(reason, at, TextToken.Invalid);
  const quoted = line.quotedEnd(at, false);
  if (quoted != 0) return refuse(reason, at, TextToken.Quoted, quoted);
  return refuse(reason, at, TextToken.Invalid, line.cursorAt);
}

function refuseValue(at: usize): Line {
  if (at >= end) return refuse(TextFault.LabelValue, at - 1, TextToken.End, end);
  return refuse(TextFault.LabelValue, at, TextToken.Invalid, load<u8>(at) == QUOTE ? brokeAt : at);
}

/** In exemplars a value may follow where a label's is expected. */
function refuseExemplarLabel(at: usize): Line {
  const valueEnd = wordEnd(at);
  if (valueEnd != 0) return refuse(TextFault.LabelValue, at, TextToken.Value, valueEnd);
  if (load<u8>(at) == BLANK) return refuse(TextFault.LabelValue, at, TextToken.Invalid, at + 1);
  return refuseValue(at);
}

function refuseExemplarValue(at: usize, last: usize): Line {
  if (load<u8>(at) != QUOTE) return refuseWord(TextFault.ExemplarValue, at, last);
  const stringAt = stringEnd(at, false);
  if (stringAt != 0) return refuse(TextFault.ExemplarValue, at, TextToken.LabelValue, stringAt);
  return refuse(TextFault.ExemplarValue, at, TextToken.Invalid, brokeAt);
}

/** Behind a timestamp stands something else than an exemplar; the timestamp's token is at `last`. */
function refuseTail(reason: TextFault, at: usize, last: usize): Line {
  if (at >= end) return refuse(reason, last, TextToken.End, end);
  const wordAt = timeToken(at);
  if (wordAt != 0) return refuse(reason, at, TextToken.Timestamp, wordAt);
  return refuse(reason, at, TextToken.Invalid, brokenAt(at));
}

/** What stands at `at` is taken for the start of the next line. */
function refuseStray(at: usize): Line {
  line.beginLine(at);
  if (at >= end) return refuseUnended();
  if (load<u8>(at) == BREAK) return refuse(TextFault.StartToken, at, TextToken.Linebreak, at + 1);
  if (isExemplar(at)) return refuse(TextFault.StartToken, at, TextToken.Comment, at + 4);
  return refuseTail(TextFault.StartToken, at, at);
}
