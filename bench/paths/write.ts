// Remote write in a closed loop: a fixed amount of samples, as fast as the server acknowledges them.

import { type Group, less, more, QUIET_CONFIG } from '../bench.js';
import { CONNECTIONS, SAMPLES_PER_REQUEST } from '../options.js';
import { millions, verify, write } from './load.js';

export const writeGroup: Group = {
  paths: ['write'],
  run: async (context, server, _wanted, done) => {
    const { fleet, steps } = context.options.sizes.write;
    const peer = await server.start(QUIET_CONFIG);
    try {
      const written = await write(context, peer, { fleet, steps });
      const checks = await verify(peer, written.spec);
      const { peakBytes } = await peer.meter.memory();
      done({
        path: 'write',
        title:
          `remote write: ${millions(written.samples)} samples of ${fleet.series.toLocaleString('en')} series, ` +
          `${SAMPLES_PER_REQUEST.toLocaleString('en')} a request, ${CONNECTIONS} connections`,
        server: peer.name,
        version: peer.version,
        measures: [
          more('rate', 'samples acknowledged', '/s', written.samples / written.seconds),
          less('cpu', 'CPU per million samples', 's', written.cpuSeconds / (written.samples / 1e6)),
          less('p50', 'request, median', 'ms', written.p50Ms),
          less('p99', 'request, 99th percentile', 'ms', written.p99Ms),
          less('peak', 'most memory', 'B', peakBytes),
        ],
        checks,
        failure: undefined,
      });
    } finally {
      await peer.close();
    }
  },
};
