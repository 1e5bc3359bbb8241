// From the alerting section of the configuration to what a notifier and its discovery take.

import type { AlertingConfig, AlertmanagerConfig } from '../config/alerting.js';
import { discoveriesOf } from '../config/discovery.js';
import { fingerprintOf } from '../config/fingerprint.js';
import { httpOptionsOf } from '../config/http-options.js';
import type { DiscoveryJob } from '../discovery/manager.js';
import { staticGroupsOf } from '../discovery/static.js';
import type { Labels } from '../model/labels.js';
import type { AlertmanagerEntry } from './alertmanager-set.js';
import type { NotifierConfig } from './notifier.js';

export function notifierConfigOf(alerting: AlertingConfig, externalLabels: Labels): NotifierConfig {
  return {
    externalLabels,
    alertRelabelConfigs: alerting.alertRelabelConfigs,
    alertmanagers: alerting.alertmanagers.map(entryOf),
  };
}

/** Where the Alertmanagers of each section come from. */
export function notifierJobsOf({ alertmanagers }: AlertingConfig): DiscoveryJob[] {
  return alertmanagers.map((section, index) => ({
    name: nameOf(index),
    staticGroups: staticGroupsOf(section.staticConfigs),
    sections: discoveriesOf(section),
  }));
}

function entryOf(section: AlertmanagerConfig, index: number): AlertmanagerEntry {
  const http = section.sigv4 === undefined ? httpOptionsOf(section) : { refusal: 'sigv4 is not supported yet' };
  return { name: nameOf(index), section, http, fingerprint: fingerprintOf(section) };
}

/** Sections have no names: Prometheus counts them, and so do its metrics. */
function nameOf(index: number): string {
  return `config-${index}`;
}
