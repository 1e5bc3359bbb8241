// Targets that the configuration itself names.

import type { StaticConfig } from '../config/discovery.js';
import { labelsOf } from '../model/labels.js';
import type { TargetGroup } from './group.js';

export function staticGroupsOf(configs: readonly StaticConfig[]): TargetGroup[] {
  return configs.map(({ targets, labels }) => ({
    targets: targets.map((address) => labelsOf([['__address__', address]])),
    labels,
  }));
}
