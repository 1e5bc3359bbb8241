// A server that runs already: any that speaks Prometheus's HTTP API, given by its URL.

import { metricsMeter } from '../measure.js';
import type { Peer } from './peer.js';

export function remotePeer(name: string, url: string): Peer {
  const base = url.replace(/\/+$/, '');
  return {
    name,
    url: base,
    version: 'at a URL',
    writePath: `${new URL(base).pathname.replace(/\/$/, '')}/api/v1/write`,
    meter: metricsMeter(base),
    process: undefined,
    settle: () => new Promise((resolve) => setTimeout(resolve, 5000)),
    close: async () => {},
  };
}
