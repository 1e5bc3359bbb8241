// Prints a block or one of its files, as the format page draws it.
//
//   npm run inspect -- data/01M7Y0DYVRQYB5RRVPA5E1T2RB
//   npm run inspect -- data/01M7Y0DYVRQYB5RRVPA5E1T2RB/index

import { realDisk } from '../src/base/disk.js';
import { inspect } from '../src/cli/inspect/inspect.js';
import { Core } from '../src/wasm/core.js';
import { Crc32c } from '../src/wasm/crc32c.js';

const USAGE = 'npm run inspect -- <folder or file of a block> …';

const paths = process.argv.slice(2);
try {
  if (paths.length === 0) throw new Error(USAGE);
  const crc = new Crc32c(new Core());
  for (const path of paths) for (const line of inspect(realDisk, path, crc)) console.log(line);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
