// Remote read by hand: requests, and what the two kinds of answers say.

import { strict as assert } from 'node:assert';
import { crc32c } from '../../src/base/crc32c.js';
import { MessageWriter } from '../../src/base/message-writer.js';
import { snappyDecode, snappyHeader } from '../../src/base/snappy.js';
import { snappyEncode } from '../../src/base/snappy-encode.js';
import type { Matcher } from '../../src/model/matcher.js';
import { Fields } from '../../src/shard/wire.js';
import { histogramOf } from '../../src/shard/write-histograms.js';
import { decodeHistogramChunk, type HistogramSample } from '../../src/tsdb/chunk/histogram.js';
import { decodeXor } from '../../src/tsdb/chunk/xor.js';

export interface AskedQuery {
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly Matcher[];
  readonly hints?: { readonly startMs: number; readonly endMs: number; readonly fn?: string };
}

/** Types of answers, the best first. */
export const SAMPLES = 0;
export const CHUNKS = 1;

export interface ReadSeries {
  readonly labels: readonly string[];
  /** Ascending. */
  readonly floats: (readonly [timeMs: number, bits: bigint])[];
  readonly histograms: HistogramSample[];
}

/** Compressed. */
export function encodeRead(queries: readonly AskedQuery[], accepted: readonly number[]): Uint8Array {
  const to = new MessageWriter();
  for (const { startMs, endMs, matchers, hints } of queries) {
    const query = to.open(1);
    numberField(to, 1, startMs);
    numberField(to, 2, endMs);
    for (const { name, op, value } of matchers) {
      const matcher = to.open(3);
      numberField(to, 1, ['=', '!=', '=~', '!~'].indexOf(op));
      to.text(2, name);
      to.text(3, value);
      to.close(matcher);
    }
    if (hints !== undefined) {
      const hint = to.open(4);
      to.text(2, hints.fn ?? '');
      numberField(to, 3, hints.startMs);
      numberField(to, 4, hints.endMs);
      to.close(hint);
    }
    to.close(query);
  }
  for (const type of accepted) numberField(to, 2, type);
  return snappyEncode(to.finish());
}

function numberField(to: MessageWriter, field: number, value: number): void {
  to.head(field, 0);
  to.signed(value);
}

export async function postRead(url: string, body: Uint8Array): Promise<Response> {
  const headers = { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy' };
  return fetch(`${url}/api/v1/read`, { method: 'POST', headers, body });
}

/** Of each query its series, sorted by labels; throws where the answer is not one of this kind. */
export async function readSamples(url: string, queries: readonly AskedQuery[]): Promise<ReadSeries[][]> {
  const response = await postRead(url, encodeRead(queries, [SAMPLES]));
  const body = new Uint8Array(await response.arrayBuffer());
  assert.equal(response.status, 200, Buffer.from(body).toString('latin1').slice(0, 500));
  assert.equal(response.headers.get('content-type'), 'application/x-protobuf');
  assert.equal(response.headers.get('content-encoding'), 'snappy');
  const message = new Uint8Array(snappyHeader(body).length);
  snappyDecode(body, message);
  const results: ReadSeries[][] = [];
  for (const field of new Fields(message)) results.push(sorted([...eachBytes(field.bytes, 1)].map(timeSeriesOf)));
  return results;
}

function timeSeriesOf(bytes: Uint8Array): ReadSeries {
  const labels: string[] = [];
  const floats: [number, bigint][] = [];
  const histograms: HistogramSample[] = [];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) labels.push(...labelOf(field.bytes));
    else if (field.number === 2) floats.push(sampleOf(field.bytes));
    else if (field.number === 4) histograms.push(histogramOf(field.bytes));
  }
  return { labels, floats, histograms };
}

function sampleOf(bytes: Uint8Array): [timeMs: number, bits: bigint] {
  const sample: [number, bigint] = [0, 0n];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) sample[1] = field.fixed64;
    else sample[0] = field.signed;
  }
  return sample;
}

