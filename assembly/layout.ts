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
  /** The sample is not later than the newest of its series, but within the window in which such are taken. */
  Late = 8,
}

/** Bytes of one WebAssembly page, the unit of the page allocator. */
export const PAGE_BYTES = 65536;

/** Most samples in one chunk. On average there are 120, half an hour at a 15 s interval, as in Prometheus (head/append.ts). */
export const CHUNK_SAMPLES_MAX = 192;

/** Bytes of the header in front of a sealed chunk's bytes. */
export const SEALED_HEADER_BYTES = 24;
/** A sealed chunk whose data are elsewhere: a header, and an address. Says so in its count of bytes. */
export const REFERENCE_BYTES = 32;
export const REFERENCE_FLAG = 0x40000000;

/** No chunk of CHUNK_SAMPLES_MAX samples is larger: 144 bits of a first sample, 117 of a second, 145 of each other, 16 of the count. */
export const CHUNK_BYTES_MAX = 3488;

/** Room that decoding needs beside a copy of the chunk's bytes. */
export const DECODE_SLACK = 48;

/** What decoding answers instead of a number of samples where the bytes are no chunk. */
export const DECODE_INVALID = -1;

/** The bits of the stale marker, the value that ends a series. */
export const STALE_HIGH = 0x7ff00000;
export const STALE_LOW = 0x00000002;

/** Functions over a window of samples, as the eval kernel numbers them. */
export enum WindowFn {
  /** An instant selector: the newest sample, none where that is a stale marker. */
  Last = 0,
  /** The time of what Last would give, in seconds. */
  Timestamp = 1,
  Rate = 2,
  Increase = 3,
  Delta = 4,
  Irate = 5,
  Idelta = 6,
  Changes = 7,
  Resets = 8,
  SumOverTime = 9,
  AvgOverTime = 10,
  MinOverTime = 11,
  MaxOverTime = 12,
  CountOverTime = 13,
  LastOverTime = 14,
  FirstOverTime = 15,
  PresentOverTime = 16,
  StddevOverTime = 17,
  StdvarOverTime = 18,
  /** No function: the samples themselves are left in the job's columns, without stale markers. */
  Samples = 19,
  /** The slope of a line through the window. */
  Deriv = 20,
  /** Where such a line will be. */
  PredictLinear = 21,
  QuantileOverTime = 22,
}

/** What a row that leaves as text is. */
export enum RenderForm {
  /** Its labels and the sample of the only step. */
  Vector = 0,
  /** Its labels and all samples; rows are in the order of their labels. */
  Matrix = 1,
  /** Its labels alone, in their order too. */
  Labels = 2,
}

// --- A series record (head/series.ts): main reads newest samples while the shard leaves records as they are ---

/** u32: the newest sealed chunk, 0 where there is none. */
export const SERIES_SEALED = 8;
/** u32: number of the last append that touched the series. */
export const SERIES_APPEND = 12;
/** Of the newest sample: i64 ms, and the bits of its value. */
export const SERIES_TIME = 16;
export const SERIES_VALUE = 24;
/** u8: samples in the open chunk. */
export const SERIES_COUNT = 51;
export const SERIES_BYTES = 64;

/** In place of a series' number: its labels belong to another shard; the series of that number is gone. */
export const SERIES_FOREIGN = 0xfffffffe;
export const SERIES_UNKNOWN = 0xfffffffd;

// --- A job of the eval kernel: what to compute over one series after the other ---

/** f64: the first evaluation time, the step and the window's length, in ms. */
export const JOB_START = 0;
export const JOB_STEP = 8;
export const JOB_WINDOW = 16;
/** f64: samples later than this are not seen (ms). */
export const JOB_MAXT = 24;
/** f64: samples decoded by the job so far. */
export const JOB_SAMPLES = 32;
/** u32: WindowFn. */
export const JOB_FN = 40;
/** u32: number of evaluation times. */
export const JOB_STEPS = 44;
/** u32: addresses of the sample columns (f64 times, f64 values), and how many samples they have room for. */
export const JOB_TIMES = 48;
export const JOB_VALUES = 52;
export const JOB_ROOM = 56;
/** u32: addresses of the row that comes out: f64 values, u8 presence. */
export const JOB_ROW_VALUES = 60;
export const JOB_ROW_PRESENT = 64;
/** u32, the kernel's: samples in the columns, steps done, cells with a value. */
export const JOB_COUNT = 68;
export const JOB_DONE = 72;
export const JOB_CELLS = 76;
/** u32 x 8, the kernel's: windows that wait to be summed side by side. */
export const JOB_WAITING = 80;
/** f64: the function's argument: how many seconds ahead PredictLinear looks, or the φ of QuantileOverTime. */
export const JOB_ARGUMENT = 112;
/** f64: by how many ms the evaluation times are later than the ends of the windows. */
export const JOB_SHIFT = 120;
/** u32: where a chunk's bytes are swapped before they are decoded, and how large a chunk it has room for: DECODE_SLACK more are there. */
export const JOB_SCRATCH = 128;
export const JOB_SCRATCH_ROOM = 132;
/** f64: samples of the head before this time are not seen: blocks have them. */
export const JOB_FLOOR = 136;
export const JOB_BYTES = 144;

