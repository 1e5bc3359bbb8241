// Discovery as this server has it: on the real network, with the real clock.

import type { Clock } from '../base/clock.js';
import { type Disk, watchFolder } from '../base/disk.js';
import { dnsResolver } from '../base/dns.js';
import { Prng, secretBytes } from '../base/prng.js';
import type { TargetGroup } from '../discovery/group.js';
import { DiscoveryManager } from '../discovery/manager.js';
import { DiscoveryMetrics } from '../discovery/metrics.js';
import type { SessionTools } from '../discovery/session.js';
import type { Logger } from '../telemetry/log.js';
import type { Registry } from '../telemetry/metrics.js';

export interface DiscoveryParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly version: string;
}

/** What all discovery of the server shares. */
export function discoveryTools({ disk, clock, version }: DiscoveryParts, registry: Registry): SessionTools {
  return {
    clock,
    disk,
    watchFolder,
    resolver: dnsResolver(),
    prng: new Prng(Buffer.from(secretBytes(4)).readUInt32LE()),
    metrics: new DiscoveryMetrics(registry),
    userAgent: `Narthex/${version}`,
  };
}

/** Of scrape jobs, or of Alertmanagers. Nothing is asked before jobs are applied. */
export function startDiscovery(
  name: 'scrape' | 'notify',
  { log, tools }: { readonly log: Logger; readonly tools: SessionTools },
  onTargets: (job: string, groups: readonly TargetGroup[]) => void,
): DiscoveryManager {
  return new DiscoveryManager({ name, log, onTargets, tools });
}
