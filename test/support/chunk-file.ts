// Reads the chunks out of a Prometheus chunk segment file: 8 bytes of header, then per chunk
// uvarint length, one byte of encoding, data, four bytes of CRC.

export const ENCODING_XOR = 1;

export function chunksOf(file: Uint8Array): { encoding: number; data: Uint8Array }[] {
  const chunks: { encoding: number; data: Uint8Array }[] = [];
  let at = 8;
  while (at < file.length) {
    let length = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = file[at++]!;
      length |= (byte & 127) << shift;
      shift += 7;
    } while (byte >= 128);
    chunks.push({ encoding: file[at]!, data: file.subarray(at + 1, at + 1 + length) });
    at += 1 + length + 4;
  }
  return chunks;
}

/** A chunk at an offset of a segment file. */
export function chunkAt(file: Uint8Array, offset: number): { encoding: number; data: Uint8Array } {
  let at = offset;
  let length = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = file[at++]!;
    length += (byte & 127) * scale;
    if (byte < 128) break;
  }
  return { encoding: file[at]!, data: file.subarray(at + 1, at + 1 + length) };
}

/** The chunks of a file of `chunks_head/`: 8 bytes of header, then ref, first and last time, encoding, length, data and CRC; zeroes behind. */
export function headChunksOf(file: Uint8Array): { encoding: number; data: Uint8Array; mint: number; maxt: number }[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const chunks: { encoding: number; data: Uint8Array; mint: number; maxt: number }[] = [];
  for (let at = 8; at + 25 < file.length && view.getBigUint64(at) !== 0n; ) {
    const { encoding, data } = headChunkAt(file, at + 24);
    chunks.push({ encoding, data, mint: Number(view.getBigInt64(at + 8)), maxt: Number(view.getBigInt64(at + 16)) });
    at = data.byteOffset - file.byteOffset + data.length + 4;
  }
  return chunks;
}

function headChunkAt(file: Uint8Array, at: number): { encoding: number; data: Uint8Array } {
  let from = at + 1;
  let length = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = file[from++]!;
    length += (byte & 127) * scale;
    if (byte < 128) break;
  }
  return { encoding: file[at]! & 0x7f, data: file.subarray(from, from + length) };
}
