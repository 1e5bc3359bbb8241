// Remote write 1.0 by hand: protobuf, a snappy block of literals, a keep-alive connection.
//
//   WriteRequest  1: TimeSeries*     TimeSeries  1: Label*, 2: Sample*, 4: Histogram* (histogram-message.ts)
//   Label         1: name, 2: value  Sample      1: value (double), 2: timestamp (ms, varint)
//                                    Exemplar    1: Label*, 2: value, 3: timestamp (3: of a TimeSeries)

import { Agent, request } from 'node:http';
import type { StoredHistogram } from '../../src/model/stored-histogram.js';
import { encodeHistogramMessage } from './histogram-message.js';

export interface Series {
  /** Names and values by turns, as given: unsorted or invalid sets are for tests to try. */
  readonly labels: readonly string[];
  /** The value is a number, or its bits. */
  readonly samples: readonly (readonly [timeMs: number, value: number | bigint])[];
  readonly histograms?: readonly (readonly [timeMs: number, histogram: StoredHistogram])[];
  readonly exemplars?: readonly WireExemplar[];
}

export interface WireExemplar {
  /** Names and values by turns, as given. */
  readonly labels: readonly string[];
  readonly timeMs: number;
  readonly value: number;
}

/** A write request, not yet compressed. */
export function encodeWrite(series: readonly Series[]): Buffer {
  return Buffer.concat(series.map((one) => field(1, encodeSeries(one))));
}

const TYPES = ['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset'];

/** The metadata of a write request: goes in front of its series or behind them. */
export function encodeMetadata(
  metrics: readonly {
    readonly metric: string;
    readonly type: string;
    readonly help: string;
    readonly unit: string;
  }[],
): Buffer {
  const texts = (pairs: readonly (readonly [number: number, text: string])[]) =>
    pairs.map(([number, text]) => field(number, Buffer.from(text)));
  return Buffer.concat(
    metrics.map(({ metric, type, help, unit }) => {
      const kind = Buffer.from([1 << 3, TYPES.indexOf(type)]);
      return field(
        3,
        Buffer.concat([
          kind,
          ...texts([
            [2, metric],
            [4, help],
            [5, unit],
          ]),
        ]),
      );
    }),
  );
}

/** A snappy block of literals only: legal, and free to make. */
export function snappyLiterals(bytes: Uint8Array): Buffer {
  const head = [...varint(bytes.length)];
  if (bytes.length > 0) {
    const last = bytes.length - 1;
    head.push(0xfc, last & 255, (last >>> 8) & 255, (last >>> 16) & 255, last >>> 24);
  }
  return Buffer.concat([Buffer.from(head), bytes]);
}

export interface WriteAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
  /** Headers that say what was written: samples, histograms, exemplars. */
  readonly written: readonly (string | string[] | undefined)[];
}

const FIRST = 'prometheus.WriteRequest';

/** Writes one request after the other over one connection. */
export class RemoteWriter {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url: string) {
    this.#url = `${url}/api/v1/write`;
  }

  write(series: readonly Series[]): Promise<WriteAnswer> {
    return this.send(snappyLiterals(encodeWrite(series)));
  }

  /** Rejects where the connection ends without an answer: then nobody knows. */
  send(body: Uint8Array, message = FIRST): Promise<WriteAnswer> {
    const isFirst = message === FIRST;
    return new Promise((resolve, reject) => {
      const call = request(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: {
            'Content-Type': isFirst ? 'application/x-protobuf' : `application/x-protobuf;proto=${message}`,
            'Content-Encoding': 'snappy',
            'X-Prometheus-Remote-Write-Version': isFirst ? '0.1.0' : '2.0.0',
            'Content-Length': body.length,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('aborted', () => reject(new Error('the answer was cut short')));
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              text: Buffer.concat(chunks).toString('utf8'),
              retryAfter: response.headers['retry-after'],
              written: ['samples', 'histograms', 'exemplars'].map(
                (kind) => response.headers[`x-prometheus-remote-write-${kind}-written`],
              ),
            }),
          );
        },
      );
      call.on('error', reject);
      call.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Writes it all, and throws unless it was taken. */
export async function writeAll(url: string, series: readonly Series[]): Promise<void> {
  const writer = new RemoteWriter(url);
  try {
    const { status, text } = await writer.write(series);
    if (status !== 204 && status !== 200) throw new Error(`remote write: ${status} ${text}`);
  } finally {
    writer.close();
  }
}

/**
 * A body whose series stay and whose one time and one value, the same for all series, are changed
 * in place: as fast as bytes can be sent.
 */
export class BatchBody {
  readonly #body: Buffer;
  /** Where each sample's value is; its time is TIME_OFFSET behind. */
  readonly #places: number[] = [];

  constructor(labelSets: readonly (readonly string[])[]) {
    const samples = [[TEMPLATE_MS, TEMPLATE_VALUE]] as const;
    this.#body = snappyLiterals(encodeWrite(labelSets.map((labels) => ({ labels, samples }))));
    const sample = encodeSample(TEMPLATE_MS, TEMPLATE_VALUE);
    for (let at = this.#body.indexOf(sample); at >= 0; at = this.#body.indexOf(sample, at + 1)) {
      this.#places.push(at + 1);
    }
    if (this.#places.length !== labelSets.length) throw new Error('the template occurs in a label');
  }

  /** The same buffer each time: send it before the next call. */
  with(timeMs: number, value: number): Buffer {
    const time = varint(timeMs);
    if (time.length !== TIME_BYTES) throw new RangeError(`time ${timeMs} has another length`);
    for (const at of this.#places) {
      this.#body.writeDoubleLE(value, at);
      for (let i = 0; i < TIME_BYTES; i++) this.#body[at + TIME_OFFSET + i] = time[i]!;
    }
    return this.#body;
  }
}

const TEMPLATE_MS = 1_700_000_000_123;
const TEMPLATE_VALUE = 1234.56789012345e-67;
const TIME_BYTES = 6;
/** From a value to its time: the value, and the field's tag. */
const TIME_OFFSET = 9;

function encodeSeries({ labels, samples, histograms = [], exemplars = [] }: Series): Buffer {
  const parts = encodeLabels(labels);
  for (const [timeMs, value] of samples) parts.push(field(2, encodeSample(timeMs, value)));
  for (const exemplar of exemplars) parts.push(field(3, encodeExemplar(exemplar)));
  for (const [timeMs, histogram] of histograms) parts.push(field(4, encodeHistogramMessage(histogram, timeMs)));
  return Buffer.concat(parts);
}

function encodeLabels(labels: readonly string[]): Buffer[] {
  const parts: Buffer[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    parts.push(field(1, Buffer.concat([field(1, Buffer.from(labels[i]!)), field(2, Buffer.from(labels[i + 1]!))])));
  }
  return parts;
}

function encodeExemplar({ labels, timeMs, value }: WireExemplar): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (2 << 3) | 1;
  bytes.writeDoubleLE(value, 1);
  return Buffer.concat([...encodeLabels(labels), bytes, Buffer.from([3 << 3]), Buffer.from(varint(timeMs))]);
}

function encodeSample(timeMs: number, value: number | bigint): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (1 << 3) | 1;
  if (typeof value === 'bigint') bytes.writeBigUInt64LE(value, 1);
  else bytes.writeDoubleLE(value, 1);
  return Buffer.concat([bytes, Buffer.from([2 << 3]), Buffer.from(varint(timeMs))]);
}

function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);
}

/** Of a whole number below 2^53, or of a negative one as the 64-bit two's complement. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}
