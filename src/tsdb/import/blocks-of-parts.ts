// The parts of an import become blocks, one for each window of time that has samples.
//
//   windows   ├──┤├──┤  ├──┤├──┤ …     a group of them at a time: its writers are open together
//   pass 1    which strings does each window have?      indices alone are read
//   pass 2    series by series in label order: chunks of all parts, split by window, joined where several parts have some
//
// Windows without samples have no block. A block spans its samples, not its window, as promtool's do.

import type { Disk } from '../../base/disk.js';
import type { Labels } from '../../model/labels.js';
import { Chunks } from '../../wasm/chunks.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { Block } from '../block/block.js';
import type { BlockMeta, StreamedChunk, SymbolTable } from '../block/contract.js';
import { compareLabels } from '../block/index-writer.js';
import { newUlid } from '../block/ulid.js';
import { BlockWriter } from '../block/writer.js';
import { decodeXor } from '../chunk/xor.js';
import { readBack } from '../compact/compact.js';
import { type JoinedSymbols, joinSymbols } from '../compact/join-symbols.js';
import { PartCursor } from './part-cursor.js';
import { SymbolsInUse } from './symbols-in-use.js';
import { type Conflicts, windowChunks, windowOf } from './window-chunks.js';

export interface PartsTask {
  readonly disk: Disk;
  readonly core: Core;
  /** Folders of the parts: blocks whose chunks do not cross windows. */
  readonly parts: readonly string[];
  /** Where the blocks are to be. */
  readonly folder: string;
  readonly blockMs: number;
  readonly nowMs: number;
  /** Hears of those that parts have with each other. */
  readonly conflicts: Conflicts;
}

/** Blocks written at a time, each with some 4 MB of buffers. */
const GROUP_WINDOWS = 16;
/** Series between two steps. */
const STEP_SERIES = 256;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Oldest first. Of two samples of one time that of the earlier part is kept. Throws BlockFault, DiskError. */
export function* blocksOfParts(task: PartsTask): Generator<void, BlockMeta[]> {
  const { disk, core, parts, blockMs } = task;
  const crc = new Crc32c(core);
  const blocks: Block[] = [];
  try {
    for (const path of parts) blocks.push(Block.open(disk, path, crc));
    const joined = joinSymbols(blocks.map((block) => block.index.symbols.table()));
    const windows = yield* windowsOf(blocks, blockMs);
    const metas: BlockMeta[] = [];
    for (let from = 0; from < windows.length; from += GROUP_WINDOWS) {
      metas.push(...(yield* new WindowGroup(task, blocks, joined, windows.slice(from, from + GROUP_WINDOWS)).write()));
    }
    return metas;
  } finally {
    for (const block of blocks) block.close();
  }
}

