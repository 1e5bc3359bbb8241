// Many small records, handed to a log's writer together: each append costs a write.

import type { LogWriter } from './writer.js';

/** Records are handed on in batches of about this size. */
export const BATCH_BYTES = 1024 * 1024;

/** A writer that keeps no more than this in memory before it syncs: what it once took, the core never gives back. */
export const UNSYNCED_BYTES_MAX = 4 * BATCH_BYTES;

/** Not in the log before flush(). All methods throw LogStuck. */
export class RecordBatch {
  readonly #writer: LogWriter;
  /** Where the records of a batch lie, one behind the other. */
  readonly #room = new Uint8Array(BATCH_BYTES);
  #used = 0;
  #records: Uint8Array[][] = [];

  constructor(writer: LogWriter) {
    this.#writer = writer;
  }

  /** Copies a record that is only lent. */
  put(record: Uint8Array): void {
    if (this.#used + record.length > this.#room.length) this.flush();
    if (record.length > this.#room.length) {
      // The writer's memory may grow meanwhile, and what is lent lie in it.
      this.#writer.append([[record.slice()]]);
      return;
    }
    const copy = this.#room.subarray(this.#used, this.#used + record.length);
    copy.set(record);
    this.#records.push([copy]);
    this.#used += record.length;
  }

  flush(): void {
    if (this.#records.length > 0) this.#writer.append(this.#records);
    this.#records = [];
    this.#used = 0;
  }
}
