// The commands of `narthex check`: they look at files without a server, and say of each whether it would do, in the words
// of `promtool check`.

import type { Disk } from '../../base/disk.js';
import { ConfigError } from '../../config/error.js';
import { readWebSettings } from '../../web/access/settings.js';
import { type Command, command, SaidFailure, type ToolWorld } from '../tsdb/command.js';

const webConfig = command({
  path: ['web-config'],
  help: 'Check whether web configuration files are good: TLS, users, headers, rate limit.',
  flags: {},
  words: ['<web-config-files>...'],
  run: (world, { words }) => checkFiles(world, words, (disk, path) => void readWebSettings(disk, path)),
});

/** Goes on behind a bad file; throws SaidFailure at the end where there was one. */
function checkFiles(
  { disk, out, warn }: ToolWorld,
  paths: readonly string[],
  check: (disk: Disk, path: string) => void,
): void {
  let failures = 0;
  for (const path of paths) {
    try {
      check(disk, path);
      out.line(`${path} SUCCESS`);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      warn(`${path} FAILED: ${error.message}`);
      failures++;
    }
  }
  if (failures > 0) throw new SaidFailure(`${failures} of the files are bad`);
}

export const checkCommands: readonly Command[] = [webConfig];
