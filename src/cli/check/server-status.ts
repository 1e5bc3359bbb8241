// `narthex check healthy` and `narthex check ready`: whether a server is there, and whether it answers questions.

import { textFlag } from '../flag.js';
import { command, ToolError } from '../tool/command.js';
import { httpConfigFile, ToolServer } from '../tool/server.js';
import { checkFlags } from './check-flags.js';

const TIMEOUT_MS = 10_000;

export const healthy = checking('healthy', 'Check whether a server is healthy.');
export const ready = checking('ready', 'Check whether a server is ready.');

function checking(what: 'healthy' | 'ready', help: string) {
  return command({
    path: ['check', what],
    help,
    flags: {
      ...checkFlags,
      httpConfigFile,
      url: textFlag('url', 'http://localhost:9090', 'The server.'),
    },
    words: [],
    run: async (world, { values: { url, httpConfigFile: file } }) => {
      const server = new ToolServer(world, url, { httpConfigFile: file });
      try {
        const { status, body } = await server.ask({ path: `/-/${what}`, timeoutMs: TIMEOUT_MS });
        if (status !== 200) throw new ToolError(`check failed: URL=${server.url}, status=${status}`);
        world.warn(`  SUCCESS:  ${new TextDecoder().decode(body)}`);
      } finally {
        server.close();
      }
    },
  });
}
