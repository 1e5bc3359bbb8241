// meta.json: what a block is, in Prometheus's words. What others have put there (Thanos has a section) is not kept.
//
//   {"ulid", "minTime", "maxTime", "stats": {"numSamples", …}, "compaction": {"level", "sources", …}, "version": 1}

import type { Disk } from '../../base/disk.js';
import { BlockFault, type BlockMeta, type BlockStats, type Compaction, NOT_THERE } from './contract.js';

const VERSION = 1;

/** Throws BlockFault, where the file is missing too, and DiskError. */
export function readMeta(disk: Disk, path: string): BlockMeta {
  if (disk.stat(path) === undefined) throw new BlockFault(path, 'file', NOT_THERE);
  return parseMeta(new TextDecoder().decode(disk.readFile(path)), path);
}

/** Replaces a block's description, whole or not at all. */
export function writeMeta(disk: Disk, path: string, meta: BlockMeta): void {
  disk.writeFileAtomic(path, new TextEncoder().encode(formatMeta(meta)));
}

/** Throws BlockFault, whose path is the one given. */
export function parseMeta(text: string, path: string): BlockMeta {
  const meta = new Fields(parseJson(text, path), path, '');
  const version = meta.number('version');
  if (version !== VERSION) throw new BlockFault(path, 'version', `${version}, only ${VERSION} is read`);
  const parsed: BlockMeta = {
    ulid: meta.text('ulid'),
    minTimeMs: meta.number('minTime'),
    maxTimeMs: meta.number('maxTime'),
    stats: statsOf(meta.object('stats')),
    compaction: compactionOf(meta.object('compaction')),
    version: VERSION,
  };
  if (parsed.minTimeMs > parsed.maxTimeMs) {
    throw new BlockFault(path, 'minTime', `${parsed.minTimeMs} is behind maxTime ${parsed.maxTimeMs}`);
  }
  return parsed;
}

/** As Prometheus prints it: tabs (or in one line, with an empty `indent`), its order of fields, those that are empty left out. */
export function formatMeta(meta: BlockMeta, indent = '\t'): string {
  const { stats, compaction } = meta;
  const fields = {
    ulid: meta.ulid,
    minTime: meta.minTimeMs,
    maxTime: meta.maxTimeMs,
    stats: {
      numSamples: unlessEmpty(stats.samples),
      numFloatSamples: unlessEmpty(stats.floatSamples),
      numHistogramSamples: unlessEmpty(stats.histogramSamples),
      numSeries: unlessEmpty(stats.series),
      numChunks: unlessEmpty(stats.chunks),
      numTombstones: unlessEmpty(stats.tombstones),
    },
    compaction: {
      level: compaction.level,
      sources: unlessEmpty(compaction.sources),
      deletable: unlessEmpty(compaction.deletable),
      parents: unlessEmpty(
        compaction.parents?.map((parent) => ({
          ulid: parent.ulid,
          minTime: parent.minTimeMs,
          maxTime: parent.maxTimeMs,
        })),
      ),
      failed: unlessEmpty(compaction.failed),
      hints: unlessEmpty(compaction.hints),
    },
    version: meta.version,
  };
  return JSON.stringify(fields, undefined, indent);
}

/** JSON leaves out what is undefined. */
function unlessEmpty<T>(value: T | undefined): T | undefined {
  const isEmpty = value === 0 || value === false || (Array.isArray(value) && value.length === 0);
  return isEmpty ? undefined : value;
}

function statsOf(stats: Fields): BlockStats {
  return {
    samples: stats.number('numSamples', 0),
    series: stats.number('numSeries', 0),
    chunks: stats.number('numChunks', 0),
    floatSamples: stats.number('numFloatSamples', 0),
    histogramSamples: stats.number('numHistogramSamples', 0),
    tombstones: stats.number('numTombstones', 0),
  };
}

function compactionOf(compaction: Fields): Compaction {
  return {
    level: compaction.number('level'),
    sources: compaction.texts('sources'),
    parents: compaction.objects('parents').map((parent) => ({
      ulid: parent.text('ulid'),
      minTimeMs: parent.number('minTime'),
      maxTimeMs: parent.number('maxTime'),
    })),
    deletable: compaction.flag('deletable'),
    failed: compaction.flag('failed'),
    hints: compaction.texts('hints'),
  };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BlockFault(path, 'file', `no JSON: ${(error as Error).message}`);
  }
}

/** An object of the file, whose fields are what they should be or a fault. */
class Fields {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #path: string;
  /** Names of the objects around it, with a dot behind each. */
  readonly #within: string;

  constructor(value: unknown, path: string, within: string) {
    this.#path = path;
    this.#within = within;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new BlockFault(path, within === '' ? 'file' : within.slice(0, -1), 'not an object');
    }
    this.#values = new Map(Object.entries(value));
  }

  /** A whole number; `absent` where there is none. */
  number(name: string, absent?: number): number {
    const value = this.#values.get(name) ?? absent;
    if (typeof value !== 'number' || !Number.isInteger(value)) throw this.#fault(name, 'not a whole number');
    return value;
  }

  text(name: string): string {
    const value = this.#values.get(name);
    if (typeof value !== 'string') throw this.#fault(name, 'not a string');
    return value;
  }

  flag(name: string): boolean {
    const value = this.#values.get(name) ?? false;
    if (typeof value !== 'boolean') throw this.#fault(name, 'neither true nor false');
    return value;
  }

  texts(name: string): string[] {
    return this.#list(name).map((value) => {
      if (typeof value !== 'string') throw this.#fault(name, 'not a list of strings');
      return value;
    });
  }

  object(name: string): Fields {
    return new Fields(this.#values.get(name), this.#path, `${this.#within}${name}.`);
  }

  objects(name: string): Fields[] {
    return this.#list(name).map((value) => new Fields(value, this.#path, `${this.#within}${name}.`));
  }

  #list(name: string): unknown[] {
    const value = this.#values.get(name) ?? [];
    if (!Array.isArray(value)) throw this.#fault(name, 'not a list');
    return value;
  }

  #fault(name: string, reason: string): BlockFault {
    return new BlockFault(this.#path, this.#within + name, reason);
  }
}
