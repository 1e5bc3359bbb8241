// Real servers from Debian packages: unpacked below $PEERS_DIR/servers (see .ci/servers), or installed.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(process.env.PEERS_DIR ?? join(tmpdir(), 'peers'), 'servers');

/** Folders of unpacked packages and of this machine that exist, of some that Debian has: `usr/share/java`. */
export function debianFolders(path: string): string[] {
  return [join(root, path), join('/', path)].filter(existsSync);
}

/** Where a program is; undefined where it is not. */
export function debianProgram(name: string): string | undefined {
  const folders = ['usr/sbin', 'usr/bin'].flatMap(debianFolders);
  const jvms = debianFolders('usr/lib/jvm').flatMap((folder) =>
    readdirSync(folder).map((jvm) => join(folder, jvm, 'bin')),
  );
  return [...folders, ...jvms].map((folder) => join(folder, name)).find(existsSync);
}

/** What to say when a test is skipped for want of a server. */
export function noServer(name: string): string {
  return `SKIPPED: no ${name} below $PEERS_DIR/servers or installed, so no real one was asked`;
}

export interface Running {
  readonly pid: number;
  /** What it has said so far. */
  log(): string;
  signal(signal: NodeJS.Signals): void;
  /** Kills it, where it still runs, and waits for its end. */
  kill(): Promise<void>;
}

/** Starts a server; it ends with this process at the latest. */
export function startProgram(path: string, args: readonly string[]): Running {
  const libraries = path.startsWith(root) ? { LD_LIBRARY_PATH: libraryPath() } : {};
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...libraries } });
  const said = heard(child);
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned);
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => {
      process.off('exit', orphaned);
      resolve();
    });
  });
  return {
    pid: child.pid!,
    log: () => said.join(''),
    signal: (signal) => void child.kill(signal),
    kill: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

function heard({ stdout, stderr }: ChildProcess): string[] {
  const said: string[] = [];
  for (const stream of [stdout, stderr]) stream?.on('data', (bytes: Buffer) => said.push(bytes.toString()));
  return said;
}

/** Libraries that came with what was unpacked, by architecture. */
function libraryPath(): string {
  return ['usr/lib', 'lib']
    .map((path) => join(root, path))
    .filter(existsSync)
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('-linux-gnu'))
        .map((name) => join(folder, name)),
    )
    .join(':');
}
