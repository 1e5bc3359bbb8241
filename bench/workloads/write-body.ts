// Remote write 1.0 requests, encoded once and patched for each step: the generator must cost little beside the server.
//
//   POST … HTTP/1.1 ⏎ … ⏎⏎ │ snappy of  { 1: series { 1: label { 1: name, 2: value } …, 2: sample { 1: f64, 2: varint } } } …
//                                                                            the hole: 09 ffffffffffffffff 10 vvvvvvvvvvvv
//
// Samples are holes of the snappy block (snappy-patchable.ts). Times of our age need six bytes as a varint.

import type { Fleet } from './fleet.js';
import { encodePatchable } from './snappy-patchable.js';

/** A sample message after its tag and length: `09` value, `10` time. */
const SAMPLE_BYTES = 16;
const VALUE_AT = 1;
const TIME_AT = 10;
const TIME_BYTES = 6;

export class WriteBody {
  /** The whole request; patched in place by fill(). */
  readonly request: Uint8Array;
  readonly #view: DataView;
  readonly #holes: Uint32Array;
  readonly #fleet: Fleet;
  readonly #first: number;

  /** Samples of the series `first` to `first + count - 1` of a fleet. */
  constructor(fleet: Fleet, first: number, count: number, path: string, generation = 0) {
    const { raw, holes } = encodeSeries(fleet, first, count, generation);
    const body = encodePatchable(raw, holes, SAMPLE_BYTES);
    const head = Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n` +
        `X-Prometheus-Remote-Write-Version: 0.1.0\r\nUser-Agent: bench\r\nContent-Length: ${body.bytes.length}\r\n\r\n`,
    );
    this.request = Buffer.concat([head, body.bytes]);
    this.#view = new DataView(this.request.buffer, this.request.byteOffset, this.request.length);
    this.#holes = body.holes.map((at) => at + head.length);
    this.#fleet = fleet;
    this.#first = first;
  }

  get samples(): number {
    return this.#holes.length;
  }

  /** Sets all values and times to those of `step`. */
  fill(step: number, timeMs: number): void {
    const { request } = this;
    const view = this.#view;
    const { values } = this.#fleet;
    const time = new Uint8Array(TIME_BYTES);
    putTime(time, timeMs);
    for (let i = 0; i < this.#holes.length; i++) {
      const at = this.#holes[i]!;
      view.setFloat64(at + VALUE_AT, values.at(this.#first + i, step), true);
      for (let b = 0; b < TIME_BYTES; b++) request[at + TIME_AT + b] = time[b]!;
    }
  }
}

function encodeSeries(fleet: Fleet, first: number, count: number, generation: number) {
  const parts: Buffer[] = [];
  const holes: number[] = [];
  let length = 0;
  for (let index = first; index < first + count; index++) {
    let bytes = 2 + SAMPLE_BYTES;
    const labels = fleet.labels(index, generation).map(([name, value]) => {
      const text = Buffer.concat([field(0x0a, Buffer.from(name)), field(0x12, Buffer.from(value))]);
      const label = field(0x0a, text);
      bytes += label.length;
      return label;
    });
    const head = Buffer.from([0x0a, ...varint(bytes)]);
    const sample = Buffer.alloc(2 + SAMPLE_BYTES);
    sample.set([0x12, SAMPLE_BYTES, 0x09]);
    sample[2 + VALUE_AT + 8] = 0x10;
    parts.push(head, ...labels, sample);
    length += head.length + bytes;
    holes.push(length - SAMPLE_BYTES);
  }
  return { raw: Buffer.concat(parts), holes };
}

function field(tag: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag, ...varint(bytes.length)]), bytes]);
}

function varint(value: number): number[] {
  const out: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) out.push((value % 128) | 0x80);
  out.push(value);
  return out;
}

function putTime(into: Uint8Array, timeMs: number): void {
  const bytes = varint(timeMs);
  if (bytes.length !== TIME_BYTES) throw new RangeError(`time ${timeMs} does not fill ${TIME_BYTES} bytes`);
  into.set(bytes);
}
