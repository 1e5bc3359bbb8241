// How long samples are kept: what the configuration says, all of it, or else the flags, or else 15 days.

import type { Flags } from '../cli/flags.js';
import type { StorageConfig } from '../config/storage.js';
import { formatBytes } from '../config/values.js';
import { formatDuration, parseDuration } from '../model/duration.js';
import type { Retention } from '../tsdb/compact/retention.js';

const DEFAULT_MS = 15 * 86_400_000;

export function retentionOf(
  config: StorageConfig | undefined,
  flags: Pick<Flags, 'storageRetentionMs' | 'storageRetentionBytes'>,
): Retention {
  const given = config?.tsdb?.retention;
  if (given !== undefined) {
    const timeMs = given.time === '' ? 0 : parseDuration(given.time);
    return { timeMs, bytes: given.sizeBytes, percentage: given.percentage };
  }
  const { storageRetentionMs: timeMs, storageRetentionBytes: bytes } = flags;
  return { timeMs: timeMs === 0 && bytes === 0 ? DEFAULT_MS : timeMs, bytes, percentage: 0 };
}

/** As Prometheus's runtime information has it: `15d or 512MB`. */
export function retentionText({ timeMs, bytes }: Retention): string {
  return [timeMs > 0 ? formatDuration(timeMs) : '', bytes > 0 ? formatBytes(bytes) : ''].filter(Boolean).join(' or ');
}
