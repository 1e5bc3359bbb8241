// Label tables leaving the core: the strings and rows that assembly/labels/table.ts wrote.

import type { Core } from './core.js';

/** A label table in buffers of its own: may be moved to another thread. */
export interface LabelTable {
  readonly strings: ArrayBuffer;
  readonly rows: ArrayBuffer;
}

/** Copies the table that the last kernel call left. */
export function takeLabelTable(core: Core): LabelTable {
  const { exports } = core;
  return {
    strings: takeStrings(core),
    rows: copyOut(core, exports.labels_rows(), exports.labels_rows_bytes()),
  };
}

/** The strings alone. */
export function takeStrings(core: Core): ArrayBuffer {
  const { exports } = core;
  return copyOut(core, exports.labels_strings(), exports.labels_strings_bytes());
}

/** A copy of linear memory that can be moved. */
export function copyOut(core: Core, address: number, bytes: number): ArrayBuffer {
  const copy = new ArrayBuffer(bytes >>> 0);
  new Uint8Array(copy).set(core.u8(address, bytes >>> 0));
  return copy;
}
