// The web configuration file at work: read at the start, and again when it or a file it names has changed.

import type { Clock } from '../../base/clock.js';
import { type Disk, DiskError, folderOf } from '../../base/disk.js';
import { ConfigError } from '../../config/error.js';
import { readText } from '../../config/load.js';
import { costOf, parseWebConfig, type RateLimit } from '../../config/web-config.js';
import type { Logger } from '../../telemetry/log.js';
import type { DoorTls, Header } from '../door.js';
import type { Users } from './logins.js';
import { readTls, tlsFiles } from './tls.js';

export interface WebSettings {
  readonly tls: DoorTls | undefined;
  /** For every answer. */
  readonly headers: readonly Header[];
  /** Nobody has to say who he is where it is empty. */
  readonly users: Users;
  readonly rateLimit: RateLimit;
  /** Of all files that were read, the file itself first. */
  readonly files: readonly string[];
}

/** Reads the file and all that it names; throws ConfigError. */
export function readWebSettings(disk: Disk, path: string): WebSettings {
  const config = parseWebConfig(readText(disk, path), folderOf(path));
  return {
    tls: readTls(config.tls, disk),
    headers: [...config.http.headers],
    users: config.users,
    rateLimit: config.rateLimit,
    files: [path, ...tlsFiles(config.tls)],
  };
}

/** Files are not looked at more often. */
const LOOK_MS = 1000;
/** A hash of a higher cost keeps the thread that compares for a second and more. */
const COST_MAX = 13;

export class WebSettingsFile {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #path: string;
  #current: WebSettings;
  /** Of the files, when they were read. */
  #stamps: string;
  #lookedMs: number;
  /** Whether what the files say now is in use. */
  isGood = true;

  /** Throws ConfigError. */
  constructor(disk: Disk, clock: Clock, log: Logger, path: string) {
    this.#disk = disk;
    this.#clock = clock;
    this.#log = log;
    this.#path = path;
    this.#current = readWebSettings(disk, path);
    this.#stamps = this.#stampsNow();
    this.#lookedMs = clock.monotonicMs();
    this.#warn();
  }

  /** The same object until something has changed. */
  get current(): WebSettings {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lookedMs >= LOOK_MS) {
      this.#lookedMs = nowMs;
      this.#look();
    }
    return this.#current;
  }

  /** Settings that are not good leave those that were. */
  #look(): void {
    const stamps = this.#stampsNow();
    if (stamps === this.#stamps) return;
    this.#stamps = stamps;
    try {
      const settings = readWebSettings(this.#disk, this.#path);
      if ((settings.tls === undefined) !== (this.#current.tls === undefined)) {
        throw new ConfigError('TLS is turned on and off by a restart only');
      }
      this.#current = settings;
      this.#stamps = this.#stampsNow();
      this.isGood = true;
      this.#log.info('Loaded the web configuration file again', { file: this.#path });
      this.#warn();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.isGood = false;
      this.#log.error('The web configuration file is bad, what it said before stays', { file: this.#path, err: error });
    }
  }

  #warn(): void {
    for (const [user, hash] of this.#current.users) {
      const cost = costOf(hash);
      if (cost > COST_MAX) this.#log.warn('Logins of this user take seconds', { user, bcrypt_cost: cost });
    }
  }

  #stampsNow(): string {
    return this.#current.files.map((path) => stampOf(this.#disk, path)).join('\n');
  }
}

/** Changes when the file does. */
function stampOf(disk: Disk, path: string): string {
  try {
    const stat = disk.stat(path);
    return stat === undefined ? 'gone' : `${stat.modifiedMs} ${stat.size}`;
  } catch (error) {
    if (error instanceof DiskError) return error.code;
    throw error;
  }
}
