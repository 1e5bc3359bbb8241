// Reading an image of the head: all of it is checked before any of it is used.

import { type Disk, DiskError, type FileHandle } from '../../base/disk.js';
import { CoreBuffer } from '../../wasm/buffer.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import {
  IMAGE_HEADER_BYTES,
  IMAGE_MAGIC,
  IMAGE_PAGE_BYTES_MAX,
  IMAGE_PAGE_HEADER_BYTES,
  IMAGE_VERSION,
} from './layout.js';

/** Records in the core's memory: lent until the next is asked for. */
export interface ImageRecords {
  readonly address: number;
  readonly length: number;
}

export class HeadImage {
  /** It has all samples of the log's segments before this one. */
  readonly segment: number;
  readonly bytes: number;
  readonly #disk: Disk;
  readonly #file: FileHandle;
  readonly #crc: Crc32c;
  readonly #page: CoreBuffer;
  readonly #core: Core;

  private constructor(disk: Disk, file: FileHandle, core: Core, segment: number) {
    this.#disk = disk;
    this.#file = file;
    this.#core = core;
    this.#crc = new Crc32c(core);
    this.#page = new CoreBuffer(core);
    this.segment = segment;
    this.bytes = disk.size(file);
  }

  /** undefined where there is none that is wanted, whole and sound. */
  static open(
    disk: Disk,
    path: string,
    core: Core,
    isWanted: (image: HeadImage) => boolean = () => true,
  ): HeadImage | undefined {
    let file: FileHandle | undefined;
    let image: HeadImage | undefined;
    try {
      if (disk.stat(path) === undefined) return undefined;
      file = disk.open(path, 'read');
      const segment = segmentOf(disk, file, new Crc32c(core));
      if (segment !== undefined) image = new HeadImage(disk, file, core, segment);
      if (image !== undefined && isWanted(image) && image.isSound()) return image;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
    }
    if (image !== undefined) image.close();
    else if (file !== undefined) disk.close(file);
    return undefined;
  }

  /** Reads and checks every page. Throws DiskError. */
  isSound(): boolean {
    const pages = this.pages();
    let page = pages.next();
    while (!page.done) page = pages.next();
    return page.value === 'whole';
  }

  /** The pages one after the other; says at last whether they all were as they were written. Throws DiskError. */
  *pages(): Generator<ImageRecords, 'whole' | 'damaged', void> {
    const head = new Uint8Array(IMAGE_PAGE_HEADER_BYTES);
    const view = new DataView(head.buffer);
    let offset = IMAGE_HEADER_BYTES;
    for (let pages = 0; ; pages++) {
      if (this.#disk.pread(this.#file, head, offset) < head.length) return 'damaged';
      const [length, said] = [view.getUint32(0, true), view.getUint32(4, true)];
      if (length === 0) return said === pages ? 'whole' : 'damaged';
      if (length > IMAGE_PAGE_BYTES_MAX || !this.#page.reserve(length, 0)) return 'damaged';
      const { address } = this.#page;
      const read = this.#disk.pread(this.#file, this.#core.u8(address, length), offset + IMAGE_PAGE_HEADER_BYTES);
      if (read < length || this.#crc.at(address, length) !== said) return 'damaged';
      yield { address, length };
      offset += IMAGE_PAGE_HEADER_BYTES + length;
    }
  }

  close(): void {
    this.#page.release();
    this.#disk.close(this.#file);
  }
}

function segmentOf(disk: Disk, file: FileHandle, crc: Crc32c): number | undefined {
  const bytes = new Uint8Array(IMAGE_HEADER_BYTES);
  if (disk.pread(file, bytes, 0) < bytes.length) return undefined;
  const view = new DataView(bytes.buffer);
  const isOurs = view.getUint32(0, true) === IMAGE_MAGIC && view.getUint32(4, true) === IMAGE_VERSION;
  return isOurs && crc.of(bytes.subarray(0, 16)) === view.getUint32(16, true) ? view.getFloat64(8, true) : undefined;
}
