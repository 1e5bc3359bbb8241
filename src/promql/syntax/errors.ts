// What is said about a query that cannot be parsed, in Prometheus's words:
//
//   1:5: parse error: unexpected identifier "b" in aggregation
//
// Line and column count from 1; a column counts bytes of UTF-8, as Go does.

import type { Span } from './ast.js';

export class ParseError extends Error {
  override readonly name = 'ParseError';
  /** 1-based; 0 for an empty query, which has no positions. */
  readonly line: number;
  readonly column: number;
  readonly start: number;
  readonly end: number;

  constructor(
    /** The message without its position. */
    readonly reason: string,
    text: string,
    span: Span,
  ) {
    const { line, column } = text === '' ? { line: 0, column: 0 } : lineColumn(text, span.start);
    const where = text === '' ? 'unknown position' : `${line}:${column}`;
    super(`${where}: parse error: ${reason}`);
    this.line = line;
    this.column = column;
    this.start = span.start;
    this.end = span.end;
  }
}

/** Where an offset of the query text is, both from 1: what errors and annotations show as `line:column`. */
export function lineColumn(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: utf8Length(text.slice(lineStart, offset)) + 1 };
}

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    // Each half of a surrogate pair is a unit already; the pair takes four bytes.
    bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
