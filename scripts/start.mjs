// `npm start`: installs and builds what is stale, then runs the server with the
// bundled config. Arguments after `--` go to the server.

import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from './install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
install();
const build = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);

const given = process.argv.slice(2);
const has = (flag) => given.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
const defaults = [
  ...(has('--config.file') ? [] : [`--config.file=${join(root, 'narthex.yml')}`]),
  ...(has('--storage.tsdb.path') ? [] : [`--storage.tsdb.path=${join(root, 'data')}`]),
];
const server = spawn(process.execPath, [join(root, 'dist/src/main.js'), ...defaults, ...given], {
  stdio: 'inherit',
  // glibc keeps memory of its own for each thread, and gives little of it back: docs/operating.md.
  env: { MALLOC_ARENA_MAX: '2', ...process.env },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => server.kill(signal));
server.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
