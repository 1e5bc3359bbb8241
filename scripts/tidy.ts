// `node dist/scripts/tidy.js`: what the compiler and the linter do not see. Prints
// nothing and exits well when all is fine; otherwise names each place and the better way.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkDoors } from './tidy/doors.js';
import { checkExports } from './tidy/exports.js';
import { checkRows } from './tidy/rows.js';
import type { Problem, SourceFile } from './tidy/source.js';
import { checkHeaders, checkIndexes, checkLeftovers, checkLinks } from './tidy/text.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SKIPPED = new Set(['node_modules', 'build', 'dist', 'data', 'testdata', '.git', 'results']);

/** Every file of the project that is ours, from its root. */
function readFiles(folder = ''): SourceFile[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (SKIPPED.has(entry.name)) return [];
    if (entry.isDirectory()) return readFiles(path);
    return /\.(?:ts|mjs|md)$/.test(entry.name) ? [{ path, text: readFileSync(join(root, path), 'utf8') }] : [];
  });
}

const files = readFiles();
const problems: Problem[] = [
  ...checkRows(files),
  ...checkDoors(files),
  ...checkHeaders(files),
  ...checkLeftovers(files),
  ...checkLinks(files, (path) => existsSync(join(root, path))),
  ...checkIndexes(files),
  ...checkExports(files),
];
for (const { path, line, message } of problems) process.stdout.write(`${path}:${line}: ${message}\n`);
process.exit(problems.length === 0 ? 0 : 1);
