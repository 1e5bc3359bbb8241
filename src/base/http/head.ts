// The head of an HTTP/1.1 answer: status line and header fields, read strictly.
//
//   HTTP/1.1 200 OK␍␊
//   Content-Type: text/plain; version=0.0.4␍␊
//   Content-Length: 227133␍␊
//   ␍␊
//   body …
//
// As RFC 9112, sections 2 to 6, with a lone ␊ ending a line too (which it permits and Go accepts).
// Whatever could make two readers disagree on where a body ends is refused.

import { HttpError, quoted } from './error.js';

/** Longest head we read. Prometheus's client allows 10 MB, which a hostile target can use to fill memory. */
export const HEAD_BYTES_MAX = 256 * 1024;

export interface ResponseHead {
  readonly status: number;
  /** Code and reason as they came, like `404 Not Found`. */
  readonly statusText: string;
  /** By lower-case name. Of a repeated field the first value, as Go's client has it; all where they make a list. */
  readonly headers: ReadonlyMap<string, string>;
  readonly framing: BodyFraming;
  /** Whether the connection may carry another request once the body has ended. */
  readonly keepAlive: boolean;
}

/** Where the body ends. */
export type BodyFraming =
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' };

const NO_BODY: BodyFraming = { kind: 'length', bytes: 0 };
const CHUNKED: BodyFraming = { kind: 'chunked' };
const UNTIL_CLOSE: BodyFraming = { kind: 'until-close' };

const LF = 0x0a;
const CR = 0x0d;

/**
 * Index behind the empty line that ends the head, or -1 while it has not come.
 * Search goes on at `from`; what lies before `from` was searched in vain.
 */
export function findHeadEnd(bytes: Buffer, from: number, end: number): number {
  // The empty line may have begun up to two bytes before.
  let at = bytes.indexOf(LF, Math.max(0, from - 2));
  while (at >= 0 && at < end) {
    if (at + 1 < end && bytes[at + 1] === LF) return at + 2;
    if (at + 2 < end && bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
    at = bytes.indexOf(LF, at + 1);
  }
  return -1;
}

/** Parses a whole head: `bytes` from 0 to `end`, the empty line included. Throws an HttpError `protocol`. */
export function parseHead(bytes: Buffer, end: number): ResponseHead {
  const lines = bytes.toString('latin1', 0, end).split('\n');
  const statusLine = STATUS_LINE.exec(withoutCr(lines[0]!));
  if (statusLine === null) throw broken(faultOfStatusLine(withoutCr(lines[0]!)));
  const minor = statusLine[1]!;
  const status = Number(statusLine[2]);

  const headers = new Map<string, string>();
  for (let i = 1; i < lines.length; i++) {
    const line = withoutCr(lines[i]!);
    if (line === '') break;
    addField(headers, line);
  }
  const framing = framingOf(status, headers);
  return {
    status,
    statusText: `${statusLine[2]}${statusLine[3] ?? ''}`.trimEnd(),
    headers,
    framing,
    keepAlive: framing.kind !== 'until-close' && keepsAlive(minor, headers),
  };
}

// Reason phrase: visible characters, spaces, tabs and bytes above ASCII; it may be missing.
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})( [\t\x20-\x7e\x80-\xff]*)?$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;
const DIGITS = /^[0-9]{1,15}$/;
/** Fields that decide about the connection: every mention counts. */
const LISTS: ReadonlySet<string> = new Set(['transfer-encoding', 'connection']);

function addField(headers: Map<string, string>, line: string): void {
  const field = FIELD.exec(line);
  if (field === null) {
    throw broken(`malformed MIME header${line.includes(':') ? ' line' : ': missing colon'}: ${quoted(line)}`);
  }
  const name = field[1]!.toLowerCase();
  const value = field[2]!.trimEnd();
  const earlier = headers.get(name);
  if (earlier === undefined) headers.set(name, value);
  else if (LISTS.has(name)) headers.set(name, `${earlier}, ${value}`);
  else if (name === 'content-length' && earlier !== value) {
    const both = `${quoted(earlier)} ${quoted(value)}`;
    throw broken(`http: message cannot contain multiple Content-Length headers; got [${both}]`);
  }
}

/** As Go's client finds it: code before version. */
function faultOfStatusLine(line: string): string {
  const [version, rest] = splitOnce(line, ' ');
  if (rest === undefined) return `malformed HTTP response ${quoted(line)}`;
  const code = splitOnce(rest.trimStart(), ' ')[0];
  if (!/^[1-9][0-9]{2}$/.test(code)) return `malformed HTTP status code ${quoted(code)}`;
  if (!/^HTTP\/1\.[01]$/.test(version)) return `malformed HTTP version ${quoted(version)}`;
  return `malformed HTTP response ${quoted(line)}`;
}

function splitOnce(text: string, separator: string): [before: string, behind: string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function framingOf(status: number, headers: ReadonlyMap<string, string>): BodyFraming {
  if (status < 200 || status === 204 || status === 304) return NO_BODY;
  const coding = headers.get('transfer-encoding');
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw broken(`unsupported transfer encoding: ${quoted(coding)}`);
    return CHUNKED;
  }
  const length = headers.get('content-length');
  if (length === undefined) return UNTIL_CLOSE;
  if (!DIGITS.test(length)) throw broken(`bad Content-Length ${quoted(length)}`);
  return { kind: 'length', bytes: Number(length) };
}

function keepsAlive(minor: string, headers: ReadonlyMap<string, string>): boolean {
  // Both framings at once may be an attempt to make readers disagree: what follows the body is not trusted.
  if (headers.has('transfer-encoding') && headers.has('content-length')) return false;
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  const options = connection === '' ? [] : connection.split(',').map((option) => option.trim());
  return minor === '1' ? !options.includes('close') : options.includes('keep-alive');
}

function withoutCr(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** The answer itself is at fault, in the words Go's client has for all such faults. */
export function broken(reason: string): HttpError {
  return new HttpError('protocol', `net/http: HTTP/1.x transport connection broken: ${reason}`);
}
