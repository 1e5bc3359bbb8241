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
