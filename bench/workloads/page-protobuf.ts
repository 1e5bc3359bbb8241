// The page of a scrape target as delimited io.prometheus.client.MetricFamily messages: bytes that never change, and
// between them the values that do, at places that stay.
//
//   family   │ name 1 │ help 2 │ type 3 │ metric 4 │ metric 4 │ …
//   metric   │ label 1 │ … │ counter 3, gauge 2: value 1, 8 bytes │ or histogram 7: count 1, sum 2, bucket 3 │ …
//
// Numbers of 64 bits have a length of their own, and the messages around them say how long they are. So a count that
// grows is written as long as it will be at the last step: what readers do with it is the same.

import { exporterFamilies, type Family, type SeriesSpec } from './families.js';
import type { Fleet, Label } from './fleet.js';
import type { TargetPage } from './page.js';

/** More than any run has. */
const LAST_STEP = 10_000;
const TYPES = { counter: 0, gauge: 1, histogram: 4 } as const;

/** A value that changes: eight bytes, or a varint of so many. */
interface Place {
  readonly index: number;
  readonly at: number;
  /** 0: a double. */
  readonly varintBytes: number;
}

export class ProtobufPage implements TargetPage {
  readonly contentType = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
  readonly #bytes: Buffer;
  readonly #changing: readonly Place[];
  readonly #fleet: Fleet;

  constructor(fleet: Fleet, instance: number) {
    this.#fleet = fleet;
    let index = instance * fleet.size.perInstance;
    const message = new Message();
    for (const family of exporterFamilies(fleet.size.perInstance, fleet.seed + fleet.job(instance))) {
      message.delimited(familyMessage(fleet, family, index));
      index += family.series.length;
    }
    this.#bytes = Buffer.concat(message.parts);
    this.#changing = message.places.filter((place) => fleet.values.changes(place.index));
    for (const place of message.places) this.#put(place, 0);
  }

  at(step: number): Buffer {
    for (const place of this.#changing) this.#put(place, step);
    return this.#bytes;
  }

  #put({ index, at, varintBytes }: Place, step: number): void {
    const value = this.#fleet.values.at(index, step);
    if (varintBytes === 0) this.#bytes.writeDoubleLE(value, at);
    else putVarint(this.#bytes, at, value, varintBytes);
  }
}

function familyMessage(fleet: Fleet, { name, help, type, series }: Family, index: number): Message {
  const message = new Message();
  message.text(1, name);
  message.text(2, help);
  message.varint(3, TYPES[type]);
  if (type === 'histogram') {
    for (let at = 0; at < series.length; ) {
      const end = histogramEnd(series, at);
      message.message(4, histogramMessage(fleet, series.slice(at, end), index + at));
      at = end;
    }
  } else {
    series.forEach((one, at) => {
      message.message(4, metricMessage(one, type, index + at));
    });
  }
  return message;
}

function metricMessage({ labels }: SeriesSpec, type: 'counter' | 'gauge', index: number): Message {
  const value = new Message();
  value.double(1, index);
  const metric = labelled(labels);
  metric.message(type === 'counter' ? 3 : 2, value);
  return metric;
}

/** Buckets, then the sum, then the count: behind it another histogram begins. */
function histogramEnd(series: readonly SeriesSpec[], at: number): number {
  while (!series[at]!.name.endsWith('_count')) at++;
  return at + 1;
}

function histogramMessage(fleet: Fleet, series: readonly SeriesSpec[], index: number): Message {
  const [sum, count] = [series.length - 2, series.length - 1];
  const histogram = new Message();
  histogram.count(1, index + count, fleet);
  histogram.double(2, index + sum);
  for (let at = 0; at < sum; at++) {
    const bucket = new Message();
    bucket.count(1, index + at, fleet);
    const le = Buffer.alloc(8);
    le.writeDoubleLE(boundOf(series[at]!));
    bucket.fixed(2, le);
    histogram.message(3, bucket);
  }
  const metric = labelled(series[count]!.labels);
  metric.message(7, histogram);
  return metric;
}

function boundOf({ labels }: SeriesSpec): number {
  const [, le] = labels.find(([name]) => name === 'le')!;
  return le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
}

function labelled(labels: readonly Label[]): Message {
  const metric = new Message();
  for (const [name, value] of labels) {
    const pair = new Message();
    pair.text(1, name);
    pair.text(2, value);
    metric.message(1, pair);
  }
  return metric;
}

/** A message under way: its bytes so far, and where in them values go. */
class Message {
  readonly parts: Buffer[] = [];
  readonly places: Place[] = [];
  #bytes = 0;

  text(field: number, text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.#add(tag(field, 2), varintOf(bytes.length), bytes);
  }

  varint(field: number, value: number): void {
    this.#add(tag(field, 0), varintOf(value));
  }

  fixed(field: number, bytes: Buffer): void {
    this.#add(tag(field, 1), bytes);
  }

  /** Room for the value of a series, as a double. */
  double(field: number, index: number): void {
    this.#add(tag(field, 1));
    this.places.push({ index, at: this.#bytes, varintBytes: 0 });
    this.#add(Buffer.alloc(8));
  }

  /** Room for the value of a series, as an integer. */
  count(field: number, index: number, fleet: Fleet): void {
    const last = fleet.values.changes(index) ? LAST_STEP : 0;
    const varintBytes = varintOf(fleet.values.at(index, last)).length;
    this.#add(tag(field, 0));
    this.places.push({ index, at: this.#bytes, varintBytes });
    this.#add(Buffer.alloc(varintBytes));
  }

  message(field: number, message: Message): void {
    this.#add(tag(field, 2));
    this.delimited(message);
  }

  /** Its length, then itself. */
  delimited(message: Message): void {
    this.#add(varintOf(message.#bytes));
    for (const place of message.places) this.places.push({ ...place, at: this.#bytes + place.at });
    this.#add(...message.parts);
  }

  #add(...parts: Buffer[]): void {
    for (const part of parts) {
      this.parts.push(part);
      this.#bytes += part.length;
    }
  }
}

function tag(field: number, wireType: number): Buffer {
  return varintOf(field * 8 + wireType);
}

function varintOf(value: number): Buffer {
  const bytes = Buffer.alloc(10);
  let count = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) count++;
  putVarint(bytes, 0, value, count);
  return bytes.subarray(0, count);
}

/** As many bytes as are wanted, which may be more than are needed. */
function putVarint(bytes: Buffer, at: number, value: number, count: number): void {
  let rest = value;
  for (let i = 0; i < count; i++) {
    bytes[at + i] = (rest % 128) + (i < count - 1 ? 128 : 0);
    rest = Math.floor(rest / 128);
  }
}
