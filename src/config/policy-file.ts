// The file of --storage.policies-file: what is kept of which series, and how finely.
//
//   policies:
//     - match: '{__name__=~"debug_.*"}'
//       retention: 7d
//     - match: ['{job="node"}', '{job="db"}']
//       downsample: [{after: 30d, resolution: 5m}, {after: 180d, resolution: 1h}]

import type { Matcher } from '../model/matcher.js';
import { compileMatcher, PatternError } from '../model/matcher.js';
import { ParseError } from '../promql/syntax/errors.js';
import { parseSelector } from '../promql/syntax/parse.js';
import { type Codec, list, string, type ValueOf } from './codec.js';
import { isSeq, YamlFile } from './document.js';
import { ConfigError } from './error.js';
import { field, struct } from './struct.js';
import { duration } from './values.js';

/** Windows of less are hardly smaller than their samples. */
const RESOLUTION_MS_MIN = 60_000;

const stage = struct('policies.Stage', {
  afterMs: field('after', duration, 0),
  resolutionMs: field('resolution', duration, 0),
});

/** One selector or several. */
const selectors: Codec<readonly string[]> = {
  ...list(string),
  decode: (node, file) => (isSeq(node) ? list(string).decode(node, file) : toList(string.decode(node, file))),
};

const policy = struct('policies.Policy', {
  match: field('match', selectors, []),
  retentionMs: field('retention', duration, 0),
  downsample: field('downsample', list(stage), []),
});

const policyFile = struct('policies.File', { policies: field('policies', list(policy), []) });

export interface StoragePolicy {
  readonly name: string;
  readonly selectors: readonly (readonly Matcher[])[];
  readonly retentionMs: number;
  readonly stages: readonly { readonly afterMs: number; readonly resolutionMs: number }[];
}

/** Throws a ConfigError with the first thing that is wrong. */
export function parsePolicyFile(text: string): readonly StoragePolicy[] {
  const file = new YamlFile(text);
  const parsed = file.root === null ? policyFile.defaults() : policyFile.decode(file.resolve(file.root), file);
  file.throwFaults();
  return parsed!.policies.map((one, i) => {
    try {
      return checked(one);
    } catch (error) {
      if (error instanceof ConfigError || error instanceof ParseError || error instanceof PatternError) {
        throw new ConfigError(`policy ${i + 1}: ${error.message}`);
      }
      throw error;
    }
  });
}

function checked({ match, retentionMs, downsample }: ValueOf<typeof policy>): StoragePolicy {
  if (match.length === 0) throw new ConfigError("'match' must have a selector");
  if (retentionMs === 0 && downsample.length === 0)
    throw new ConfigError("neither 'retention' nor 'downsample' is set");
  let before = { afterMs: 0, resolutionMs: 0 };
  for (const one of downsample) {
    if (one.resolutionMs < RESOLUTION_MS_MIN) throw new ConfigError('a resolution must be 1m at least');
    if (one.afterMs <= before.afterMs) throw new ConfigError("stages must have rising 'after', above 0");
    if (
      before.resolutionMs > 0 &&
      (one.resolutionMs % before.resolutionMs !== 0 || one.resolutionMs === before.resolutionMs)
    ) {
      throw new ConfigError('each resolution must be a multiple of the one before');
    }
    if (retentionMs > 0 && one.afterMs >= retentionMs) throw new ConfigError("a stage begins after the 'retention'");
    before = one;
  }
  const parsed = match.map((text) => parseSelector(text));
  for (const matcher of parsed.flat()) compileMatcher(matcher);
  return { name: match.join(' '), selectors: parsed, retentionMs, stages: downsample };
}

function toList(text: string | undefined): readonly string[] | undefined {
  return text === undefined ? undefined : [text];
}