/** Where windows begin that have samples. */
function* windowsOf(blocks: readonly Block[], blockMs: number): Generator<void, number[]> {
  const windows = new Set<number>();
  for (const block of blocks) {
    const cursor = new PartCursor(block, NO_NUMBERS, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    for (let count = 1; cursor.labels !== undefined; cursor.next(), count++) {
      for (const timeMs of cursor.times()) windows.add(windowOf(timeMs, blockMs));
      if (count % STEP_SERIES === 0) yield;
    }
  }
  return [...windows].sort((a, b) => a - b);
}

const NO_NUMBERS = new Uint32Array(0);

/** A window on its way into a block. */
interface OpenWindow {
  readonly ulid: string;
  readonly used: SymbolsInUse;
  writer?: BlockWriter;
  minTimeMs: number;
  maxTimeMs: number;
}

class WindowGroup {
  readonly #task: PartsTask;
  readonly #blocks: readonly Block[];
  readonly #joined: JoinedSymbols;
  readonly #windows: ReadonlyMap<number, OpenWindow>;
  readonly #fromMs: number;
  readonly #toMs: number;
  readonly #chunks: Chunks;

  constructor(task: PartsTask, blocks: readonly Block[], joined: JoinedSymbols, windows: readonly number[]) {
    this.#task = task;
    this.#blocks = blocks;
    this.#joined = joined;
    this.#fromMs = windows[0]!;
    this.#toMs = windows.at(-1)! + task.blockMs;
    this.#chunks = new Chunks(task.core);
    // Names in the order of time.
    this.#windows = new Map(windows.map((window, i) => [window, openWindow(task.nowMs + i, joined.table)]));
  }

  *write(): Generator<void, BlockMeta[]> {
    let isDone = false;
    try {
      yield* this.#markSymbols();
      this.#begin();
      yield* this.#writeSeries();
      const metas = this.#finish();
      isDone = true;
      return metas;
    } finally {
      if (!isDone) for (const { writer } of this.#windows.values()) writer?.abort();
    }
  }

  *#markSymbols(): Generator<void> {
    for (const cursor of this.#cursors()) {
      for (let count = 1; cursor.labels !== undefined; cursor.next(), count++) {
        const windows = new Set<number>();
        for (const timeMs of cursor.times()) windows.add(windowOf(timeMs, this.#task.blockMs));
        for (const window of windows) this.#windows.get(window)!.used.mark(cursor.labels);
        if (count % STEP_SERIES === 0) yield;
      }
    }
  }

  #begin(): void {
    const { disk, core, folder } = this.#task;
    for (const window of this.#windows.values()) {
      window.writer = BlockWriter.create(disk, folder, window.ulid, { core });
      window.writer.setSymbols(window.used.table());
    }
  }

  *#writeSeries(): Generator<void> {
    const cursors = this.#cursors();
    for (let count = 1; ; count++) {
      const labels = leastLabels(cursors);
      if (labels === undefined) return;
      const having = cursors.filter(
        (cursor) => cursor.labels !== undefined && compareLabels(cursor.labels, labels) === 0,
      );
      this.#add(labels, having);
      for (const cursor of having) cursor.next();
      if (count % STEP_SERIES === 0) yield;
    }
  }

  #add(labels: Uint32Array, having: readonly PartCursor[]): void {
    const byWindow = new Map<number, StreamedChunk[][]>();
    for (const cursor of having) {
      for (const [window, chunks] of groupByWindow(cursor.chunks(), this.#task.blockMs)) {
        const rows = byWindow.get(window);
        if (rows === undefined) byWindow.set(window, [chunks]);
        else rows.push(chunks);
      }
    }
    for (const [start, rows] of byWindow) {
      const window = this.#windows.get(start)!;
      const chunks = rows.length === 1 ? rows[0]! : this.#join(rows.flat(), labels);
      window.minTimeMs = Math.min(window.minTimeMs, chunks[0]!.minTimeMs);
      window.maxTimeMs = Math.max(window.maxTimeMs, chunks.at(-1)!.maxTimeMs);
      window.writer!.addSeries(window.used.renumbered(labels), chunks);
    }
  }

  /** Chunks of several parts, of one window: decoded, and encoded anew, as they may be short or share time. */
  #join(chunks: readonly StreamedChunk[], labels: Uint32Array): StreamedChunk[] {
    const decoded = chunks.map(({ data }) => decodeXor(data));
    const count = decoded.reduce((sum, { times }) => sum + times.length, 0);
    const times = new Float64Array(count);
    const bits = new BigUint64Array(count);
    const all = decoded.flatMap((one) => Array.from(one.times, (timeMs, i) => ({ timeMs, bits: one.bits[i]! })));
    all.sort((a, b) => a.timeMs - b.timeMs);
    for (const [i, sample] of all.entries()) {
      times[i] = sample.timeMs;
      bits[i] = sample.bits;
    }
    return windowChunks({ times, bits }, this.#task.blockMs, this.#chunks, this.#task.conflicts, () =>
      this.#textOf(labels),
    );
  }

  #finish(): BlockMeta[] {
    const { disk, core } = this.#task;
    const crc = new Crc32c(core);
    return [...this.#windows.values()].map(({ ulid, writer, minTimeMs, maxTimeMs }) => {
      const description = { minTimeMs, maxTimeMs: maxTimeMs + 1, compaction: { level: 1, sources: [ulid] } };
      return writer!.finish(description, (folder, meta) => readBack(disk, crc, folder, meta))!;
    });
  }

  #cursors(): PartCursor[] {
    return this.#blocks.map((block, i) => {
      return new PartCursor(block, this.#joined.numbers[i]!, this.#fromMs, this.#toMs);
    });
  }

  #textOf(labels: Uint32Array): Labels {
    const { bytes, ends } = this.#joined.table;
    return Array.from(labels, (symbol) =>
      utf8.decode(bytes.subarray(symbol === 0 ? 0 : ends[symbol - 1]!, ends[symbol]!)),
    );
  }
}

function openWindow(nowMs: number, symbols: SymbolTable): OpenWindow {
  return {
    ulid: newUlid(nowMs),
    used: new SymbolsInUse(symbols),
    minTimeMs: Number.POSITIVE_INFINITY,
    maxTimeMs: Number.NEGATIVE_INFINITY,
  };
}

function leastLabels(cursors: readonly PartCursor[]): Uint32Array | undefined {
  let least: Uint32Array | undefined;
  for (const { labels } of cursors) {
    if (labels !== undefined && (least === undefined || compareLabels(labels, least) < 0)) least = labels;
  }
  return least;
}

/** Chunks in time order by the window that they are in. */
function groupByWindow(chunks: readonly StreamedChunk[], blockMs: number): Map<number, StreamedChunk[]> {
  const groups = new Map<number, StreamedChunk[]>();
  for (const chunk of chunks) {
    const window = windowOf(chunk.minTimeMs, blockMs);
    const group = groups.get(window);
    if (group === undefined) groups.set(window, [chunk]);
    else group.push(chunk);
  }
  return groups;
}