/** Aggregations whose groups the eval kernel folds. */
export enum AggregateOp {
  Sum = 1,
  Avg = 2,
  Min = 3,
  Max = 4,
  Count = 5,
  Group = 6,
  Stddev = 7,
  Stdvar = 8,
  /** The φ-quantile: by the query kernel, which keeps all rows of a group, where it has all of them. */
  Quantile = 9,
}

/** What is done to each float of a row: with `n`, the operation's number. Comparisons keep those for which they hold. */
export enum CellOp {
  Add = 0,
  Subtract = 1,
  /** n - x */
  SubtractFrom = 2,
  Multiply = 3,
  Divide = 4,
  /** n / x */
  DivideInto = 5,
  Equal = 6,
  NotEqual = 7,
  Less = 8,
  LessOrEqual = 9,
  Greater = 10,
  GreaterOrEqual = 11,
  /** 1 where the comparison holds, 0 where not: in the order of those above. */
  EqualBool = 12,
  NotEqualBool = 13,
  LessBool = 14,
  LessOrEqualBool = 15,
  GreaterBool = 16,
  GreaterOrEqualBool = 17,
  Abs = 18,
  Ceil = 19,
  Floor = 20,
  Sqrt = 21,
  Sign = 22,
  Negate = 23,
  /** The larger one of x and n; the smaller one. */
  AtLeast = 24,
  AtMost = 25,
}

// --- A cell program: u32 CellOp, 4 bytes free, f64 n, for each operation ---

export const CELL_OP_BYTES = 16;
export const CELL_OP_NUMBER = 8;

/** Which cells of a group are kept, `k` at each step. */
export enum KeepOrder {
  Largest = 0,
  Smallest = 1,
  First = 2,
}

// --- The groups of an aggregated fragment: u32 AggregateOp, steps, number of groups, address of state and presence ---

export const GROUPS_OP = 0;
export const GROUPS_STEPS = 4;
export const GROUPS_COUNT = 8;
export const GROUPS_STATE = 12;
export const GROUPS_PRESENT = 16;
export const GROUPS_BYTES = 20;

/** Presence of an avg cell whose sum would overflow: it holds a running mean instead. */
export const GROUP_RUNNING = 2;

/** A chunk in a list of them: i64 first and last time, u32 address, u32 bytes. */
export const CHUNK_REF_MINT = 0;
export const CHUNK_REF_MAXT = 8;
export const CHUNK_REF_DATA = 16;
export const CHUNK_REF_LENGTH = 20;
export const CHUNK_REF_BYTES = 24;
/** Chunks do not cross a multiple of this, the length of a block. */
export const CHUNK_WINDOW_MS = 7200000;

// --- What leaves the head for a block: head/export.ts ---

/** In front of a series' chunks: u32 their number, u32 zero. */
export const EXPORT_SERIES_BYTES = 8;
/** In front of a chunk: f64 first and last time, u32 bytes, u32 encoding. The bytes behind it are padded to 8. */
export const EXPORT_CHUNK_BYTES = 24;
/** Prometheus's number for the encoding of floats. */
export const EXPORT_XOR = 1;

// --- The outcome of an append ---

export const OUTCOME_ACCEPTED = 0;
/** The very same sample again. */
export const OUTCOME_REPEATED = 4;
export const OUTCOME_OUT_OF_ORDER = 8;
/** Same time, other value. */
export const OUTCOME_DUPLICATE = 12;
export const OUTCOME_TOO_OLD = 16;
export const OUTCOME_TOO_FAR = 20;
export const OUTCOME_NO_MEMORY = 24;
export const OUTCOME_UNKNOWN = 28;
/** The first refused row: its Status, its place in the batch, its record. */
export const OUTCOME_FIRST_STATUS = 32;
export const OUTCOME_FIRST_ROW = 36;
export const OUTCOME_FIRST_RECORD = 40;
export const OUTCOME_MIN_TIME = 48;
export const OUTCOME_MAX_TIME = 56;
export const OUTCOME_BYTES = 64;

