// Files that say which scrapes failed, and why: scrape_failure_log_file of the configuration.
//
//   {"time":"2026-11-21T08:00:00.000Z","level":"ERROR","source":"failure-log","msg":"Get \"http://…\": …",
//    "job_name":"node","target":"http://…"}
//
// A line for each failure to get a page, as Prometheus writes it: what is wrong with a page that came is not among them.
// Lines of one turn of the event loop are one write. Files are opened anew at each reload, so they may be moved away.

import { type Clock, soon } from '../base/clock.js';
import type { Disk, FileHandle } from '../base/disk.js';
import type { Logger } from '../telemetry/log.js';

export interface ScrapeFault {
  readonly job: string;
  readonly target: string;
  readonly error: string;
}

/** A disk that does not take them costs lines, not memory. */
const WAITING_LINES_MAX = 10_000;

export class FailureLogs {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #files = new Map<string, LogFile>();
  #isFlushing = false;

  constructor(disk: Disk, clock: Clock, log: Logger) {
    this.#disk = disk;
    this.#clock = clock;
    this.#log = log;
  }

  /** Opens the files of the configuration, and closes those that it named before. */
  open(paths: ReadonlySet<string>): void {
    this.close();
    for (const path of paths) {
      try {
        this.#files.set(path, { handle: openEnd(this.#disk, path), lines: [] });
      } catch (error) {
        this.#log.error('Opening the scrape failure log failed', { file: path, err: error as Error });
      }
    }
  }

  /** Nothing happens where the file is not open. */
  note(path: string, { job, target, error }: ScrapeFault): void {
    const file = this.#files.get(path);
    if (file === undefined || file.lines.length >= WAITING_LINES_MAX) return;
    const time = new Date(this.#clock.nowMs()).toISOString();
    const fields = { time, level: 'ERROR', source: 'failure-log', msg: error, job_name: job, target };
    file.lines.push(`${JSON.stringify(fields)}\n`);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    soon(() => this.#flush());
  }

  close(): void {
    this.#flush();
    for (const { handle } of this.#files.values()) this.#disk.close(handle);
    this.#files.clear();
  }

  #flush(): void {
    this.#isFlushing = false;
    for (const [path, { handle, lines }] of this.#files) {
      if (lines.length === 0) continue;
      try {
        // Somebody may have cut it meanwhile.
        this.#disk.pwrite(handle, Buffer.from(lines.join('')), this.#disk.size(handle));
      } catch (error) {
        this.#log.warn('Writing the scrape failure log failed', { file: path, err: error as Error });
      }
      lines.length = 0;
    }
  }
}

interface LogFile {
  readonly handle: FileHandle;
  readonly lines: string[];
}

function openEnd(disk: Disk, path: string): FileHandle {
  return disk.open(path, disk.stat(path) === undefined ? 'create' : 'write');
}
