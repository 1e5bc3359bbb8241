// The label scratch of a core, seen from TypeScript: the one label set that is being
// put together. See assembly/labels/scratch.ts.

import { LabelFault } from '../../assembly/layout.js';
import { type Labels, METRIC_NAME } from '../model/labels.js';
import type { Core } from './core.js';
import { quote } from './text-fault.js';

/** Limits on a label set, each off where 0. Lengths are in bytes. */
export interface LabelLimits {
  readonly labelsMax: number;
  readonly nameBytesMax: number;
  readonly valueBytesMax: number;
}

const encoder = new TextEncoder();
// Linear memory may be shared, and decoders refuse shared memory: so Buffer decodes.
const PAIR_HEAD = 8;

/** What makes a label set unfit, in Prometheus's words where it has some. */
export class LabelError extends Error {
  override readonly name = 'LabelError';
  constructor(
    readonly fault: LabelFault,
    message: string,
  ) {
    super(message);
  }
}

export class LabelScratch {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The label set in the scratch, sorted, as strings. Copies. */
  read(): Labels {
    const { exports, view } = this.#core;
    const address = exports.scratch_address() >>> 0;
    const count = view.getUint32(address, true);
    const labels: string[] = new Array(count * 2);
    for (let i = 0; i < count; i++) {
      const at = address + 4 + i * 16;
      labels[i * 2] = this.#text(view.getUint32(at, true), view.getUint32(at + 4, true));
      labels[i * 2 + 1] = this.#text(view.getUint32(at + 8, true), view.getUint32(at + 12, true));
    }
    return labels;
  }

  /** The metric name in the scratch; empty where there is none. */
  metricName(): string {
    const { exports, view } = this.#core;
    const address = exports.scratch_address() >>> 0;
    const count = view.getUint32(address, true);
    for (let i = 0; i < count; i++) {
      const at = address + 4 + i * 16;
      if (view.getUint32(at + 4, true) !== METRIC_NAME.length) continue;
      if (this.#text(view.getUint32(at, true), METRIC_NAME.length) !== METRIC_NAME) continue;
      return this.#text(view.getUint32(at + 8, true), view.getUint32(at + 12, true));
    }
    return '';
  }

  /** Puts a label set into the scratch: sorts, drops empty values, checks. Throws a LabelError. Copies. */
  write(labels: Labels): void {
    const { exports } = this.#core;
    const parts = labels.map((text) => encoder.encode(text));
    const bytes = parts.reduce((sum, part) => sum + part.length, 0) + (parts.length / 2) * PAIR_HEAD;
    exports.scratch_begin();
    if (bytes > 0) {
      const block = exports.heap_alloc(bytes) >>> 0;
      if (block === 0) throw new LabelError(LabelFault.NoMemory, 'no memory for a label set');
      this.#writePairs(block, parts);
      exports.scratch_add_pairs(block, block + bytes);
      exports.heap_free(block, bytes);
    }
    const fault: LabelFault = exports.scratch_finish(false);
    if (fault !== LabelFault.None) throw this.error(fault);
  }

  /** Checks the label set in the scratch. The message is Prometheus's; undefined: within limits. */
  exceeded(limits: LabelLimits): string | undefined {
    const { labelsMax, nameBytesMax, valueBytesMax } = limits;
    const fault: LabelFault = this.#core.exports.scratch_check_limits(labelsMax, nameBytesMax, valueBytesMax);
    if (fault === LabelFault.None) return undefined;
    const labels = this.read();
    const metric = (labels[labels.indexOf('__name__') + 1] ?? '').slice(0, 50);
    if (fault === LabelFault.TooMany) {
      return `label_limit exceeded (metric: ${metric}, number of labels: ${labels.length / 2}, limit: ${labelsMax})`;
    }
    const at = this.#core.exports.scratch_fault_at() * 2;
    const name = labels[at]!;
    const value = labels[at + 1]!;
    if (fault === LabelFault.NameTooLong) {
      return `label_name_length_limit exceeded (metric: ${metric}, label name: ${name.slice(0, 50)}, length: ${encoder.encode(name).length}, limit: ${nameBytesMax})`;
    }
    return `label_value_length_limit exceeded (metric: ${metric}, label name: ${name.slice(0, 50)}, value: ${JSON.stringify(value.slice(0, 50))}, length: ${encoder.encode(value).length}, limit: ${valueBytesMax})`;
  }

  /** The words for a fault that the core just gave. Valid until the scratch is begun again. */
  error(fault: LabelFault): LabelError {
    return new LabelError(fault, this.describe(fault));
  }

  describe(fault: LabelFault): string {
    switch (fault) {
      case LabelFault.Duplicate:
        return `label name "${this.#faultName()}" is not unique: invalid sample`;
      case LabelFault.NoName:
        return 'missing metric name (__name__ label)';
      case LabelFault.EmptyName:
      case LabelFault.InvalidUtf8:
        return `invalid metric name or label names: ${this.quoted()}`;
      case LabelFault.TooMany:
        return 'too many labels';
      case LabelFault.NameTooLong:
        return `label name of ${this.#faultBytes(0)} bytes is too long`;
      case LabelFault.ValueTooLong:
        return `value of label "${this.#faultName()}" is too long: ${this.#faultBytes(1)} bytes`;
      case LabelFault.NoMemory:
        return 'no memory for a label set';
      case LabelFault.None:
        return 'no fault';
    }
  }

  /** The finished label set as Go prints it; from the bytes, because they may not be UTF-8. */
  quoted(): string {
    const { exports, view } = this.#core;
    const address = exports.scratch_address() >>> 0;
    const pairs = Array.from({ length: view.getUint32(address, true) }, (_, i) => {
      const at = address + 4 + i * 16;
      const name = this.#core.u8(view.getUint32(at, true), view.getUint32(at + 4, true));
      const value = this.#core.u8(view.getUint32(at + 8, true), view.getUint32(at + 12, true));
      const plain = Buffer.from(name).toString('latin1');
      return `${/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(plain) ? plain : quote(name)}=${quote(value)}`;
    });
    return `{${pairs.join(', ')}}`;
  }

  #faultName(): string {
    const { view } = this.#core;
    const at = this.#faultAddress();
    return this.#text(view.getUint32(at, true), view.getUint32(at + 4, true));
  }

  /** Bytes of the name (0) or the value (1) that is at fault. */
  #faultBytes(which: 0 | 1): number {
    return this.#core.view.getUint32(this.#faultAddress() + 4 + which * 8, true);
  }

  #faultAddress(): number {
    const { exports } = this.#core;
    return (exports.scratch_address() >>> 0) + 4 + exports.scratch_fault_at() * 16;
  }

  #text(address: number, length: number): string {
    return Buffer.from(this.#core.memory.buffer, address, length).toString('utf8');
  }

  #writePairs(block: number, parts: readonly Uint8Array[]): void {
    const { bytes, view } = this.#core;
    let at = block;
    for (let i = 0; i < parts.length; i += 2) {
      const name = parts[i]!;
      const value = parts[i + 1]!;
      view.setUint32(at, name.length, true);
      view.setUint32(at + 4, value.length, true);
      bytes.set(name, at + PAIR_HEAD);
      bytes.set(value, at + PAIR_HEAD + name.length);
      at += PAIR_HEAD + name.length + value.length;
    }
  }
}