// --- How select tests the values of a label ---

export const MATCH_ALL = 0;
export const MATCH_EQUALS = 1;
export const MATCH_PREFIX = 2;
export const MATCH_SUFFIX = 3;
export const MATCH_CONTAINS = 4;

/** What a query gives: see assembly/query/query.ts. */
export enum QueryMode {
  Rows = 0,
  Groups = 1,
  Samples = 2,
  AllSamples = 3,
}

/** Flags in an entry of a query's history, beside the address of the newest chunk: they are all the series has; it is left out. */
export const HISTORY_WHOLE = 1;
export const HISTORY_SKIP = 2;
/** How blocks say that a chunk is of floats. */
export const BLOCK_CHUNK_XOR = 1;
/** Bytes of a series, and of a wanted chunk, as assembly/query/load.ts takes and gives them. */
export const LOAD_SERIES_BYTES = 8;
export const LOAD_WANTED_BYTES = 40;
/** A chunk of an entry in the cache: see assembly/cache/chunks.ts. */
export const CACHE_CHUNK_BYTES = 32;
/** Where a place that was looked for there says whether it was found. */
export const CHUNK_FOUND = 28;

// --- A round: what a shard and its readers evaluate together. See assembly/query/round.ts ---

/** u32: counts the calls of readers, who sleep on it. */
export const ROUND_CALL = 0;
/** u32: 1 while readers may enter. */
export const ROUND_OPEN = 4;
/** u32: readers that are inside. */
export const ROUND_INSIDE = 8;
/** u32: 1 once a reader trapped. */
export const ROUND_FAILED = 12;
/** u32: the first item that nobody has taken, the number of items, and where they are. */
export const ROUND_NEXT = 16;
export const ROUND_END = 20;
export const ROUND_ITEMS = 24;
/** u32: lanes, the shard's first, and where their addresses are. */
export const ROUND_LANES = 28;
export const ROUND_LANE_LIST = 32;
/** u32: where the rows of the first item go, values and presence. */
export const ROUND_VALUES = 36;
export const ROUND_PRESENT = 40;
/** u32: items that readers evaluated, ever. */
export const ROUND_HELPED = 44;
/** u32, main's: 1 while somebody waits for the shard. */
export const ROUND_HURRY = 48;
export const ROUND_BYTES = 64;

/** Most readers of a shard. */
export const READERS_MAX = 63;

/** Where the reader module's data would begin: a page of its own, that the core keeps free. */
export const READER_BASE = 131072;

/** What can be wrong with a label set. */
export enum LabelFault {
  None = 0,
  NoMemory = 1,
  /** A name occurs twice. */
  Duplicate = 2,
  EmptyName = 3,
  InvalidUtf8 = 4,
  TooMany = 5,
  NameTooLong = 6,
  ValueTooLong = 7,
  /** No metric name. */
  NoName = 8,
}

/** Bytes of one row of a batch: sid u32, ref u32, time i64 (ms), value bits u64. */
export const ROW_BYTES = 24;

/** Most shards that batches can be made for. */
export const OWNERS_MAX = 64;

/** In a row: its series is not resolved yet. */
export const SID_MISSING = 0xffffffff;

/** In a row: there is nothing here; skip it. */
export const SID_HOLE = 0xfffffffe;

/**
 * In a row, beside a series' number: the series began then. It gets a sample of 0, unless it has one of that time or later: then
 * nothing is told.
 */
export const SID_START = 0x80000000;

/** In a miss: no entry of the cache stands for it. */
export const NO_ENTRY = 0xffffffff;

/** Bytes of one record of the lists that a parse leaves behind: four u32. */
export const RECORD_BYTES = 16;

/** Bytes that must be writable behind a body that is parsed in place. */
export const BODY_SLACK = 64;

/** How an exposition is parsed; add them up. */
export enum ParseOption {
  None = 0,
  /** Timestamps in the text are taken; otherwise all samples get the scrape's. */
  HonorTimestamps = 1,
  /** Series with timestamps of their own get stale markers too. */
  TrackTimestampsStaleness = 2,
  /** Give rows only for lines whose series was forgotten since the parse before, of the same body. */
  Retry = 4,
  /** The text is OpenMetrics. */
  OpenMetrics = 8,
  /** Exemplars are listed. */
  Exemplars = 16,
  /** Native histograms are listed; otherwise a histogram is its classic buckets. */
  NativeHistograms = 32,
  /** Of a native histogram, the classic buckets are taken, too. */
  ClassicToo = 64,
  /** Classic histograms are listed as native ones are, to be converted. */
  CustomBuckets = 128,
  /** Start times are taken: of OpenMetrics, the lines that have them are no series then. */
  Starts = 256,
}

