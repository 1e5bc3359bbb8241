// Faults in an exposition, text or OpenMetrics, in Prometheus's words: its target page and its users'
// alerts show them, so they read the same here.

import { TextFault, TextToken } from '../../assembly/layout.js';

/** Where a fault is, as offsets into the body. */
export interface FaultPlace {
  readonly fault: TextFault;
  readonly token: TextToken;
  /** The start of the line. */
  readonly entry: number;
  /** What was found lies from `at` to `cursor`. */
  readonly at: number;
  readonly cursor: number;
}

const TOKEN_NAMES: Readonly<Record<TextToken, string>> = {
  [TextToken.Invalid]: 'INVALID',
  [TextToken.Linebreak]: 'LINEBREAK',
  [TextToken.Name]: 'MNAME',
  [TextToken.Quoted]: 'QSTRING',
  [TextToken.BraceOpen]: 'BOPEN',
  [TextToken.BraceClose]: 'BCLOSE',
  [TextToken.LabelName]: 'LNAME',
  [TextToken.LabelValue]: 'LVALUE',
  [TextToken.Equal]: 'EQUAL',
  [TextToken.Comma]: 'COMMA',
  [TextToken.Timestamp]: 'TIMESTAMP',
  [TextToken.Value]: 'VALUE',
  [TextToken.Comment]: 'COMMENT',
  [TextToken.End]: 'EOF',
};

/** No message quotes more of a body than this, in bytes. */
const QUOTE_BYTES_MAX = 1024;

/** `body` includes the line break that the parser of text added. */
export function describeFault(body: Uint8Array, place: FaultPlace): string {
  const { fault, entry, at, cursor } = place;
  const read = quote(body.subarray(entry, cursor));
  const found = body.subarray(at, cursor);
  const expected = (what: string) => {
    const end = Math.min(cursor + 1, body.length);
    const got = quote(body.subarray(at, end));
    return `${what}, got ${got} ("${TOKEN_NAMES[place.token]}") while parsing: ${quote(body.subarray(entry, end))}`;
  };
  switch (fault) {
    case TextFault.StartToken:
      return expected('expected a valid start token');
    case TextFault.NameAfterHelp:
      return expected('expected metric name after HELP');
    case TextFault.NameAfterType:
      return expected('expected metric name after TYPE');
    case TextFault.InvalidType:
      return `invalid metric type ${quote(found)}`;
    case TextFault.HelpUtf8:
      return `help text ${quote(found)} is not a valid utf8 string`;
    case TextFault.LabelName:
      return expected('expected label name');
    case TextFault.Equal:
      return expected('expected equal');
    case TextFault.LabelValue:
      return expected('expected label value');
    case TextFault.ValueUtf8:
      return `invalid UTF-8 label value: ${quote(found)}`;
    case TextFault.NameTwice:
      return `metric name already set while parsing: ${read}`;
    case TextFault.NoName:
      return `metric name not set while parsing: ${read}`;
    case TextFault.ValueExpected:
      return expected('expected value after metric');
    case TextFault.ValueSyntax:
      return `strconv.ParseFloat: parsing ${quote(found)}: invalid syntax while parsing: ${read}`;
    case TextFault.ValueCharacter:
      return `unsupported character in float while parsing: ${read}`;
    case TextFault.ValueRange:
      return `strconv.ParseFloat: parsing ${quote(found)}: value out of range while parsing: ${read}`;
    case TextFault.TimestampExpected:
      return expected('expected timestamp or new record');
    case TextFault.TimestampRange:
      return `strconv.ParseInt: parsing ${quote(found)}: value out of range while parsing: ${read}`;
    case TextFault.AfterTimestamp:
      return expected('expected next entry after timestamp');
    case TextFault.LabelSeparator:
      return expected('expected comma or brace close');
    case TextFault.NameAfterUnit:
      return expected('expected metric name after UNIT');
    case TextFault.TextAfterHelp:
      return 'expected text in HELP';
    case TextFault.TextAfterType:
      return 'expected text in TYPE';
    case TextFault.TextAfterUnit:
      return 'expected text in UNIT';
    case TextFault.UnitSuffix:
      return `unit ${quote(found)} not a suffix of metric ${quote(metricOfUnit(body.subarray(entry, at)))}`;
    case TextFault.AfterEnd:
      return 'unexpected data after # EOF';
    case TextFault.Unended:
      return 'data does not end with # EOF';
    case TextFault.TimestampInfinite:
      return `invalid timestamp ${infinite(found)}`;
    case TextFault.ExemplarValue:
      return expected('expected value after exemplar labels');
    case TextFault.ExemplarInfinite:
      return `invalid exemplar timestamp ${infinite(found)}`;
    case TextFault.ExemplarNext:
      return expected('expected timestamp or comment');
    case TextFault.AfterExemplar:
      return expected('expected next entry after exemplar timestamp');
    case TextFault.NoMemory:
      return 'no memory to parse the exposition';
    case TextFault.None:
      return 'no fault';
  }
}

/** The name in `# UNIT name `, without quotes. */
function metricOfUnit(bytes: Uint8Array): Uint8Array {
  const name = bytes.subarray('# UNIT '.length, -1);
  return name[0] === 0x22 ? name.subarray(1, -1) : name;
}

/** What is no finite number, as Go prints it. */
function infinite(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1').toLowerCase();
  if (text.includes('nan')) return 'NaN';
  return text.startsWith('-') ? '-Inf' : '+Inf';
}

const ESCAPES: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** Bytes as Go's %q prints them. */
export function quote(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, QUOTE_BYTES_MAX));
  let out = '"';
  for (let i = 0; i < text.length; ) {
    const length = sequenceLength(text, i);
    if (length === 0) {
      out += `\\x${text[i]!.toString(16).padStart(2, '0')}`;
      i++;
      continue;
    }
    out += quoteChar(text.toString('utf8', i, i + length));
    i += length;
  }
  return `${out}"`;
}

function quoteChar(char: string): string {
  const code = char.codePointAt(0)!;
  const escape = ESCAPES[code];
  if (escape !== undefined) return escape;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x7f || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char)) return char;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Bytes of the UTF-8 sequence at `at`; 0 where it is not valid. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  return bytes.toString('utf8', at, at + length).includes('\ufffd') && length !== 3 ? 0 : length;
}
