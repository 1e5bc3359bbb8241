// The façade of the federate kernel: the newest samples of many series, as text or as protobuf.

import { MessageWriter } from '../base/message-writer.js';
import { escapedName, escapedValue, exposedLabel } from '../model/exposed.js';
import { compareStrings, type Labels, METRIC_NAME, pairsOf } from '../model/labels.js';
import type { Core } from './core.js';
import { copyOut } from './label-table.js';
import { OutOfMemory } from './out-of-memory.js';
import type { Query } from './query.js';
import type { SeriesList } from './select.js';
import { symbolOf, withBytes, withString } from './strings.js';

/**
 * `text` is of format 0.0.4. Of `protobuf` come the metrics of families, each a field of its family's message: what
 * stands in front of them is for others to write.
 */
export type FederateFormat = 'text' | 'protobuf';

/** What a federation writes, beside the series. */
export interface FederateStyle {
  readonly format: FederateFormat;
  /** Whether names beyond the old character set are written as they are; otherwise their other characters become underscores. */
  readonly utf8: boolean;
  /** Added to series that lack them. */
  readonly externalLabels: Labels;
}

/** One metric name's samples within what was written. */
export interface FederateBlock {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

export class Federation {
  readonly #core: Core;
  readonly #address: number;
  /** Metric names in the order of their families. */
  #names: readonly string[] = [];
  /** The series in family order: a heap block of ours. */
  #arranged = { address: 0, bytes: 0 };
  #count = 0;

  /**
   * Arranges the series by metric name. Query and list stay the caller's until close(). The query is an instant
   * one whose only step is the newest time allowed.
   */
  constructor(core: Core, query: Query, list: SeriesList, { format, utf8, externalLabels }: FederateStyle) {
    this.#core = core;
    const { exports } = core;
    const name = symbolOf(core, METRIC_NAME);
    const isProtobuf = format === 'protobuf';
    this.#address = exports.federate_open(query.address, list.address, list.count, name, utf8, isProtobuf) >>> 0;
    if (this.#address === 0) throw new OutOfMemory();
    try {
      for (const [label, value] of pairsOf(externalLabels)) {
        this.#addExternal(label, isProtobuf ? labelMessage(label, value, utf8) : labelText(label, value, utf8));
      }
      this.#arrange(list.count);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The series in the order in which they are rendered, those without a metric name left out. */
  get list(): SeriesList {
    return { ...this.#arranged, count: this.#count };
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** Brings the series into the order of their metric names. */
  #arrange(listCount: number): void {
    const { exports } = this.#core;
    const count = exports.federate_order(this.#address);
    if (count < 0) throw new OutOfMemory();
    const distinct = Array.from({ length: count }, (_, i) => this.#text(exports.federate_name(this.#address, i)));
    const order = distinct.map((_, i) => i).sort((a, b) => compareStrings(distinct[a]!, distinct[b]!));
    this.#names = order.map((i) => distinct[i]!);
    this.#count = exports.federate_count(this.#address) >>> 0;
    const bytes = Math.max(listCount, 4) * 4;
    this.#arranged = { address: this.#alloc(bytes), bytes };
    const places = this.#alloc(Math.max(count, 4) * 4);
    const placeOf = this.#core.u32(places, count);
    order.forEach((i, place) => {
      placeOf[i] = place;
    });
    const isArranged = exports.federate_arrange(this.#address, places, this.#arranged.address);
    exports.heap_free(places, Math.max(count, 4) * 4);
    if (!isArranged) throw new OutOfMemory();
  }

  /** The place in the list of the series that comes next. */
  get place(): number {
    return this.#core.exports.federate_place(this.#address) >>> 0;
  }

  /** The next families, up to about `bytes`: copies. */
  next(bytes: number): { done: boolean; text: ArrayBuffer; blocks: FederateBlock[] } {
    const { exports } = this.#core;
    const status = exports.federate_render(this.#address, bytes);
    if (status < 0) throw new OutOfMemory();
    const words = this.#core.u32(exports.federate_blocks(), (exports.federate_block_count() >>> 0) * 3);
    const blocks: FederateBlock[] = [];
    for (let i = 0; i < words.length; i += 3) {
      blocks.push({ name: this.#names[words[i]!]!, offset: words[i + 1]!, bytes: words[i + 2]! });
    }
    return {
      done: status === 1,
      text: copyOut(this.#core, exports.federate_text(), exports.federate_text_bytes()),
      blocks,
    };
  }

  close(): void {
    const { exports } = this.#core;
    exports.federate_close(this.#address);
    exports.federate_release();
    if (this.#arranged.address !== 0) exports.heap_free(this.#arranged.address, this.#arranged.bytes);
  }

  #addExternal(name: string, label: Uint8Array): void {
    const added = withString(this.#core, name, (nameAt, nameBytes) =>
      withBytes(this.#core, label, (labelAt, labelBytes) =>
        this.#core.exports.federate_external(this.#address, nameAt, nameBytes, labelAt, labelBytes),
      ),
    );
    if (!added) throw new OutOfMemory();
  }

  #text(symbol: number): string {
    const { exports } = this.#core;
    const address = exports.symbols_address(symbol) >>> 0;
    return Buffer.from(this.#core.memory.buffer, address, exports.symbols_length(symbol) >>> 0).toString('utf8');
  }

  #alloc(bytes: number): number {
    const address = this.#core.exports.heap_alloc(bytes) >>> 0;
    if (address === 0) throw new OutOfMemory();
    return address;
  }
}

function labelText(name: string, value: string, utf8: boolean): Uint8Array {
  return Buffer.from(`${exposedLabel(name, utf8)}="${escapedValue(value)}"`);
}

function labelMessage(name: string, value: string, utf8: boolean): Uint8Array {
  const to = new MessageWriter();
  const start = to.open(1);
  to.text(1, escapedName(name, utf8));
  to.text(2, value);
  to.closeExact(start);
  return to.finish();
}
