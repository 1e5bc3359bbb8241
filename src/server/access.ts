// Access by the web configuration file, put together: its settings, logins, and what we tell of both.

import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import type { Flags } from '../cli/flags.js';
import { ConfigError } from '../config/error.js';
import type { Logger } from '../telemetry/log.js';
import type { Registry } from '../telemetry/metrics.js';
import { controlAccess } from '../web/access/access.js';
import { Logins } from '../web/access/logins.js';
import { ThreadPasswords } from '../web/access/passwords.js';
import { WebSettingsFile } from '../web/access/settings.js';
import type { DoorHandler, DoorTls } from '../web/door.js';

export interface WebAccess {
  /** Where TLS is asked for. */
  readonly tls: (() => DoorTls) | undefined;
  /** The same handler, for those who may come in. */
  guard(handler: DoorHandler): DoorHandler;
  close(): Promise<void>;
}

interface AccessParts {
  readonly flags: Flags;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Logger;
}

/** undefined where no file is given. Throws an Error where it is bad. */
export function openAccess({ flags, disk, clock, log }: AccessParts, registry: Registry): WebAccess | undefined {
  if (flags.webConfigFile === '') return undefined;
  const file = openFile(disk, clock, log, flags.webConfigFile);
  const passwords = new ThreadPasswords();
  const logins = new Logins(passwords, clock);
  registry.collect(
    'narthex_web_config_last_reload_successful',
    'Whether what the web configuration file says now is in use.',
    { type: 'gauge' },
    () => (file.isGood ? 1 : 0),
  );
  const outcomes = registry.counters(
    'narthex_web_logins_total',
    'Requests where somebody has to log in, by how that ended.',
    'outcome',
  );
  const { tls } = file.current;
  if (tls !== undefined) log.info('TLS is enabled.', { http2: false });
  return {
    tls: tls === undefined ? undefined : () => file.current.tls!,
    guard: (handler) =>
      controlAccess(handler, {
        settings: () => file.current,
        logins,
        clock,
        onLogin: (outcome) => outcomes.with(outcome).value++,
      }),
    close: () => passwords.close(),
  };
}

function openFile(disk: Disk, clock: Clock, log: Logger, path: string): WebSettingsFile {
  try {
    return new WebSettingsFile(disk, clock, log, path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new Error(`the web configuration file ${path}: ${error.message}`, { cause: error });
  }
}
