// /api/v1/features: what this server can do and whether it is on, by the areas that clients of Prometheus look into.

import { EXPERIMENTAL_FEATURES } from '../cli/features.js';
import type { Flags } from '../cli/flags.js';
import { DISCOVERY_KINDS } from '../config/discovery.js';
import { FUNCTIONS } from '../promql/functions.js';
import type { ParseOptions } from '../promql/syntax/parse.js';

/** By area, then by name. */
export type FeatureList = ReadonlyMap<string, ReadonlyMap<string, boolean>>;

export function featureList(flags: Flags, language: ParseOptions): FeatureList {
  const functions = [...FUNCTIONS.values()].map(
    ({ name, experimental }) => [name, !experimental || language.experimentalFunctions] as const,
  );
  return new Map([
    ['api', apiFeatures(flags)],
    ['prometheus', new Map(EXPERIMENTAL_FEATURES.map((name) => [snake(name), flags.enableFeature.includes(name)]))],
    ['promql', promqlFeatures(language)],
    ['promql_functions', new Map(functions)],
    ['rules', new Map([['concurrent_rule_eval', flags.enableFeature.includes('concurrent-rule-eval')]])],
    ['service_discovery_providers', new Map(DISCOVERY_KINDS.map((kind) => [snake(kind), true]))],
    ['tsdb', new Map([['exemplar_storage', flags.enableFeature.includes('exemplar-storage')]])],
  ]);
}

function apiFeatures(flags: Flags): ReadonlyMap<string, boolean> {
  return new Map([
    ['admin', flags.webEnableAdminApi],
    ['lifecycle', flags.webEnableLifecycle],
    ['remote_write_receiver', flags.webEnableRemoteWriteReceiver],
    ['search', flags.enableFeature.includes('search-api')],
    ['label_values_match', true],
    ['query_stats', true],
    ['query_warnings', true],
    ['time_range_labels', true],
    ['time_range_series', true],
  ]);
}

function promqlFeatures(language: ParseOptions): ReadonlyMap<string, boolean> {
  return new Map([
    ['anchored', language.extendedRangeSelectors],
    ['smoothed', language.extendedRangeSelectors],
    ['at_modifier', true],
    ['bool', true],
    ['by', true],
    ['duration_expr', true],
    ['fill', language.fillModifiers],
    ['group_left', true],
    ['group_right', true],
    ['ignoring', true],
    ['negative_offset', true],
    ['offset', true],
    ['on', true],
    ['subqueries', true],
    ['without', true],
  ]);
}

function snake(name: string): string {
  return name.replaceAll('-', '_');
}
