// Builds what is stale: the WASM core and its small modules, each twice, then the TypeScript. Plain JavaScript,
// because it runs before anything is compiled.
//
//   node scripts/build.mjs [--quiet] [--clean]
//
// With --clean nothing is left of sources that are gone, for packages.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const quiet = process.argv.includes('--quiet');

/** The newest change below the given files and folders, in ms. */
function newest(...paths) {
  let latest = 0;
  for (const path of paths) {
    const full = join(root, path);
    if (!existsSync(full)) continue;
    const stat = statSync(full);
    if (!stat.isDirectory()) {
      latest = Math.max(latest, stat.mtimeMs);
      continue;
    }
    for (const name of readdirSync(full)) latest = Math.max(latest, newest(join(path, name)));
  }
  return latest;
}

/** Runs a step unless its stamp is newer than all its inputs. */
function step(name, inputs, command, args) {
  const stamp = join(root, 'build', `${name}.stamp`);
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= newest(...inputs)) return;
  if (!quiet) console.log(`build: ${name}`);
  const started = Date.now();
  const result = spawnSync(process.execPath, [join(root, 'node_modules', command), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
  // Dated from the start of the step, so that an edit made while it ran builds again.
  mkdirSync(join(root, 'build'), { recursive: true });
  writeFileSync(stamp, `${started}\n`);
}

if (process.argv.includes('--clean')) {
  for (const path of ['dist', 'build/tsbuildinfo', 'build/typescript.stamp']) {
    rmSync(join(root, path), { recursive: true, force: true });
  }
}

const asc = 'assemblyscript/bin/asc.js';
for (const [module, config] of [
  ['core', 'asconfig.json'],
  ['reader', 'asconfig.reader.json'],
  ['printer', 'asconfig.printer.json'],
]) {
  const inputs = ['assembly', config, 'package-lock.json'];
  step(`${module}.debug`, inputs, asc, ['--config', config, '--target', 'debug']);
  step(module, inputs, asc, ['--config', config, '--target', 'release']);
}
step(
  'typescript',
  [
    'src',
    'test',
    'bench',
    'scripts',
    'assembly/layout.ts',
    'tsconfig.json',
    'build/core.d.ts',
    'build/reader.d.ts',
    'build/printer.d.ts',
    'package-lock.json',
  ],
  'typescript/bin/tsc',
  [],
);
