// A new file, written from its start to its end in large pieces.
//
// Bytes gather in linear memory, where a checksum over them costs least. A stretch between beginChecksum() and
// checksum() may be longer than the buffer: what leaves it is counted first.

import type { Disk, FileHandle } from '../../base/disk.js';
import { CoreBuffer } from '../../wasm/buffer.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';

const BUFFER_BYTES = 1024 * 1024;

export class FileSink {
  readonly #disk: Disk;
  readonly #file: FileHandle;
  readonly #crc: Crc32c;
  readonly #buffer: CoreBuffer;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #open = true;
  #filled = 0;
  #written = 0;
  /** Checksum of the stretch as far as it has left the buffer, and where the rest begins. */
  #sum = 0;
  #sumFrom = 0;

  /** Makes the file, which must not be there. Throws a DiskError, or a RangeError where the core has no memory. */
  constructor(disk: Disk, core: Core, path: string) {
    this.#disk = disk;
    this.#crc = new Crc32c(core);
    this.#buffer = new CoreBuffer(core);
    if (!this.#buffer.reserve(BUFFER_BYTES, 0)) throw new RangeError('no memory in the core to write a file');
    // Memory is shared: these stay valid when it grows.
    this.#bytes = core.u8(this.#buffer.address, BUFFER_BYTES);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, BUFFER_BYTES);
    try {
      this.#file = disk.open(path, 'create');
    } catch (error) {
      this.#buffer.release();
      throw error;
    }
  }

  /** Bytes given so far: where the next one comes to lie. */
  get length(): number {
    return this.#written + this.#filled;
  }

  /** Copies. */
  bytes(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      if (this.#filled === BUFFER_BYTES) this.#flush();
      const count = Math.min(bytes.length - from, BUFFER_BYTES - this.#filled);
      const whole = count === bytes.length;
      this.#bytes.set(whole ? bytes : bytes.subarray(from, from + count), this.#filled);
      this.#filled += count;
      from += count;
    }
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#filled++] = value;
  }

  /** Big-endian, as all fixed numbers in a block. */
  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#filled, value);
    this.#filled += 4;
  }

  u32s(values: Uint32Array): void {
    for (const value of values) this.u32(value);
  }

  u64(value: number): void {
    this.u32(Math.floor(value / 2 ** 32));
    this.u32(value % 2 ** 32);
  }

  /** Zeroes, up to a multiple of `alignment`. */
  pad(alignment: number): void {
    while (this.length % alignment !== 0) this.u8(0);
  }

  beginChecksum(): void {
    this.#sum = 0;
    this.#sumFrom = this.#filled;
  }

  /** Appends the CRC-32C of all since beginChecksum(). */
  checksum(): void {
    this.#takeSum();
    this.u32(this.#sum);
  }

  /** Overwrites four bytes that were written. */
  patchU32(offset: number, value: number): void {
    this.#flush();
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value);
    this.#disk.pwrite(this.#file, bytes, offset);
  }

  /** Writes the rest and syncs: the content is durable, the name not yet. */
  finish(): void {
    this.#flush();
    this.#disk.fdatasync(this.#file);
    this.close();
  }

  /** Leaves the file as it is. Again is no matter: a descriptor is gone even where closing it fails. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#buffer.release();
    this.#disk.close(this.#file);
  }

  #room(count: number): void {
    if (this.#filled + count > BUFFER_BYTES) this.#flush();
  }

  #takeSum(): void {
    const address = this.#buffer.address + this.#sumFrom;
    this.#sum = this.#crc.at(address, this.#filled - this.#sumFrom, this.#sum);
    this.#sumFrom = this.#filled;
  }

  #flush(): void {
    this.#takeSum();
    this.#disk.pwrite(this.#file, this.#bytes.subarray(0, this.#filled), this.#written);
    this.#written += this.#filled;
    this.#filled = 0;
    this.#sumFrom = 0;
  }
}
