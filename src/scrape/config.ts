// From scrape sections of the configuration to what a manager takes.

import { DISCOVERY_KINDS, discoveriesOf } from '../config/discovery.js';
import { fingerprintOf } from '../config/fingerprint.js';
import { httpOptionsOf } from '../config/http-options.js';
import type { ScrapeConfig } from '../config/scrape.js';
import type { DiscoveryJob } from '../discovery/manager.js';
import { staticGroupsOf } from '../discovery/static.js';
import type { ScrapeJobEntry } from './job.js';

/** Where targets come from is no reason to start their loops anew: they arrive one by one all the same. */
const DISCOVERY_KEYS: ReadonlySet<string> = new Set([
  'staticConfigs',
  ...DISCOVERY_KINDS.map((kind) => `${kind}SdConfigs`),
]);

export function jobEntryOf(job: ScrapeConfig): ScrapeJobEntry {
  return { job, http: httpOptionsOf(job), fingerprint: fingerprintOf(job, DISCOVERY_KEYS) };
}

/** Where a job's targets come from. */
export function discoveryJobOf(job: ScrapeConfig): DiscoveryJob {
  return { name: job.jobName, staticGroups: staticGroupsOf(job.staticConfigs), sections: discoveriesOf(job) };
}
