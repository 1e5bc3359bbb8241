// How main hands WAL records to the log: by where their bytes are.

import type { Span } from './protocol.js';

/** A run of bytes of a record: in a shard's memory, or here. */
export type RecordPart = { readonly shard: number; readonly span: Span } | Uint8Array;

/** Records, each in its parts. */
export type LogRecords = readonly (readonly RecordPart[])[];

export interface LogPort {
  /** The shards' memories, before the first commit. */
  attach(memories: readonly WebAssembly.Memory[]): void;
  /** A shard was made again, with another memory. No commit that names the old one is under way. */
  replace(shard: number, memory: WebAssembly.Memory): Promise<void>;
  /**
   * Writes records in order; resolves once they are written and, where `durable`, on the disk. Those of late samples go
   * to the write-behind log.
   * Commits are written in the order of the calls. While the log cannot be written they wait, and whenStuck()
   * tells; rejects where the records are written but not known to be on the disk.
   */
  commit(records: LogRecords, durable: boolean, late?: LogRecords): Promise<void>;
  /** Why new appends should be refused; undefined while the log works. */
  readonly stuck: string | undefined;
  /** Calls the listener with the reason when the log gets stuck, at once while it is; until the function given back is called. */
  whenStuck(listener: (reason: string) => void): () => void;
  close(): Promise<void>;
}

/** No log at all: for tests, and for what is loaded to be thrown away. */
export const noLog: LogPort = {
  attach() {},
  replace: () => Promise.resolve(),
  commit: () => Promise.resolve(),
  stuck: undefined,
  whenStuck: () => () => {},
  close: () => Promise.resolve(),
};
