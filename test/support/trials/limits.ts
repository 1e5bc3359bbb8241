// Limits that a system sets besides the size of a disk: names that a file system has no room for, the size of a file, the number
// of open files. The process lives, queries are answered, writes are taken or refused in order and go on when they can, and
// nothing that was acknowledged is lost.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Sender } from '../sender.js';
import { eventually, instant, type Server, sleep, startNarthex } from '../servers.js';
import type { Volume } from './volume.js';

const SENDERS = 2;
const SERIES = 2000;
const BESET_MS = 4000;
/** Writes go on so soon when nothing is in their way any more. */
const RESUME_MS = 5000;
/** The smallest segments of the log: they are full after some seconds. */
const FLAGS = ['--web.enable-remote-write-receiver', '--shards=2', '--storage.tsdb.wal-segment-size=10MB'];
const FILE_KIB = 6 * 1024;
const DESCRIPTORS = 256;
const IDLE_CONNECTIONS = 400;

export interface LimitReport {
  readonly acknowledged: number;
  readonly refused: number;
}

/** No name is free on the volume, then some are. */
export function outOfNames(volume: Volume): Promise<LimitReport> {
  const waste = join(volume.path, 'waste');
  mkdirSync(waste);
  return beset(join(volume.path, 'data'), {
    trouble: async (load) => {
      fillNames(waste);
      await eventually(async () => {
        // A segment of the log that is there already, and the next, still have room.
        fillNames(waste);
        assert.ok(
          load.every(({ refused }) => refused > 0),
          'never refused',
        );
      }, 120_000);
    },
    relief: async () => rmSync(waste, { recursive: true, force: true }),
  });
}

/** No file may be larger than some MiB: less than a segment of the log. */
export async function smallFiles(data: string): Promise<LimitReport> {
  const report = await beset(data, { limits: `ulimit -f ${FILE_KIB}`, trouble: () => sleep(BESET_MS) });
  const sizes = readdirSync(join(data, 'wal')).map((name) => statSync(join(data, 'wal', name)).size);
  assert.ok(Math.max(...sizes) <= FILE_KIB * 1024, `${sizes}`);
  return report;
}

/** Fewer files may be open than clients connect. */
export async function fewDescriptors(data: string): Promise<LimitReport> {
  const idle: Socket[] = [];
  return beset(data, {
    limits: `ulimit -n ${DESCRIPTORS}`,
    flags: ['--web.max-connections=100000'],
    trouble: async (_load, { url }) => {
      const { hostname, port } = new URL(url);
      for (let i = 0; i < IDLE_CONNECTIONS; i++) {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => {});
        idle.push(socket);
      }
      await sleep(BESET_MS);
    },
    relief: async () => {
      for (const socket of idle) socket.destroy();
    },
  });
}

interface Siege {
  /** What the shell says before it starts the server. */
  readonly limits?: string;
  readonly flags?: readonly string[];
  readonly trouble: (load: readonly Sender[], server: Server) => Promise<void>;
  readonly relief?: () => Promise<void>;
}

async function beset(data: string, { limits, flags = [], trouble, relief }: Siege): Promise<LimitReport> {
  const nextMs = (beforeMs: number) => Math.max(beforeMs + 5, Date.now());
  const load = Array.from({ length: SENDERS }, (_, id) => new Sender({ id, series: SERIES, lifeBatches: 50, nextMs }));
  let server = await startNarthex({ data, flags: [...FLAGS, ...flags], ...(limits !== undefined && { limits }) });
  try {
    const runs = Promise.all(load.map((sender) => sender.run(server.url)));
    await eventually(async () => assert.ok(load.every(({ acknowledged }) => acknowledged.length > 10)), 30_000);
    await trouble(load, server);
    await relief?.();
    const before = load.map(({ acknowledged }) => acknowledged.length);
    await eventually(async () => {
      for (const [i, { acknowledged }] of load.entries()) assert.ok(acknowledged.length > before[i]!, 'still refused');
    }, RESUME_MS * 4);
    for (const sender of load) sender.stopped = true;
    await runs;
    assert.equal((await fetch(`${server.url}/-/ready`)).status, 200);
    assert.equal((await instant(server.url, 'count by (sender) (last_over_time(batch[1h]))')).length, SENDERS);
    // What was refused may have come true: it is there or not, from the next start on.
    await server.end('SIGKILL');
    server = await startNarthex({ data, flags: FLAGS });
    for (const sender of load) await sender.check(server.url);
    return {
      acknowledged: load.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0) * SERIES,
      refused: load.reduce((sum, { refused }) => sum + refused, 0),
    };
  } finally {
    for (const sender of load) sender.stopped = true;
    await relief?.();
    await server.end('SIGKILL');
  }
}

/** Files without content, until no more can be made. */
function fillNames(folder: string): void {
  for (let i = readdirSync(folder).length; ; i++) {
    try {
      writeFileSync(join(folder, `${i}`), '');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}
