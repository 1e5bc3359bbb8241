// Blocks for tests: symbols from strings, series with labels as text.

import type { StreamedChunk, SymbolTable } from '../../src/tsdb/block/contract.js';
import { ChunkEncoding } from '../../src/tsdb/block/contract.js';
import type { BlockWriter } from '../../src/tsdb/block/writer.js';
import { encodeXor, floatBits, type Sample } from './xor-model.js';

export type Labels = Readonly<Record<string, string>>;

/** A table of these strings, sorted as bytes, each once. */
export function symbolsOf(strings: Iterable<string>): { table: SymbolTable; numberOf: (text: string) => number } {
  const sorted = [...new Set(strings)].map((text) => Buffer.from(text)).sort(Buffer.compare);
  const ends = new Uint32Array(sorted.length);
  let end = 0;
  for (const [i, text] of sorted.entries()) ends[i] = end += text.length;
  const numbers = new Map(sorted.map((text, i) => [text.toString(), i]));
  return { table: { bytes: Buffer.concat(sorted), ends }, numberOf: (text) => numbers.get(text)! };
}

/** Symbol numbers of a label set, by name. */
export function numbersOf(labels: Labels, numberOf: (text: string) => number): Uint32Array {
  const pairs = Object.entries(labels).map(([name, value]) => [numberOf(name), numberOf(value)] as const);
  return Uint32Array.from(pairs.sort(([a], [b]) => a - b).flat());
}

export function xorChunk(samples: readonly Sample[]): StreamedChunk {
  return {
    minTimeMs: samples[0]!.time,
    maxTimeMs: samples.at(-1)!.time,
    encoding: ChunkEncoding.Xor,
    data: encodeXor(samples),
  };
}

/** A chunk of samples at these times, each with its time for its value where `valueOf` says nothing else. */
export function chunkAt(times: readonly number[], valueOf = (time: number) => time): StreamedChunk {
  return xorChunk(times.map((time) => ({ time, bits: floatBits(valueOf(time)) })));
}

export interface SeriesOfTest {
  readonly labels: Labels;
  readonly chunks: readonly StreamedChunk[];
}

/** Writes symbols and series, in their order. */
export function fill(writer: BlockWriter, series: readonly SeriesOfTest[]): void {
  const { table, numberOf } = symbolsOf(series.flatMap(({ labels }) => Object.entries(labels).flat()));
  writer.setSymbols(table);
  const rows = series.map(({ labels, chunks }) => ({ labels: numbersOf(labels, numberOf), chunks }));
  rows.sort((a, b) => compare(a.labels, b.labels));
  for (const { labels, chunks } of rows) writer.addSeries(labels, chunks);
}

function compare(a: Uint32Array, b: Uint32Array): number {
  const i = a.findIndex((symbol, at) => symbol !== b[at]);
  return i === -1 ? a.length - b.length : (a[i] ?? -1) - (b[i] ?? -1);
}
