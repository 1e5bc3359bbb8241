// Snappy's block format, encoding, with holes: ranges that are always literal and that no copy refers to, so
// their bytes can be changed in the encoded block. A body of samples is thus compressed once and patched many times.
//
//   decoded   | labels … | sample | labels …       | sample |
//   encoded   | literals, copies … [sample] copies … [sample] …     [ ] a hole, as bytes, at a known place
//
// Format: format_description.txt of google/snappy.

/** As far back as a copy of three bytes reaches. */
const OFFSET_MAX = 65535;
const TABLE_BITS = 15;
/** The shortest run that is worth a copy. */
const MATCH_MIN = 4;

export interface Patchable {
  readonly bytes: Uint8Array;
  /** Where in `bytes` each hole begins. */
  readonly holes: Uint32Array;
}

/** Encodes `raw` with holes of `holeBytes` at the ascending places `holes`. */
export function encodePatchable(raw: Uint8Array, holes: readonly number[], holeBytes: number): Patchable {
  const out = new Writer(raw.length + (raw.length >> 3) + 64);
  out.length(raw.length);
  const placed = new Uint32Array(holes.length);
  const table = new Int32Array(1 << TABLE_BITS).fill(-1);
  /** Where the stretch between holes that a table entry lies in ends. */
  const ends = new Int32Array(1 << TABLE_BITS);

  let hole = 0;
  let firstHole = 0;
  let end = holes[0] ?? raw.length;
  let literal = 0;
  const flush = (upTo: number) => {
    if (upTo === literal) return;
    const at = out.literal(raw.subarray(literal, upTo));
    for (; firstHole < hole; firstHole++) placed[firstHole] = at + holes[firstHole]! - literal;
  };

  let at = 0;
  while (at < raw.length) {
    if (at + MATCH_MIN > end) {
      if (hole === holes.length) break;
      at = end + holeBytes;
      hole++;
      end = holes[hole] ?? raw.length;
      continue;
    }
    const slot = Math.imul(word(raw, at), 0x1e35a7bd) >>> (32 - TABLE_BITS);
    const from = table[slot]!;
    const fromEnd = ends[slot]!;
    table[slot] = at;
    ends[slot] = end;
    if (from < 0 || at - from > OFFSET_MAX || word(raw, from) !== word(raw, at)) {
      at++;
      continue;
    }
    let length = MATCH_MIN;
    while (at + length < end && from + length < fromEnd && raw[from + length] === raw[at + length]) length++;
    flush(at);
    out.copy(at - from, length);
    at += length;
    literal = at;
  }
  flush(raw.length);
  return { bytes: out.bytes(), holes: placed };
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

class Writer {
  readonly #out: Uint8Array;
  #at = 0;

  constructor(room: number) {
    this.#out = new Uint8Array(room);
  }

  length(value: number): void {
    for (; value >= 0x80; value >>>= 7) this.#out[this.#at++] = (value & 0x7f) | 0x80;
    this.#out[this.#at++] = value;
  }

  /** Gives where the bytes begin. */
  literal(bytes: Uint8Array): number {
    const rest = bytes.length - 1;
    if (rest < 60) this.#out[this.#at++] = rest << 2;
    else {
      const width = rest < 0x100 ? 1 : rest < 0x10000 ? 2 : 3;
      this.#out[this.#at++] = (59 + width) << 2;
      for (let i = 0; i < width; i++) this.#out[this.#at++] = (rest >> (8 * i)) & 0xff;
    }
    const begins = this.#at;
    this.#out.set(bytes, begins);
    this.#at += bytes.length;
    return begins;
  }

  copy(offset: number, length: number): void {
    while (length > 0) {
      const now = Math.min(length, 64);
      if (now >= 4 && now < 12 && offset < 2048) {
        this.#out[this.#at++] = 1 | ((now - 4) << 2) | ((offset >> 8) << 5);
        this.#out[this.#at++] = offset & 0xff;
      } else {
        this.#out[this.#at++] = 2 | ((now - 1) << 2);
        this.#out[this.#at++] = offset & 0xff;
        this.#out[this.#at++] = offset >> 8;
      }
      length -= now;
    }
  }

  bytes(): Uint8Array {
    return this.#out.slice(0, this.#at);
  }
}
