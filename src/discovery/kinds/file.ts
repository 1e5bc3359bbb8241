// file_sd: lists of targets in files, JSON or YAML by their names.
//
// Files are read when something changes in their folders, and every interval in case nobody said so. A file that
// cannot be read keeps its groups; a file that is gone has none. Source of a group: `<path>:<index>`.

import { dirname } from 'node:path';
import { DiskError, type FolderWatch } from '../../base/disk.js';
import type { SectionOf } from '../../config/discovery-keys.js';
import { expandGlob } from '../../config/load.js';
import { mergeLabels } from '../../model/labels.js';
import type { SourcedGroup } from '../group.js';
import type { Session } from '../session.js';
import { parseTargetFile } from '../target-list.js';

/** A file that is being written changes several times: it is read when that long nothing changed any more. */
const SETTLE_MS = 100;

export async function discoverFiles(section: SectionOf<'file'>, session: Session): Promise<void> {
  const files = new TargetFiles(section.files, session);
  const folders = new FolderWatches(section.files, session);
  session.onEnd(() => {
    folders.close();
    files.close();
  });
  while (!session.hasEnded) {
    folders.open();
    const startMs = session.clock.monotonicMs();
    session.replace(files.read());
    session.metrics.fileScanSeconds.observe((session.clock.monotonicMs() - startMs) / 1000);
    if (await folders.changed(section.refreshIntervalMs)) await session.pause(SETTLE_MS);
  }
}

/** What the files say, and said when they could be read. */
class TargetFiles {
  readonly #globs: readonly string[];
  readonly #session: Session;
  #groups = new Map<string, readonly SourcedGroup[]>();

  constructor(globs: readonly string[], session: Session) {
    this.#globs = globs;
    this.#session = session;
  }

  read(): SourcedGroup[] {
    const { disk, metrics } = this.#session;
    const before = this.#groups;
    this.#groups = new Map();
    for (const path of new Set(this.#globs.flatMap((glob) => this.#expanded(glob)))) {
      const groups = this.#readFile(path) ?? before.get(path);
      before.delete(path);
      if (groups !== undefined) this.#groups.set(path, groups);
      const modifiedMs = disk.stat(path)?.modifiedMs;
      if (modifiedMs !== undefined) metrics.fileModifiedSeconds.with(path).value = modifiedMs / 1000;
    }
    for (const path of before.keys()) metrics.fileModifiedSeconds.remove(path);
    return [...this.#groups.values()].flat();
  }

  close(): void {
    for (const path of this.#groups.keys()) this.#session.metrics.fileModifiedSeconds.remove(path);
  }

  #expanded(glob: string): string[] {
    try {
      return expandGlob(this.#session.disk, glob);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#session.log.error('Error expanding glob', { glob, err: error });
      return [];
    }
  }

  /** undefined where the file cannot be read now. */
  #readFile(path: string): SourcedGroup[] | undefined {
    try {
      const groups = parseTargetFile(path, this.#session.disk.readFile(path));
      return groups.map(({ targets, labels }, index) => ({
        source: `${path}:${index}`,
        targets,
        labels: mergeLabels(labels, ['__meta_filepath', path]),
      }));
    } catch (error) {
      this.#session.metrics.fileReadErrors.value++;
      this.#session.log.error('Error reading file', { path, err: error as Error });
      return undefined;
    }
  }
}

/** Watches over the folders that the files are in. */
class FolderWatches {
  readonly #session: Session;
  readonly #folders: ReadonlySet<string>;
  readonly #watches = new Map<string, FolderWatch>();
  #hasChanged = false;
  #wake: (() => void) | undefined;

  constructor(globs: readonly string[], session: Session) {
    this.#session = session;
    this.#folders = new Set(globs.map((glob) => dirname(glob)));
  }

  /** Watches what can be watched and is not yet: folders may come late. */
  open(): void {
    for (const folder of this.#folders) {
      if (this.#watches.has(folder)) continue;
      try {
        this.#watches.set(
          folder,
          this.#session.watchFolder(folder, (name) => this.#onChange(folder, name)),
        );
      } catch (error) {
        this.#session.metrics.fileWatcherErrors.value++;
        this.#session.log.debug('Folder cannot be watched; its files are read every interval', { err: error as Error });
      }
    }
  }

  /** Waits for a change, `ms` at the most, and says whether there was one. */
  async changed(ms: number): Promise<boolean> {
    if (!this.#hasChanged) {
      const changed = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([changed, this.#session.pause(ms)]);
    }
    const hasChanged = this.#hasChanged;
    this.#hasChanged = false;
    this.#wake = undefined;
    return hasChanged;
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
    this.#wake?.();
  }

  #onChange(folder: string, name: string): void {
    // The folder itself may be another one by now.
    if (name === '' || this.#session.disk.stat(folder) === undefined) {
      this.#watches.get(folder)?.close();
      this.#watches.delete(folder);
    }
    this.#hasChanged = true;
    this.#wake?.();
  }
}
