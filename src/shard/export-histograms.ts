// Pages of chunks that a head cut asks for (drawn in assembly/head/export.ts), as far as they are made here: of late
// samples, and of histograms among those of floats.

import { ChunkEncoding, type StreamedChunk } from '../tsdb/block/contract.js';
import type { HistogramChunk } from './histogram-store.js';

/** In front of a series' chunks, and of each chunk. */
const EXPORT_SERIES_BYTES = 8;
const EXPORT_CHUNK_BYTES = 24;

/** A page of chunks, those of each series oldest first. */
export function chunkPage(series: readonly (readonly StreamedChunk[])[]): ArrayBuffer {
  return join(series.flatMap((chunks) => [seriesHead(chunks.length), ...chunks.map(encodeChunk)]));
}

interface Page {
  /** For how many of the series asked for. */
  readonly count: number;
  readonly chunks: ArrayBuffer;
}

/** A chunk in a page, with what stands in front of it. */
interface Piece {
  readonly minTimeMs: number;
  readonly bytes: Uint8Array;
}

/** The page with each series' chunks of histograms, all of a series in the order of their times. */
export function withHistograms(
  page: Page,
  series: Uint32Array,
  chunksOf: (series: number) => readonly HistogramChunk[],
): Page {
  const view = new DataView(page.chunks);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < page.count; i++) {
    let left = view.getUint32(at, true);
    at += EXPORT_SERIES_BYTES;
    const all: Piece[] = [];
    for (; left > 0; left--) {
      const bytes = EXPORT_CHUNK_BYTES + padded(view.getUint32(at + 16, true));
      all.push({ minTimeMs: view.getFloat64(at, true), bytes: new Uint8Array(page.chunks, at, bytes) });
      at += bytes;
    }
    all.push(...chunksOf(series[i]!).map(pieceOf));
    all.sort((a, b) => a.minTimeMs - b.minTimeMs);
    pieces.push(seriesHead(all.length), ...all.map(({ bytes }) => bytes));
  }
  return { count: page.count, chunks: join(pieces) };
}

function seriesHead(chunks: number): Uint8Array {
  const head = new Uint8Array(EXPORT_SERIES_BYTES);
  new DataView(head.buffer).setUint32(0, chunks, true);
  return head;
}

function pieceOf({ isFloat, ...chunk }: HistogramChunk): Piece {
  const encoding = isFloat ? ChunkEncoding.FloatHistogram : ChunkEncoding.Histogram;
  return { minTimeMs: chunk.minTimeMs, bytes: encodeChunk({ ...chunk, encoding }) };
}

function encodeChunk({ minTimeMs, maxTimeMs, encoding, data }: StreamedChunk): Uint8Array {
  const bytes = new Uint8Array(EXPORT_CHUNK_BYTES + padded(data.length));
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, minTimeMs, true);
  view.setFloat64(8, maxTimeMs, true);
  view.setUint32(16, data.length, true);
  view.setUint32(20, encoding, true);
  bytes.set(data, EXPORT_CHUNK_BYTES);
  return bytes;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function join(pieces: readonly Uint8Array[]): ArrayBuffer {
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined.buffer;
}
