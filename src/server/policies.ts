// What becomes of series when blocks are made anew: what the file of policies and the configuration say.

import type { Disk } from '../base/disk.js';
import { ConfigError } from '../config/error.js';
import type { StorageConfig } from '../config/storage.js';
import { NO_POLICIES, type Policies } from '../tsdb/downsample/policies.js';
import { policiesOf } from '../tsdb/downsample/read-policies.js';
import type { RewriteSettings } from '../tsdb/downsample/series-rewriter.js';

export function rewriteSettings(config: StorageConfig | undefined, policies: Policies): RewriteSettings {
  // Without the option chunks stay as they are, those of another server too.
  return { policies, floats: (config?.tsdb?.chunkEncoding?.floats as 'xor' | 'xor2' | undefined) ?? 'same' };
}

/** None without a file. Throws ConfigError. */
export function loadPolicies(disk: Disk, path: string): Policies {
  if (path === '') return NO_POLICIES;
  if (disk.stat(path) === undefined) throw new ConfigError(`open ${path}: no such file or directory`);
  return policiesOf(new TextDecoder().decode(disk.readFile(path)), path);
}
