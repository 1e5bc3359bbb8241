// A file system of its own for a data directory: small, or one whose power can be cut. Needs mount(8) and the right to use it.
//
//   tmpfs   as large as it is told
//   ext4    in a file, behind a loop device. What the file holds is what the disk holds: a cut copies the file as it is, which
//           what ext4 has in memory alone does not reach, and mounts the copy

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type FileSystem = 'tmpfs' | 'ext4';

export class Volume {
  /** Where it is mounted. */
  readonly path: string;
  readonly #kind: FileSystem;
  readonly #folder: string;
  readonly #options: string;
  #image: string;
  #images = 0;

  private constructor(kind: FileSystem, options: string) {
    this.#kind = kind;
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), 'narthex-volume-'));
    this.path = join(this.#folder, 'mounted');
    this.#image = join(this.#folder, 'image');
    mkdirSync(this.path);
  }

  /** Throws with what mount says where it is not allowed. `options` are those of mount. */
  static make(kind: FileSystem, megabytes: number, options = ''): Volume {
    const volume = new Volume(kind, options);
    try {
      if (kind === 'tmpfs')
        run('mount', '-t', 'tmpfs', '-o', [`size=${megabytes}m`, options].filter(Boolean).join(), 'tmpfs', volume.path);
      else {
        run('truncate', '-s', `${megabytes}M`, volume.#image);
        run('mkfs.ext4', '-q', '-F', volume.#image);
        volume.#mount();
      }
    } catch (error) {
      rmSync(volume.#folder, { recursive: true, force: true });
      throw error;
    }
    return volume;
  }

  /** Why there are none on this machine; undefined where there are. */
  static lack(kind: FileSystem): string | undefined {
    try {
      Volume.make(kind, 16).remove();
      return undefined;
    } catch (error) {
      return `SKIPPED: no ${kind} of our own: ${(error as Error).message}`;
    }
  }

  /** The power goes: what was not on the disk is lost. Nobody may have files open. */
  cutPower(): void {
    if (this.#kind !== 'ext4') throw new Error(`${this.#kind} has no power to cut`);
    const after = join(this.#folder, `image${++this.#images}`);
    copyFileSync(this.#image, after);
    run('umount', this.path);
    rmSync(this.#image);
    this.#image = after;
    this.#mount();
  }

  /** What goes wrong is not to be hidden by a server that still has files open: the name goes at once, the rest with it. */
  remove(): void {
    if (spawnSync('umount', [this.path]).status !== 0) spawnSync('umount', ['-l', this.path]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #mount(): void {
    const options = this.#options === '' ? 'loop' : `loop,${this.#options}`;
    run('mount', '-t', 'ext4', '-o', options, this.#image, this.path);
  }
}

function run(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr.trim()}`);
}
