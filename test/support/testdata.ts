// Files under test/testdata, wherever the compiled test runs.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

function root(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

/** The path of a file or folder below test/testdata. */
export function testdata(path: string): string {
  return fileURLToPath(new URL(`../../../test/testdata/${path}`, import.meta.url));
}

/** The public conformance cases: $CONFORMANCE_DIR, by default beside the project. They are not part of it. */
export function conformance(path: string): string {
  return resolve(process.env.CONFORMANCE_DIR ?? root('../shared/conformance'), path);
}

/** A reason to skip, where the conformance cases are not on this machine. */
export function conformanceMissing(): string | false {
  return existsSync(conformance('.')) ? false : `SKIPPED: no conformance cases at ${conformance('.')}`;
}

/** Whether there are conformance cases; says loudly when not. */
export function hasConformance(): boolean {
  const missing = conformanceMissing();
  if (missing !== false) console.log(missing);
  return missing === false;
}

export function readConformance(path: string): string {
  return readFileSync(conformance(path), 'utf8');
}

export function readTestdata(path: string): string {
  return readFileSync(testdata(path), 'utf8');
}
