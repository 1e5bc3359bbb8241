// Files under test/testdata, wherever the compiled test runs.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path of a file or folder below test/testdata. */
export function testdata(path: string): string {
  return fileURLToPath(new URL(`../../../test/testdata/${path}`, import.meta.url));
}

export function readTestdata(path: string): string {
  return readFileSync(testdata(path), 'utf8');
}
