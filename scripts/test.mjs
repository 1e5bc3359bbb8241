// `npm test`: installs, builds, checks and runs every test, the unit tests on both cores.
//
//   npm test                     everything
//   npm test -- chunk            tests whose path contains "chunk", on the debug core
//   npm test -- chunk --core release

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from './install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
const coreAt = args.indexOf('--core');
const core = coreAt >= 0 ? args.splice(coreAt, 2)[1] : undefined;
const filters = args.filter((arg) => !arg.startsWith('--'));

install();
run('build', ['scripts/build.mjs']);
if (filters.length === 0) {
  run('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
  run('tidy', ['dist/scripts/tidy.js']);
}

let passed = 0;
let failed = 0;
const suites =
  filters.length > 0
    ? [[core ?? 'debug', 'test']]
    : [
        ['debug', 'test/unit'],
        ['release', 'test'],
      ];
for (const [which, folder] of suites) {
  const files = tests(folder).filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
  if (files.length === 0) continue;
  console.log(`test: ${files.length} files on the ${which} core`);
  const result = spawnSync(
    process.execPath,
    ['--no-warnings', '--test', '--test-concurrency=2', '--test-reporter=spec', ...files],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...process.env, NARTHEX_CORE: which, FORCE_COLOR: '0' },
    },
  );
  const summary = (key) => Number(new RegExp(`^ℹ ${key} (\\d+)$`, 'm').exec(result.stdout)?.[1] ?? 0);
  passed += summary('pass');
  failed += summary('fail') + summary('cancelled');
  const brief = result.stdout.split('\n').filter((line) => /^\s*✖|skip|SKIP/.test(line));
  process.stdout.write(result.status === 0 && filters.length === 0 ? `${brief.join('\n')}\n` : result.stdout);
  process.stderr.write(result.stderr);
  if (result.status !== 0 && failed === 0) failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

function run(name, command) {
  const result = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (result.status === 0) return;
  console.error(`${name} failed`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

/** Compiled tests below a folder; a compiled file whose source has gone is removed. */
function tests(folder) {
  const found = [];
  const walk = (path) => {
    if (!existsSync(join(root, 'dist', path))) return;
    for (const name of readdirSync(join(root, 'dist', path)).sort()) {
      const inner = join(path, name);
      if (statSync(join(root, 'dist', inner)).isDirectory()) walk(inner);
      else if (name.endsWith('.test.js')) {
        if (existsSync(join(root, inner.replace(/\.js$/, '.ts')))) found.push(join('dist', inner));
        else rmSync(join(root, 'dist', inner));
      }
    }
  };
  walk(folder);
  return found;
}
