// What becomes of series when blocks are made anew: what the file of policies and the configuration say.

import type { Disk } from '../base/disk.js';
import { ConfigError } from '../config/error.js';
import { parsePolicyFile } from '../config/policy-file.js';
import type { StorageConfig } from '../config/storage.js';
import { NO_POLICIES, type Policies } from '../tsdb/downsample/policies.js';
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

/** Throws ConfigError. */
export function policiesOf(text: string, path: string): Policies {
  try {
    const list = parsePolicyFile(text);
    return { list, fingerprint: fingerprintOf(JSON.stringify(list)) };
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${path}: ${error.message}`);
    throw error;
  }
}

/** FNV-1a over UTF-16, twice with different starts: whether the policies are the same ones, nothing more. */
function fingerprintOf(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193) >>> 0;
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b) >>> 0;
  }
  return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0');
}
