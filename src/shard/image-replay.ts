// The image of the head in the middle of a replay: samples of segments that it has are passed over, and where the log goes on behind
// them the series, which are known by then, are given what the image has of them.
//
//   checkpoint   segments … 41 │ 42 …
//   series, exemplars, …       │ all
//                              └ the image has the samples before this
//
// An image that does not say what it should, or has no room, is as good as none: the samples are read after all. So is one of a log that
// is damaged before `segment`: it may have samples that the log has lost, and would not have for long, since the next checkpoint is behind it.

import { type Disk, DiskError, folderOf } from '../base/disk.js';
import { HeadImage } from '../tsdb/head-image/reader.js';
import { drain, type LogVisitor, readingSegments } from '../tsdb/wal/reader.js';
import { logSources } from '../tsdb/wal/sources.js';
import type { Core } from '../wasm/core.js';
import type { Head } from '../wasm/head.js';

export interface ImageRequest {
  readonly disk: Disk;
  readonly core: Core;
  readonly head: Head;
  /** The log's folder. */
  readonly folder: string;
  readonly path: string;
  readonly minTimeMs: number;
  /** The last segment that the checkpoint replaces: an image from before it lacks samples of it. */
  readonly checkpoint: number;
  /** An image that takes more of memory than this is left alone: what is read from the log can be spilled in between. */
  readonly bytesMax: number;
}

export class ImageReplay {
  readonly #request: ImageRequest;
  readonly #image: HeadImage;
  #isSpoilt = false;

  private constructor(request: ImageRequest, image: HeadImage) {
    this.#request = request;
    this.#image = image;
  }

  /** undefined where there is no image of this log, or none that is of use. */
  static open(request: ImageRequest): ImageReplay | undefined {
    const { disk, path, core, checkpoint, bytesMax } = request;
    const isWanted = (image: HeadImage) => image.segment > checkpoint && image.bytes <= bytesMax;
    const image = HeadImage.open(disk, path, core, isWanted);
    return image && new ImageReplay(request, image);
  }

  /** The log is damaged in front of where the image is taken: it is not to be used, now or later. */
  spoil(): void {
    if (this.#isSpoilt) return;
    this.#isSpoilt = true;
    removeImage(this.#request.disk, this.#request.path);
  }

  /** Whether samples of a segment are in the image, so that they may be passed over. */
  covers(segment: number): boolean {
    return segment < this.#image.segment;
  }

  /**
   * Once: gives the series what the image has, and says which segment is the first that it does not cover; undefined where that does
   * not work, and `samples` heard of what was passed over.
   */
  take(samples: LogVisitor): number | undefined {
    if (this.#isSpoilt) this.#image.close();
    else if (this.#give()) return this.#image.segment;
    this.#readAgain(samples);
    return undefined;
  }

  #give(): boolean {
    const { head, minTimeMs } = this.#request;
    try {
      const pages = this.#image.pages();
      let page = pages.next();
      for (; !page.done; page = pages.next()) {
        const { address, length } = page.value;
        if (!head.replayImage(address, length, minTimeMs)) return false;
      }
      return page.value === 'whole';
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      return false;
    } finally {
      this.#image.close();
    }
  }

  #readAgain(samples: LogVisitor): void {
    const { disk, core, folder } = this.#request;
    for (const source of logSources(disk, folder, core).sources) {
      const to = source.folder === folder ? this.#image.segment - 1 : undefined;
      drain(readingSegments({ disk, core, tornTail: false, ...source, to }, samples));
    }
  }
}

/** Durably: before the log is mended, after which nobody knows any more that it was damaged. */
export function removeImage(disk: Disk, path: string): void {
  try {
    if (disk.stat(path) === undefined) return;
    disk.remove(path);
    disk.syncFolder(folderOf(path));
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  }
}
