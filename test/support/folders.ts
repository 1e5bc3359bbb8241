// Folders of tests.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

// Later than whatever a test file does behind its tests: servers that are stopped there still have their data.
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder, which goes away with the process. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-test-'));
  folders.push(folder);
  return folder;
}
