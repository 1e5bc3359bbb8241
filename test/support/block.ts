// Blocks for tests: of the recorded directories, on the disk or in memory, and what is in them the slow way.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { type Disk, realDisk } from '../../src/base/disk.js';
import { Block } from '../../src/tsdb/block/block.js';
import { Crc32c } from '../../src/wasm/crc32c.js';
import { SimDisk } from './sim-disk.js';
import { testCore } from './wal.js';
import { decodeXor, type Sample } from './xor-model.js';

export function testCrc(): Crc32c {
  return new Crc32c(testCore());
}

export function openBlock(path: string, disk: Disk = realDisk): Block {
  return Block.open(disk, path, testCrc());
}

/** Runs `action` on a block and closes it. */
export function withBlock<T>(path: string, action: (block: Block) => T, disk: Disk = realDisk): T {
  const block = openBlock(path, disk);
  try {
    return action(block);
  } finally {
    block.close();
  }
}

/** Folders of the blocks in a data directory. */
export function blocksIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.length === 26)
    .map((name) => `${folder}/${name}`);
}

/** A folder copied into a disk in memory, under `to`. */
export function copyInto(disk: SimDisk, from: string, to: string): void {
  disk.makeFolder(to);
  for (const name of readdirSync(from)) {
    const path = `${from}/${name}`;
    if (statSync(path).isDirectory()) copyInto(disk, path, `${to}/${name}`);
    else disk.writeFileAtomic(`${to}/${name}`, readFileSync(path));
  }
}

export function inMemory(from: string, to = 'data/block'): SimDisk {
  const disk = new SimDisk();
  copyInto(disk, from, to);
  return disk;
}

export interface ReadSeries {
  readonly ref: number;
  readonly labels: readonly string[];
  readonly chunks: { readonly minTimeMs: number; readonly maxTimeMs: number; readonly encoding: number }[];
  /** Floats; those of other chunks are only counted. */
  readonly samples: readonly Sample[];
  readonly count: number;
}

/** Everything in a block, deletions not applied. */
export function readAll(block: Block): ReadSeries[] {
  return Array.from(block.index.allSeries(), (ref) => {
    const entry = block.index.series(ref);
    const labels = block.index.labelsOf(entry);
    const metas = entry.chunks();
    const read = block.chunks.read(metas.map((meta) => meta.ref));
    const samples: Sample[] = [];
    let count = 0;
    const chunks = metas.map(({ minTimeMs, maxTimeMs }, i) => {
      const data = read.bytes.subarray(read.starts[i]!, read.starts[i]! + read.lengths[i]!);
      const encoding = read.encodings[i]!;
      count += (data[0]! << 8) | data[1]!;
      if (encoding === 1) for (const sample of decodeXor(data)!) samples.push(sample);
      return { minTimeMs, maxTimeMs, encoding };
    });
    return { ref, labels, chunks, samples, count };
  });
}

/** Everything in a block, chunks as they are: quicker than readAll(). */
export function rawSeries({ index, chunks }: Block): unknown[] {
  const all = Array.from(index.allSeries(), (ref) => {
    const entry = index.series(ref);
    return { ref, labels: index.labelsOf(entry), chunks: entry.chunks() };
  });
  const read = chunks.read(all.flatMap((series) => series.chunks.map((chunk) => chunk.ref)));
  const data = Array.from(read.starts, (start, i) => {
    const bytes = read.bytes.subarray(start, start + read.lengths[i]!);
    return `${read.encodings[i]} ${Buffer.from(bytes).toString('latin1')}`;
  });
  return [all, data];
}