/** What a metadata line says. */
export enum MetadataKind {
  Help = 1,
  Type = 2,
  Unit = 3,
  /** A type of the protobuf format: the text's offset is its number. */
  TypeNumber = 4,
}

/** What is wrong with a line of text; the façade makes Prometheus's words of it. */
export enum TextFault {
  None = 0,
  NoMemory = 1,
  StartToken = 2,
  NameAfterHelp = 3,
  NameAfterType = 4,
  InvalidType = 5,
  HelpUtf8 = 6,
  LabelName = 7,
  Equal = 8,
  LabelValue = 9,
  ValueUtf8 = 10,
  NameTwice = 11,
  NoName = 12,
  ValueExpected = 13,
  ValueSyntax = 14,
  ValueCharacter = 15,
  ValueRange = 16,
  TimestampExpected = 17,
  TimestampRange = 18,
  AfterTimestamp = 19,
  // Of OpenMetrics alone.
  LabelSeparator = 20,
  NameAfterUnit = 21,
  TextAfterHelp = 22,
  TextAfterType = 23,
  TextAfterUnit = 24,
  UnitSuffix = 25,
  /** Something stands behind `# EOF`. */
  AfterEnd = 26,
  /** There is no `# EOF`. */
  Unended = 27,
  TimestampInfinite = 28,
  ExemplarValue = 29,
  ExemplarInfinite = 30,
  ExemplarNext = 31,
  AfterExemplar = 32,
}

/** What the parser found where it wanted something else. */
export enum TextToken {
  Invalid = 0,
  Linebreak = 1,
  Name = 2,
  Quoted = 3,
  BraceOpen = 4,
  BraceClose = 5,
  LabelName = 6,
  LabelValue = 7,
  Equal = 8,
  Comma = 9,
  Timestamp = 10,
  Value = 11,
  Comment = 12,
  End = 13,
}

/** What is wrong with a protobuf message. */
export enum WireFault {
  None = 0,
  NoMemory = 1,
  /** A varint is cut short or too long. */
  Varint = 2,
  /** A length leads behind the end of what it is part of. */
  Truncated = 3,
  /** A group, or a wire type that does not exist. */
  WireType = 4,
  /** A field number of 0, or one too large. */
  Field = 5,
  /** A known field has another wire type than the message says. */
  Kind = 6,
  /** More series or samples than allowed. */
  TooManySeries = 7,
  TooManySamples = 8,
  // Of metric families: no name, help that is no UTF-8, a type that does not exist, a unit that the name lacks.
  Name = 9,
  Help = 10,
  Type = 11,
  Unit = 12,
}

/** `[1435781430.781,"`: what is before the number of a sample in JSON, made once for each step of a query; with its length. */
export const SAMPLE_OPENING_BYTES = 32;
/** Most bytes of one sample in JSON: its opening, a number, `"],`. */
export const SAMPLE_TEXT_MAX = 68;
/** What is written behind a text in JSON may overwrite so many bytes more. */
export const TEXT_SLACK = 32;

// --- Chunks in files: head/spill.ts, head/wanted.ts, head/attach.ts ---

/** Fixed parts of a chunk's record in a file: ref, first and last time, encoding in front, a checksum behind. */
export const CHUNK_RECORD_HEAD_BYTES = 25;
export const CHUNK_RECORD_CRC_BYTES = 4;
/** The largest uvarint of a length. */
export const CHUNK_RECORD_LENGTH_BYTES_MAX = 5;

/** A chunk of histograms that was found in a file: attach.ts draws it. */
export const HEAD_HISTOGRAM_BYTES = 40;

/** A chunk that a reader wants: place in its list u32, file u32, offset u32, span in ms u32, last time f64. */
export const WANT_BYTES = 24;
export const WANT_PLACE = 0;
export const WANT_FILE = 4;
export const WANT_OFFSET = 8;
export const WANT_SPAN = 12;
export const WANT_MAX = 16;

/** What linking a record answers instead of an address. */
export const LINK_DAMAGED = 0;
/** More bytes are needed. */
export const LINK_SHORT = 1;

/** Why the reading of a file stopped. */
export enum ScanStatus {
  /** Where the bytes end. */
  More = 0,
  /** Behind the last chunk: zeroes follow. */
  End = 1,
  /** What stands there is no chunk, or its checksum is wrong. */
  Damaged = 2,
  NoMemory = 3,
}
