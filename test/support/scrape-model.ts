// A head that is a Map, behind the parser: what a shard does with a scrape, in the plainest way.

import { ROW_BYTES, SID_HOLE } from '../../assembly/layout.js';
import { keyOf, type Labels } from '../../src/model/labels.js';
import { ScrapedExemplars } from '../../src/shard/scraped-exemplars.js';
import type { ScrapedExtra } from '../../src/shard/scraped-histograms.js';
import { Core } from '../../src/wasm/core.js';
import { Exposition, type LineCache, type MetadataLine, type ParseOptions } from '../../src/wasm/exposition.js';
import { LabelError } from '../../src/wasm/label-scratch.js';

export const STALE = 0x7ff0000000000002n;

export interface ModelSample {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly bits: bigint;
}

export interface ModelScrape {
  readonly error?: string;
  readonly offset?: number;
  readonly samples: readonly ModelSample[];
  readonly metadata: readonly MetadataLine[];
  readonly exemplars: readonly ScrapedExtra[];
}

export interface ModelOptions extends Partial<ParseOptions> {
  readonly honorLabels?: boolean;
  readonly target?: Labels;
  readonly core?: Core;
}

/** One target. All series live here, in shard 0. */
export class ModelTarget {
  readonly exposition: Exposition;
  readonly cache: LineCache;
  readonly core: Core;
  readonly series: Labels[] = [];
  readonly #sids = new Map<string, number>();
  readonly #options: ParseOptions;
  readonly #exemplars = new ScrapedExemplars();

  constructor(options: ModelOptions = {}) {
    this.core = options.core ?? new Core();
    this.core.exports.hash_seed(0x12345678, 0x9abcdef0);
    this.exposition = new Exposition(this.core);
    this.cache = this.exposition.open();
    this.exposition.setTarget(this.cache, options.target ?? [], options.honorLabels ?? true);
    this.#options = {
      format: options.format ?? 'text',
      exemplars: options.exemplars ?? false,
      nativeHistograms: options.nativeHistograms ?? false,
      classicToo: options.classicToo ?? false,
      honorTimestamps: options.honorTimestamps ?? true,
      trackTimestampsStaleness: options.trackTimestampsStaleness ?? false,
    };
  }

  scrape(text: string | Uint8Array, timeMs: number): ModelScrape {
    const { exposition, cache } = this;
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    const parsed = exposition.parse(cache, exposition.load(bytes), timeMs, this.#options);
    const metadata = exposition.metadata();
    if (!parsed.ok) return this.#fail(parsed.message, timeMs, metadata, parsed.offset);
    try {
      for (let miss = 0; miss < parsed.misses; miss++) {
        exposition.readLabels(cache, miss);
        const sid = this.#sid(exposition.scratch.read());
        exposition.resolve(cache, miss, sid, sid, 0);
      }
    } catch (error) {
      if (!(error instanceof LabelError)) throw error;
      exposition.takeBack(cache);
      return this.#fail(error.message, timeMs, metadata);
    }
    exposition.vanished(cache, timeMs);
    const exemplars = [
      ...this.#exemplars.fresh(exposition.exemplars(), { format: 'text', ...this.#options, timeMs }, (line) => {
        exposition.readLabelsOf(cache, line);
        return exposition.scratch.read();
      }),
    ];
    return { samples: this.#takeRows(), metadata, exemplars };
  }

  /** The target went away. */
  end(timeMs: number): readonly ModelSample[] {
    this.exposition.allStale(this.cache, timeMs);
    return this.#takeRows();
  }

  #fail(error: string, timeMs: number, metadata: readonly MetadataLine[], offset?: number): ModelScrape {
    this.exposition.allStale(this.cache, timeMs);
    return { error, offset, samples: this.#takeRows(), metadata, exemplars: [] };
  }

  #sid(labels: Labels): number {
    const key = keyOf(labels);
    let sid = this.#sids.get(key);
    if (sid === undefined) {
      sid = this.series.push(labels) - 1;
      this.#sids.set(key, sid);
    }
    return sid;
  }

  #takeRows(): ModelSample[] {
    const { address, count } = this.exposition.rows(0);
    const { view } = this.core;
    const samples: ModelSample[] = [];
    for (let i = 0; i < count; i++) {
      const at = address + i * ROW_BYTES;
      const sid = view.getUint32(at, true);
      if (sid === SID_HOLE) continue;
      samples.push({
        labels: this.series[sid]!,
        timeMs: Number(view.getBigInt64(at + 8, true)),
        bits: view.getBigUint64(at + 16, true),
      });
    }
    this.exposition.clearRows();
    return samples;
  }
}

/** A value's bits as the HTTP API prints the value, as far as tests need it. */
export function valueOfBits(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

export function bitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}
