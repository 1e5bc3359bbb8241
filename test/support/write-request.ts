// prometheus.WriteRequest by hand: an encoder that can also write what no encoder
// would, and a decoder to compare with, plain and strict.

export interface WriteSample {
  readonly timeMs: bigint;
  readonly bits: bigint;
}

export interface WriteSeries {
  /** Names and values in turn, in the order in which they are written. */
  readonly labels: readonly (string | Uint8Array)[];
  readonly samples: readonly WriteSample[];
}

export function varint(value: bigint | number): Uint8Array {
  let left = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const more = left >> 7n !== 0n;
    bytes.push(Number(left & 0x7fn) | (more ? 0x80 : 0));
    left >>= 7n;
  } while (left !== 0n);
  return Uint8Array.from(bytes);
}

export function bytesField(number: number, content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

export function varintField(number: number, value: bigint | number): Uint8Array {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

export function fixed64Field(number: number, bits: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(bits);
  return Buffer.concat([varint((number << 3) | 1), bytes]);
}

export function labelField(name: string | Uint8Array, value: string | Uint8Array): Uint8Array {
  return bytesField(1, Buffer.concat([bytesField(1, name), bytesField(2, value)]));
}

/** As Go writes it: fields that are zero are left out. */
export function sampleField({ timeMs, bits }: WriteSample): Uint8Array {
  return bytesField(
    2,
    Buffer.concat([bits === 0n ? '' : fixed64Field(1, bits), timeMs === 0n ? '' : varintField(2, timeMs)].map(toBytes)),
  );
}

function toBytes(part: Uint8Array | string): Uint8Array {
  return typeof part === 'string' ? Buffer.from(part) : part;
}

export function seriesContent({ labels, samples }: WriteSeries): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < labels.length; i += 2) parts.push(labelField(labels[i]!, labels[i + 1]!));
  return Buffer.concat([...parts, ...samples.map(sampleField)]);
}

export function encodeWriteRequest(series: readonly WriteSeries[]): Uint8Array {
  return Buffer.concat(series.map((one) => bytesField(1, seriesContent(one))));
}

export interface DecodedSeries {
  /** Names and values in turn, latin1: one character a byte. */
  readonly labels: string[];
  readonly samples: WriteSample[];
}

class Malformed extends Error {}

interface Field {
  readonly number: number;
  readonly wire: number;
  readonly value: bigint;
  readonly content: Uint8Array;
}

function* fields(bytes: Uint8Array): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const readVarint = () => {
    let value = 0n;
    for (let i = 0; i < 10; i++) {
      if (at >= bytes.length) throw new Malformed('varint cut short');
      const byte = bytes[at++]!;
      if (i === 9 && byte > 1) throw new Malformed('varint too long');
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return value;
    }
    throw new Malformed('varint too long');
  };
  const take = (length: bigint) => {
    if (length > BigInt(bytes.length - at)) throw new Malformed('unexpected end');
    const content = bytes.subarray(at, at + Number(length));
    at += Number(length);
    return content;
  };
  while (at < bytes.length) {
    const key = readVarint();
    const field = key >> 3n;
    if (field === 0n || field > 0x1fffffffn) throw new Malformed('field number');
    const wire = Number(key & 7n);
    let value = 0n;
    let content = new Uint8Array(0) as Uint8Array;
    if (wire === 0) value = readVarint();
    else if (wire === 1) {
      if (bytes.length - at < 8) throw new Malformed('unexpected end');
      value = view.getBigUint64(at, true);
      at += 8;
    } else if (wire === 2) content = take(readVarint());
    else if (wire === 5) take(4n);
    else throw new Malformed('wire type');
    yield { number: Number(field), wire, value, content };
  }
}

function expectWire(field: Field, wire: number): void {
  if (field.wire !== wire) throw new Malformed(`wire type ${field.wire} of field ${field.number}`);
}

/** The series that have samples; undefined where the request is malformed. */
export function decodeWriteRequest(bytes: Uint8Array): DecodedSeries[] | undefined {
  try {
    const all: DecodedSeries[] = [];
    for (const field of fields(bytes)) {
      if (field.number === 1 || field.number === 3) expectWire(field, 2);
      if (field.number === 1) all.push(decodeSeries(field.content));
    }
    return all.filter(({ samples }) => samples.length > 0);
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function decodeSeries(bytes: Uint8Array): DecodedSeries {
  const series: DecodedSeries = { labels: [], samples: [] };
  for (const field of fields(bytes)) {
    if (field.number <= 4) expectWire(field, 2);
    if (field.number === 1) series.labels.push(...decodeLabel(field.content));
    if (field.number === 2) series.samples.push(decodeSample(field.content));
  }
  return series;
}

function decodeLabel(bytes: Uint8Array): [string, string] {
  const pair: [string, string] = ['', ''];
  for (const field of fields(bytes)) {
    if (field.number > 2) continue;
    expectWire(field, 2);
    pair[field.number - 1] = Buffer.from(field.content).toString('latin1');
  }
  return pair;
}

function decodeSample(bytes: Uint8Array): WriteSample {
  let bits = 0n;
  let timeMs = 0n;
  for (const field of fields(bytes)) {
    if (field.number > 2) continue;
    expectWire(field, field.number === 1 ? 1 : 0);
    if (field.number === 1) bits = field.value;
    else timeMs = BigInt.asIntN(64, field.value);
  }
  return { timeMs, bits };
}
