// What policies were applied to a block: `narthex.json` in its folder, which Prometheus passes over.

import { type Disk, DiskError } from '../../base/disk.js';

const MARK_NAME = 'narthex.json';

/** Empty where nothing was. What cannot be read counts as nothing: it is applied once more. */
export function readMark(disk: Disk, blockPath: string): string {
  const path = `${blockPath}/${MARK_NAME}`;
  try {
    if (disk.stat(path) === undefined) return '';
    const { policies } = JSON.parse(new TextDecoder().decode(disk.readFile(path))) as { policies?: unknown };
    return typeof policies === 'string' ? policies : '';
  } catch (error) {
    if (error instanceof DiskError || error instanceof SyntaxError) return '';
    throw error;
  }
}

export function writeMark(disk: Disk, blockPath: string, policies: string): void {
  disk.writeFileAtomic(`${blockPath}/${MARK_NAME}`, new TextEncoder().encode(`${JSON.stringify({ policies })}\n`));
}
