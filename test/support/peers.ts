// The real servers that tests compare with, if they are on this machine: below $PEERS_DIR
// (by default `peers` in the folder for temporary files), one folder for each.

import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function peerBinary(name: string): string | undefined {
  const path = join(process.env.PEERS_DIR ?? join(tmpdir(), 'peers'), 'x', name, 'usr/bin', name);
  return existsSync(path) ? path : undefined;
}

/** What to say when a test is skipped for want of a peer. */
export function missing(name: string): string {
  return `SKIPPED: no ${name} below $PEERS_DIR, so nothing was compared with the real one`;
}
