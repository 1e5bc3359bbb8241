// Archives of a few files in memory: tar (ustar), and with gzip.
//
//   ┌────────────────────┬────────────────────────┬─ … ─┬────────────┐
//   │ header, 512 bytes  │ content, to 512 bytes  │     │ 1024 zeros │
//   └────────────────────┴────────────────────────┴─ … ─┴────────────┘

import { gzipSync } from 'node:zlib';

export interface ArchivedFile {
  /** ASCII, of up to 100 characters. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
/** Numbers in octal digits, each field with its place and length. */
const MODE = [100, 8] as const;
const SIZE = [124, 12] as const;
const MODIFIED = [136, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE_AT = 156;
const MAGIC_AT = 257;

/** A `.tar.gz`, all files of one time, in milliseconds. */
export function tarGz(files: readonly ArchivedFile[], modifiedMs: number): Uint8Array {
  const parts = files.flatMap(({ name, bytes }) => {
    const padding = new Uint8Array((BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES);
    return [headerOf(name, bytes.length, modifiedMs), bytes, padding];
  });
  return gzipSync(Buffer.concat([...parts, new Uint8Array(2 * BLOCK_BYTES)]));
}

function headerOf(name: string, size: number, modifiedMs: number): Uint8Array {
  if (name.length > NAME_BYTES) throw new Error(`a name of ${name.length} characters does not fit into tar`);
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = ([at, length]: readonly [number, number], value: number) => {
    header.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
  };
  header.write(name, 0, 'latin1');
  octal(MODE, 0o644);
  octal([108, 8], 0);
  octal([116, 8], 0);
  octal(SIZE, size);
  octal(MODIFIED, Math.floor(modifiedMs / 1000));
  header.write('0', TYPE_AT, 'latin1');
  header.write('ustar\u000000', MAGIC_AT, 'latin1');
  // The sum is made with blanks in its own place.
  header.fill(' ', CHECKSUM[0], CHECKSUM[0] + CHECKSUM[1]);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, CHECKSUM[0], 'latin1');
  return header;
}
