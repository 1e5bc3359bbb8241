// Discovery as this server has it: on the real network, with the real clock.

import type { Clock } from '../base/clock.js';
import { type Disk, watchFolder } from '../base/disk.js';
import { dnsResolver } from '../base/dns.js';
import { Prng, secretBytes } from '../base/prng.js';
import type { TargetGroup } from '../discovery/group.js';
import { DiscoveryManager } from '../discovery/manager.js';
import { DiscoveryMetrics } from '../discovery/metrics.js';
import type { Logger } from '../telemetry/log.js';
import type { Registry } from '../telemetry/metrics.js';

export interface DiscoveryParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
}

/** Nothing is asked before jobs are applied. */
export function startDiscovery(
  { disk, clock, log, version }: DiscoveryParts,
  registry: Registry,
  onTargets: (job: string, groups: readonly TargetGroup[]) => void,
): DiscoveryManager {
  return new DiscoveryManager({
    name: 'scrape',
    log,
    onTargets,
    tools: {
      clock,
      disk,
      watchFolder,
      resolver: dnsResolver(),
      prng: new Prng(Buffer.from(secretBytes(4)).readUInt32LE()),
      metrics: new DiscoveryMetrics(registry),
      userAgent: `Narthex/${version}`,
    },
  });
}
