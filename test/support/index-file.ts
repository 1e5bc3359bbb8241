// Reads the series out of a block's index the plain way, all of it at once: the model of the index reader.

export interface IndexedChunk {
  readonly mint: number;
  readonly maxt: number;
  /** Segment × 2^32 + offset. */
  readonly ref: number;
}

export interface IndexedSeries {
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly chunks: readonly IndexedChunk[];
}

const TOC_BYTES = 52;

export function seriesOf(index: Uint8Array): IndexedSeries[] {
  const view = new DataView(index.buffer, index.byteOffset, index.length);
  const toc = index.length - TOC_BYTES;
  const section = (i: number) => Number(view.getBigUint64(toc + i * 8));
  const symbols = symbolsOf(index, section(0));
  const all: IndexedSeries[] = [];
  const end = section(2);
  let at = section(1);
  const uvarint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = index[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const varint = () => {
    const value = uvarint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  };
  while (at < end) {
    at = Math.ceil(at / 16) * 16;
    const length = uvarint();
    if (length === 0 || at >= end) break;
    const stop = at + length + 4;
    const labels = Array.from({ length: uvarint() }, () => [symbols[uvarint()]!, symbols[uvarint()]!] as const);
    const chunks: IndexedChunk[] = [];
    for (let left = uvarint(), ref = 0, before = 0; left > 0; left--) {
      const mint = chunks.length === 0 ? varint() : before + uvarint();
      const maxt = mint + uvarint();
      ref = chunks.length === 0 ? uvarint() : ref + varint();
      before = maxt;
      chunks.push({ mint, maxt, ref });
    }
    all.push({ labels, chunks });
    at = stop;
  }
  return all;
}

function symbolsOf(index: Uint8Array, from: number): string[] {
  const view = new DataView(index.buffer, index.byteOffset, index.length);
  const utf8 = new TextDecoder();
  let at = from + 8;
  return Array.from({ length: view.getUint32(from + 4) }, () => {
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = index[at++]!;
      length += (byte & 127) * scale;
      if (byte < 128) break;
    }
    at += length;
    return utf8.decode(index.subarray(at - length, at));
  });
}
