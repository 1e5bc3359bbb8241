// Every number that both sides of the WASM boundary must agree on.
//
// Compiled twice: by asc (numbers are i32) and by tsc. It therefore holds
// only enums and un-annotated integer constants.

/** What a kernel call can answer. The façade turns all but Ok into an error or a result. */
export enum Status {
  Ok = 0,
  /** The chunk has no room; cut a new one and append again. */
  Full = 1,
  /** The timestamp is earlier than the last one of the series. */
  OutOfOrder = 2,
  /** The timestamp equals the last one, the value does not. */
  Duplicate = 3,
  /** The timestamp lies before the head's window. */
  TooOld = 4,
  /** A memory limit stopped the call; nothing was changed. */
  NoMemory = 5,
  /** The input is malformed; the kernel's error position says where. */
  Invalid = 6,
  /** The address names nothing in this core. */
  Unknown = 7,
}

/** Bytes of one WebAssembly page, the unit of the page allocator. */
export const PAGE_BYTES = 65536;

/** Most samples in one chunk: half an hour at a 15 s interval, as in Prometheus. */
export const CHUNK_SAMPLES_MAX = 120;

/** Bytes of the header in front of a sealed chunk's bytes. */
export const SEALED_HEADER_BYTES = 24;

/** No chunk of CHUNK_SAMPLES_MAX samples is larger: 144 bits of a first sample, 117 of a second, 145 of each other, 16 of the count. */
export const CHUNK_BYTES_MAX = 2176;

/** What decoding answers instead of a number of samples where the bytes are no chunk. */
export const DECODE_INVALID = -1;

/** The bits of the stale marker, the value that ends a series. */
export const STALE_HIGH = 0x7ff00000;
export const STALE_LOW = 0x00000002;
