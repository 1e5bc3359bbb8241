// Prints any of our files, or a folder of them, as its format page draws it.
//
//   npm run inspect -- data/01M7Y0DYVRQYB5RRVPA5E1T2RB
//   npm run inspect -- data/01M7Y0DYVRQYB5RRVPA5E1T2RB/index
//   npm run inspect -- data/chunks_head data/chunks_head/000001
//   npm run inspect -- data/wal data/wal/checkpoint.00000002 data/narthex/log.manifest

import { realDisk } from '../src/base/disk.js';
import { inspect } from '../src/cli/inspect/inspect.js';
import { Core } from '../src/wasm/core.js';

const USAGE = 'npm run inspect -- <folder or file> …';

const paths = process.argv.slice(2);
try {
  if (paths.length === 0) throw new Error(USAGE);
  const core = new Core();
  for (const path of paths) for (const line of inspect(realDisk, path, core)) console.log(line);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
