// Remote write 2.0 by hand (io.prometheus.write.v2.Request): strings in a table, numbers everywhere else.

import { bytesField, fixed64Field, varint, varintField } from './write-request.js';

export interface SeriesV2 {
  /** Names and values by turns, or numbers in the table of strings, whether they are there or not. */
  readonly labels: readonly (string | number)[];
  readonly samples?: readonly (readonly [timeMs: number, value: number])[];
  /** Messages; see histogram-message.ts. */
  readonly histograms?: readonly Uint8Array[];
  readonly exemplars?: readonly {
    readonly labels: readonly (string | number)[];
    readonly timeMs: number;
    readonly value: number;
  }[];
  readonly metadata?: { readonly type: number; readonly help: string; readonly unit: string };
  readonly createdMs?: number;
}

export const V2 = 'io.prometheus.write.v2.Request';

/** Not yet compressed. */
export function encodeWriteV2(all: readonly SeriesV2[]): Buffer {
  const symbols = new Map<string, number>([['', 0]]);
  const ref = (text: string | number): number => {
    if (typeof text === 'number') return text;
    const known = symbols.get(text) ?? symbols.size;
    symbols.set(text, known);
    return known;
  };
  const refs = (labels: readonly (string | number)[]) =>
    bytesField(1, Buffer.concat(labels.map((text) => varint(ref(text)))));
  const series = all.map(({ labels, samples = [], histograms = [], exemplars = [], metadata, createdMs }) => {
    const parts = [refs(labels)];
    for (const [timeMs, value] of samples) {
      parts.push(bytesField(2, Buffer.concat([fixed64Field(1, bitsOf(value)), varintField(2, timeMs)])));
    }
    for (const histogram of histograms) parts.push(bytesField(3, histogram));
    for (const one of exemplars) {
      const rest = [fixed64Field(2, bitsOf(one.value)), varintField(3, one.timeMs)];
      parts.push(bytesField(4, Buffer.concat([refs(one.labels), ...rest])));
    }
    if (metadata !== undefined) {
      const { type, help, unit } = metadata;
      const fields = [varintField(1, type), varintField(3, ref(help)), varintField(4, ref(unit))];
      parts.push(bytesField(5, Buffer.concat(fields)));
    }
    if (createdMs !== undefined) parts.push(varintField(6, createdMs));
    return bytesField(5, Buffer.concat(parts));
  });
  return Buffer.concat([...Array.from(symbols.keys(), (text) => bytesField(4, text)), ...series]);
}

function bitsOf(value: number): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes.readBigUInt64LE();
}
