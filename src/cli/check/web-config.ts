// `narthex check web-config`: whether web configuration files would be taken.

import { ConfigError } from '../../config/error.js';
import { readWebSettings } from '../../web/access/settings.js';
import { command, SaidFailure } from '../tool/command.js';
import { checkFlags } from './check-flags.js';

export const webConfig = command({
  path: ['check', 'web-config'],
  help: 'Check whether web configuration files are good: TLS, users, headers, rate limit.',
  flags: checkFlags,
  words: ['<web-config-files>...'],
  files: (words) => words,
  run: (world, { words }) => {
    let failures = 0;
    for (const path of words) {
      try {
        readWebSettings(world.disk, path);
        world.warn(`${path} SUCCESS`);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        world.warn(`${path} FAILED: ${error.message}`);
        failures++;
      }
    }
    if (failures > 0) throw new SaidFailure(`${failures} of the files are bad`);
  },
});
