// What another server wants to read: prometheus.ReadRequest, compressed with Snappy.
//
//   ReadRequest   1 Query … │ 2 accepted type of the answer …, the best first: 0 samples, 1 chunks
//   Query         1 from, ms │ 2 to, ms │ 3 LabelMatcher … │ 4 ReadHints
//   LabelMatcher  1 type: = != =~ !~ │ 2 name │ 3 value
//   ReadHints     1 step │ 2 function │ 3 from, ms │ 4 to, ms │ 5 grouping label … │ 6 by │ 7 range

import { SnappyError, snappyDecode, snappyHeader } from '../base/snappy.js';
import { compileMatcher, type Matcher, PatternError } from '../model/matcher.js';
import { Fields, WireError } from '../shard/wire.js';

export interface ReadQuery {
  /** Both ends are in it. */
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly Matcher[];
}

export interface ReadRequest {
  readonly queries: readonly ReadQuery[];
  readonly form: 'samples' | 'chunks';
}

/** The client's fault. */
export class BadRead extends Error {
  override readonly name = 'BadRead';
  readonly type = 'bad_data';
}

/** Most bytes of a request, decompressed. */
const REQUEST_BYTES_MAX = 32 << 20;

const OPS: readonly Matcher['op'][] = ['=', '!=', '=~', '!~'];
const SAMPLES = 0;
const CHUNKS = 1;

/** Throws a BadRead. */
export function decodeReadRequest(compressed: Uint8Array): ReadRequest {
  try {
    return requestOf(decompressed(compressed));
  } catch (error) {
    if (error instanceof WireError || error instanceof PatternError) throw new BadRead(error.message);
    if (error instanceof SnappyError) throw new BadRead('snappy: corrupt input');
    throw error;
  }
}

function decompressed(block: Uint8Array): Uint8Array {
  const { length } = snappyHeader(block);
  if (length > REQUEST_BYTES_MAX) throw new BadRead('snappy: decoded block is too large');
  const into = new Uint8Array(length);
  if (snappyDecode(block, into) !== length) throw new BadRead('snappy: corrupt input');
  return into;
}

function requestOf(bytes: Uint8Array): ReadRequest {
  const queries: ReadQuery[] = [];
  const accepted: number[] = [];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) queries.push(queryOf(field.bytes));
    else if (field.number === 2) accepted.push(...field.varints);
  }
  const type = accepted.length === 0 ? SAMPLES : accepted.find((one) => one === SAMPLES || one === CHUNKS);
  if (type === undefined) {
    throw new BadRead(
      `server does not support any of the requested response types: [${accepted.join(' ')}]; supported: map[SAMPLES:{} STREAMED_XOR_CHUNKS:{}]`,
    );
  }
  return { queries, form: type === CHUNKS ? 'chunks' : 'samples' };
}

function queryOf(bytes: Uint8Array): ReadQuery {
  let [startMs, endMs] = [0, 0];
  let hinted: TimeRange | undefined;
  const matchers: Matcher[] = [];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) startMs = field.signed;
    else if (field.number === 2) endMs = field.signed;
    else if (field.number === 3) matchers.push(matcherOf(field.bytes));
    else if (field.number === 4) hinted = hintedRange(field.bytes);
  }
  // Of the hints the times count, as in Prometheus: what is outside of them nobody will look at.
  if (hinted === undefined || (hinted.startMs === 0 && hinted.endMs === 0)) return { startMs, endMs, matchers };
  return { startMs: Math.max(startMs, hinted.startMs), endMs: Math.min(endMs, hinted.endMs), matchers };
}

type TimeRange = Pick<ReadQuery, 'startMs' | 'endMs'>;

function hintedRange(bytes: Uint8Array): TimeRange {
  let [startMs, endMs] = [0, 0];
  for (const field of new Fields(bytes)) {
    if (field.number === 3) startMs = field.signed;
    else if (field.number === 4) endMs = field.signed;
  }
  return { startMs, endMs };
}

function matcherOf(bytes: Uint8Array): Matcher {
  let [type, name, value] = [0, '', ''];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) type = field.varint;
    else if (field.number === 2) name = textOf(field.bytes);
    else if (field.number === 3) value = textOf(field.bytes);
  }
  const op = OPS[type];
  if (op === undefined) throw new BadRead('invalid matcher type');
  const matcher: Matcher = { name, op, value };
  compileMatcher(matcher);
  return matcher;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
