// CRC-32C (Castagnoli), as the log, blocks and chunk files of Prometheus use it.
//
// Slicing by 16: sixteen tables of 256 entries, so that one step folds sixteen
// bytes with independent loads.
//
//   table[0][b]   the checksum's change by byte b
//   table[k][b]   the same, k zero bytes later
//
// Measured, MB/s in 200 B / 4 KB / 32 KB pieces: by 8: 1505 / 1512 / 1570, by 16:
// 2427 / 2928 / 3001, by 8 over three interleaved streams: 1496 / 2588 / 3168. Loads are
// the limit, so streams buy 5 % on the longest fragments and cost a third on short ones.

/** The Castagnoli polynomial, bits reversed. */
const POLYNOMIAL: u32 = 0x82f63b78;
const TABLE_BYTES: usize = 256 * sizeof<u32>();

const tables: usize = memory.data(16 * 256 * 4, 16);
let ready: bool = false;

/** The checksum of `length` bytes at `at` that follow bytes with the checksum `before` (0: none). */
export function update(before: u32, at: usize, length: usize): u32 {
  if (!ready) fillTables();
  let crc = ~before;
  const end = at + length;
  for (; at + 16 <= end; at += 16) crc = fold(load<u64>(at) ^ <u64>crc, load<u64>(at, 8));
  for (; at < end; at++) crc = (crc >>> 8) ^ entry(0, (crc ^ <u32>load<u8>(at)) & 255);
  return ~crc;
}

/** Sixteen bytes, the checksum so far already in the first four. Called in one place, so that it is inlined. */
function fold(first: u64, second: u64): u32 {
  const a = <u32>first;
  const b = <u32>(first >>> 32);
  const c = <u32>second;
  const d = <u32>(second >>> 32);
  return (
    entry(15, a & 255) ^
    entry(14, (a >>> 8) & 255) ^
    entry(13, (a >>> 16) & 255) ^
    entry(12, a >>> 24) ^
    (entry(11, b & 255) ^ entry(10, (b >>> 8) & 255) ^ entry(9, (b >>> 16) & 255) ^ entry(8, b >>> 24)) ^
    (entry(7, c & 255) ^ entry(6, (c >>> 8) & 255) ^ entry(5, (c >>> 16) & 255) ^ entry(4, c >>> 24)) ^
    (entry(3, d & 255) ^ entry(2, (d >>> 8) & 255) ^ entry(1, (d >>> 16) & 255) ^ entry(0, d >>> 24))
  );
}

function entry(table: usize, byte: u32): u32 {
  return load<u32>(tables + table * TABLE_BYTES + ((<usize>byte) << 2));
}

function fillTables(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (POLYNOMIAL & (0 - (crc & 1)));
    store<u32>(tables + ((<usize>byte) << 2), crc);
  }
  for (let table: usize = 1; table < 16; table++) {
    for (let byte: u32 = 0; byte < 256; byte++) {
      const before = entry(table - 1, byte);
      store<u32>(tables + table * TABLE_BYTES + ((<usize>byte) << 2), (before >>> 8) ^ entry(0, before & 255));
    }
  }
  ready = true;
}
