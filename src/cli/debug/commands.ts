// The commands of `narthex debug`: what a server says about itself, as one archive.
//
//   pprof     profiles of a Go server; Narthex has none, and says so
//   metrics   its metrics
//   all       both; of a server without profiles, what its status pages say

import { gunzipSync } from 'node:zlib';
import { HttpError } from '../../base/http.js';
import { type ArchivedFile, tarGz } from '../../base/tar.js';
import { type Command, command, SaidFailure, ToolError, type ToolWorld } from '../tool/command.js';
import { ToolServer } from '../tool/server.js';

interface Page {
  readonly path: string;
  readonly file: string;
}

const PROFILE_PATH = '/debug/pprof/';

const PROFILES: readonly Page[] = [
  { path: `${PROFILE_PATH}profile?seconds=30`, file: 'cpu.pb' },
  ...['block', 'goroutine', 'heap', 'mutex', 'threadcreate'].map((name) => {
    return { path: `${PROFILE_PATH}${name}`, file: `${name}.pb` };
  }),
  { path: `${PROFILE_PATH}trace?seconds=30`, file: 'trace.pb' },
];

const METRICS: readonly Page[] = [{ path: '/metrics', file: 'metrics.txt' }];

const STATUS: readonly Page[] = ['buildinfo', 'config', 'flags', 'recovery', 'runtimeinfo', 'tsdb'].map((name) => {
  return { path: `/api/v1/status/${name}`, file: `${name}.json` };
});

const ARCHIVE = 'debug.tar.gz';
/** Profiles are of half a minute. */
const TIMEOUT_MS = 120_000;

export const debugCommands: readonly Command[] = [
  collecting('pprof', 'Collect the profiles of a Go server.', needProfiles),
  collecting('metrics', 'Collect the metrics of a server.', async () => METRICS),
  collecting('all', 'Collect all that a server says about itself.', async (server) => {
    return [...((await hasProfiles(server)) ? PROFILES : STATUS), ...METRICS];
  }),
];

function collecting(name: string, help: string, pagesOf: (server: ToolServer) => Promise<readonly Page[]>): Command {
  return command({
    path: ['debug', name],
    help: `${help} They are written to ${ARCHIVE}.`,
    flags: {},
    words: ['<server>'],
    run: async (world, { words }) => {
      const server = new ToolServer(world, words[0]!, { httpConfigFile: '' });
      try {
        await collect(world, server, await pagesOf(server));
      } catch (error) {
        if (!(error instanceof HttpError || error instanceof ToolError)) throw error;
        world.warn(`error completing debug command: ${error.message}`);
        throw new SaidFailure('nothing was collected');
      } finally {
        server.close();
      }
    },
  });
}

async function collect({ out, disk, clock }: ToolWorld, server: ToolServer, pages: readonly Page[]): Promise<void> {
  const files: ArchivedFile[] = [];
  for (const { path, file } of pages) {
    out.line(`collecting: ${server.url}${path}`);
    out.flush();
    files.push({ name: file, bytes: plain(await ask(server, path)) });
  }
  disk.writeFileAtomic(ARCHIVE, tarGz(files, clock.nowMs()));
  out.line(`Compiling debug information complete, all files written in ${JSON.stringify(ARCHIVE)}.`);
}

async function ask(server: ToolServer, path: string): Promise<Uint8Array> {
  try {
    return (await server.ask({ path, timeoutMs: TIMEOUT_MS })).body;
  } catch (error) {
    if (error instanceof HttpError) throw new ToolError(`error executing HTTP request: ${error.message}`);
    throw error;
  }
}

/** Profiles come as gzip. */
function plain(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

async function needProfiles(server: ToolServer): Promise<readonly Page[]> {
  if (await hasProfiles(server)) return PROFILES;
  throw new ToolError(`${server.url} has no profiles: it is no Go program`);
}

async function hasProfiles(server: ToolServer): Promise<boolean> {
  return (await server.ask({ path: `${PROFILE_PATH}cmdline`, timeoutMs: TIMEOUT_MS })).status === 200;
}
