// Prints the files of a block as docs/formats/block.md draws them.

import type { Disk } from '../../base/disk.js';
import { formatLabels } from '../../model/labels.js';
import { quote } from '../../model/quote.js';
import { ChunkEncoding } from '../../tsdb/block/contract.js';
import { IndexReader } from '../../tsdb/block/index-reader.js';
import { SERIES_ALIGN } from '../../tsdb/block/layout.js';
import { chunksOf, openSegment } from '../../tsdb/block/segment.js';
import { SeriesEntry } from '../../tsdb/block/series-entry.js';
import { readTombstones } from '../../tsdb/block/tombstones.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { at } from './line.js';

const utf8 = new TextDecoder();

export function* inspectIndex(disk: Disk, path: string, crc: Crc32c): Generator<string, void, void> {
  const index = IndexReader.open(disk, path, crc);
  try {
    const { toc, symbols } = index;
    yield `index, ${index.sizeBytes} bytes`;
    yield at(toc.symbols, `${symbols.count} symbols`);
    for (let i = 0; i < symbols.count; i++) yield at(i, quote(symbols.string(i)), 8);

    const all = index.allSeries();
    yield at(toc.series, `${all.length} series`);
    const entry = new SeriesEntry();
    for (const ref of all) {
      index.series(ref, entry);
      yield at(ref * SERIES_ALIGN, `series ${ref}  ${formatLabels(index.labelsOf(entry))}`, 4);
      for (const chunk of entry.chunks()) {
        yield at(placeOf(chunk.ref), `${chunk.minTimeMs} … ${chunk.maxTimeMs}`, 12);
      }
    }

    yield at(toc.labelIndices, 'label indices, not read');
    yield at(toc.postings, 'postings');
    for (const name of index.names()) {
      for (const { value, offset } of index.values(name)) {
        const text = `${name}=${quote(utf8.decode(value))}`;
        yield at(offset, `${text}  ${[...index.postingsAt(offset)].join(' ')}`, 4);
      }
    }
    yield at(toc.labelOffsetTable, 'label offset table, not read');
    yield at(toc.postingsTable, `postings offset table, ${index.names().length} names`);
    for (const name of index.names()) yield at(index.valueCount(name), `values of ${name}`, 4);
  } finally {
    index.close();
  }
}

export function* inspectSegment(disk: Disk, path: string, crc: Crc32c): Generator<string, void, void> {
  const file = openSegment(disk, path);
  try {
    yield `segment of chunks, ${file.size} bytes`;
    for (const { offset, encoding, data } of chunksOf(file, crc)) {
      const kind = ChunkEncoding[encoding] ?? `encoding ${encoding}`;
      yield at(offset, `${kind}, ${(data[0]! << 8) | data[1]!} samples, ${data.length} bytes`, 4);
    }
  } finally {
    file.close();
  }
}

export function* inspectTombstones(disk: Disk, path: string, crc: Crc32c): Generator<string, void, void> {
  const tombstones = readTombstones(disk, path, crc);
  yield `tombstones, ${tombstones.count} intervals`;
  for (const ref of tombstones.series()) {
    for (const { minTimeMs, maxTimeMs } of tombstones.of(ref)) yield at(ref, `${minTimeMs} … ${maxTimeMs}`, 4);
  }
}

/** `0:8` is byte 8 of the first segment. */
function placeOf(ref: number): string {
  return `${Math.floor(ref / 2 ** 32)}:${ref % 2 ** 32}`;
}
