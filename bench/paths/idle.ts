// A server with nothing to do.

import { type Group, less, pause, QUIET_CONFIG } from '../bench.js';

const START_MS = 10_000;
const WATCH_MS = 10_000;

export const idleGroup: Group = {
  paths: ['idle'],
  run: async ({ progress }, server, _wanted, done) => {
    const peer = await server.start(QUIET_CONFIG);
    try {
      progress.task(`${peer.name}: idle`);
      await pause(START_MS);
      const before = await peer.meter.cpuSeconds();
      await pause(WATCH_MS);
      const cpuSeconds = (await peer.meter.cpuSeconds()) - before;
      done({
        path: 'idle',
        title: 'idle: an empty server that scrapes nothing',
        server: peer.name,
        version: peer.version,
        measures: [
          less('rss', 'memory', 'B', (await peer.meter.memory()).rssBytes),
          less('cpu', 'of one core', '%', (100_000 * cpuSeconds) / WATCH_MS),
        ],
        checks: [],
        failure: undefined,
      });
    } finally {
      await peer.close();
    }
  },
};
