// The real Prometheus, started on an empty folder for a comparison.
//
// NARTHEX_PROMETHEUS names its binary; where it is not set, `prometheus` of the
// PATH is tried.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The binary; undefined where there is none. */
export function findPrometheus(): string | undefined {
  const binary = process.env.NARTHEX_PROMETHEUS ?? 'prometheus';
  return spawnSync(binary, ['--version'], { stdio: 'ignore' }).status === 0 ? binary : undefined;
}

export interface RunningPrometheus {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startPrometheus(binary: string, config: string, flags: string[]): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-prometheus-'));
  const configFile = join(folder, 'prometheus.yml');
  writeFileSync(configFile, config);
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const data = join(folder, 'data');
  const args = [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=${address}`,
    ...flags,
  ];
  const child = spawn(binary, args, { stdio: 'ignore' });
  const url = `http://${address}`;
  await ready(url, child);
  return {
    url,
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    const reply = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (reply?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Prometheus did not become ready at ${url}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