/** The same of streamed chunks; order and checksums are asserted. */
export async function readChunks(url: string, queries: readonly AskedQuery[]): Promise<ReadSeries[][]> {
  const response = await postRead(url, encodeRead(queries, [CHUNKS, SAMPLES]));
  const body = new Uint8Array(await response.arrayBuffer());
  assert.equal(response.status, 200, Buffer.from(body).toString('latin1').slice(0, 500));
  const type = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
  assert.equal(response.headers.get('content-type'), type);
  const results: ReadSeries[][] = queries.map(() => []);
  for (const message of framesOf(body)) {
    let index = 0;
    const parts: ReadSeries[] = [];
    for (const field of new Fields(message)) {
      if (field.number === 1) parts.push(chunkedSeriesOf(field.bytes));
      else if (field.number === 2) index = field.varint;
    }
    for (const part of parts) addPart(results[index]!, part);
  }
  return results.map(sorted);
}

/** Frames of a stream: length, CRC-32C, message. */
export function* framesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; ) {
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = body[at++]!;
      length += (byte & 127) * scale;
      if (byte < 128) break;
    }
    const crc = Buffer.from(body.buffer, body.byteOffset + at, 4).readUInt32BE();
    const message = body.subarray(at + 4, at + 4 + length);
    assert.equal(message.length, length, 'a frame is whole');
    assert.equal(crc32c(message), crc, 'the checksum of a frame');
    yield message;
    at += 4 + length;
  }
}

function chunkedSeriesOf(bytes: Uint8Array): ReadSeries {
  const series: ReadSeries = { labels: [...eachBytes(bytes, 1)].flatMap(labelOf), floats: [], histograms: [] };
  for (const chunk of eachBytes(bytes, 2)) addChunk(series, chunk);
  return series;
}

function addChunk({ floats, histograms }: ReadSeries, bytes: Uint8Array): void {
  let [minTimeMs, maxTimeMs, type] = [0, 0, 0];
  let data = new Uint8Array(0);
  for (const field of new Fields(bytes)) {
    if (field.number === 1) minTimeMs = field.signed;
    else if (field.number === 2) maxTimeMs = field.signed;
    else if (field.number === 3) type = field.varint;
    else if (field.number === 4) data = Uint8Array.from(field.bytes);
  }
  const times: number[] = [];
  if (type === 1) {
    const { times: all, bits } = decodeXor(data);
    all.forEach((timeMs, i) => void floats.push([timeMs, bits[i]!]));
    times.push(...all);
  } else {
    const samples = decodeHistogramChunk(data, type === 3);
    histograms.push(...samples);
    times.push(...samples.map(({ timeMs }) => timeMs));
  }
  if (times.length > 0) assert.deepEqual([times[0], times.at(-1)], [minTimeMs, maxTimeMs], 'times of a chunk');
}

/** A series may go on in the next frame. */
function addPart(all: ReadSeries[], part: ReadSeries): void {
  const last = all.at(-1);
  if (last === undefined || last.labels.join('\0') !== part.labels.join('\0')) all.push(part);
  else {
    last.floats.push(...part.floats);
    last.histograms.push(...part.histograms);
  }
}

function sorted(series: readonly ReadSeries[]): ReadSeries[] {
  return [...series].sort((a, b) => (a.labels.join('\0') < b.labels.join('\0') ? -1 : 1));
}

function labelOf(bytes: Uint8Array): [string, string] {
  const pair: [string, string] = ['', ''];
  for (const field of new Fields(bytes)) pair[field.number - 1] = Buffer.from(field.bytes).toString('utf8');
  return pair;
}

function* eachBytes(bytes: Uint8Array, number: number): Generator<Uint8Array> {
  for (const field of new Fields(bytes)) if (field.number === number) yield field.bytes;
}
