// What is kept of which series, and how finely: policies beside the retention of whole blocks. Pure.
//
//   policies:
//     - match: '{__name__=~"debug_.*"}'        the first that takes a series decides about it
//       retention: 7d                          then it goes
//     - match: ['{job="node"}', '{job="db"}']
//       downsample: [{after: 30d, resolution: 5m}, {after: 180d, resolution: 1h}]
//
// Ages count as those of retention do: from the end of the newest block to the end of the block that is looked at. A block
// is rewritten as a whole when all of it is old enough, and bears a mark of what was applied.

import type { Matcher } from '../../model/matcher.js';
import type { BlockMeta } from '../block/contract.js';

export interface DownsampleStage {
  readonly afterMs: number;
  readonly resolutionMs: number;
}

export interface Policy {
  /** As they were given, for people. */
  readonly name: string;
  /** Series that any of them takes. */
  readonly selectors: readonly (readonly Matcher[])[];
  /** 0: as long as their blocks. */
  readonly retentionMs: number;
  /** Rising, in age and in resolution. */
  readonly stages: readonly DownsampleStage[];
}

export interface Policies {
  readonly list: readonly Policy[];
  /** Another one where they say something else. */
  readonly fingerprint: string;
}

export const NO_POLICIES: Policies = { list: [], fingerprint: '' };

/** What becomes of a series. */
export type Treatment =
  | { readonly kind: 'keep' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'downsample'; readonly resolutionMs: number };

const KEEP: Treatment = { kind: 'keep' };

export function treatmentAt({ retentionMs, stages }: Policy, ageMs: number): Treatment {
  if (retentionMs > 0 && ageMs >= retentionMs) return { kind: 'drop' };
  const stage = stages.findLast(({ afterMs }) => ageMs >= afterMs);
  return stage === undefined ? KEEP : { kind: 'downsample', resolutionMs: stage.resolutionMs };
}

/** Says all that is to be done with a block of an age; empty where that is nothing. */
export function dueMark({ list, fingerprint }: Policies, ageMs: number): string {
  const due = list.map((policy) => treatmentAt(policy, ageMs));
  if (due.every(({ kind }) => kind === 'keep')) return '';
  const texts = due.map((one) => (one.kind === 'downsample' ? String(one.resolutionMs) : one.kind));
  return `${fingerprint} ${texts.join(' ')}`;
}

/** Where the newest block ends: ages count from there. */
export function newestEndMs(blocks: readonly BlockMeta[]): number {
  return blocks.reduce((end, { maxTimeMs }) => Math.max(end, maxTimeMs), Number.NEGATIVE_INFINITY);
}

/** The oldest block that policies have something to do with; `markOf` says what was applied to one last. */
export function planPolicies(
  blocks: readonly BlockMeta[],
  policies: Policies,
  markOf: (ulid: string) => string,
): BlockMeta | undefined {
  const endMs = newestEndMs(blocks);
  return [...blocks]
    .sort((a, b) => a.minTimeMs - b.minTimeMs)
    .find(({ ulid, maxTimeMs, compaction }) => {
      const due = dueMark(policies, endMs - maxTimeMs);
      return due !== '' && !compaction.failed && due !== markOf(ulid);
    });
}
