// Unit tests of rules: their files, in Prometheus's format.

import { dirname, isAbsolute, join } from 'node:path';
import type { Disk } from '../../base/disk.js';
import { bool, type Codec, float, list, mapOf, string, text, type ValueOf } from '../../config/codec.js';
import { YamlFile } from '../../config/document.js';
import { ConfigError } from '../../config/error.js';
import { expandGlob } from '../../config/load.js';
import { field, optional, struct } from '../../config/struct.js';
import { duration } from '../../config/values.js';
import { parseTime } from '../../web/api/time.js';

/** A time as parameters of the API have it. */
const time: Codec<number> = text((given) => {
  try {
    return parseTime(given);
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
});

const series = struct('main.series', {
  series: field('series', string, ''),
  values: field('values', string, ''),
});

const expectedAlert = struct('main.alert', {
  labels: field('exp_labels', mapOf(string), new Map()),
  annotations: field('exp_annotations', mapOf(string), new Map()),
});

const alertTest = struct('main.alertTestCase', {
  evalTimeMs: field('eval_time', duration, 0),
  alertName: field('alertname', string, ''),
  alerts: field('exp_alerts', list(expectedAlert), []),
});

const expectedSample = struct('main.sample', {
  labels: field('labels', string, ''),
  value: field('value', float, 0),
  histogram: field('histogram', string, ''),
});

const exprTest = struct('main.promqlTestCase', {
  expr: field('expr', string, ''),
  evalTimeMs: field('eval_time', duration, 0),
  samples: field('exp_samples', list(expectedSample), []),
});

const testGroup = struct('main.testGroup', {
  /** That of evaluations where 0. */
  intervalMs: field('interval', duration, 0),
  series: field('input_series', list(series), []),
  alertTests: field('alert_rule_test', list(alertTest), []),
  exprTests: field('promql_expr_test', list(exprTest), []),
  externalLabels: field('external_labels', mapOf(string), new Map()),
  externalUrl: field('external_url', string, ''),
  name: field('name', string, ''),
  startMs: optional('start_timestamp', time),
});

const testFile = struct('main.unitTestFile', {
  ruleFiles: field('rule_files', list(string), []),
  evaluationIntervalMs: field('evaluation_interval', duration, 0),
  groupOrder: field('group_eval_order', list(string), []),
  tests: field('tests', list(testGroup), []),
  fuzzyCompare: field('fuzzy_compare', bool, false),
});

export type AlertTest = ValueOf<typeof alertTest>;
export type ExprTest = ValueOf<typeof exprTest>;
export type TestGroup = ValueOf<typeof testGroup>;
export type TestFile = ValueOf<typeof testFile>;

const EVALUATION_INTERVAL_MS = 60_000;

/** Reads a file of tests; its rule files are those that are there, and others are warned of. Throws ConfigError and DiskError. */
export function readTestFile(disk: Disk, path: string, warn: (line: string) => void): TestFile {
  const file = new YamlFile(new TextDecoder().decode(disk.readFile(path)));
  const read = file.root === null ? testFile.defaults() : testFile.decode(file.resolve(file.root), file);
  file.throwFaults();
  const { groupOrder, tests, ...rest } = read!;
  const twice = groupOrder.find((name, i) => groupOrder.indexOf(name) !== i);
  if (twice !== undefined) throw new ConfigError(`group name repeated in evaluation order: ${twice}`);
  const ruleFiles = rest.ruleFiles.flatMap((glob) => {
    const resolved = isAbsolute(glob) || glob === '' ? glob : join(dirname(path), glob);
    const found = expandGlob(disk, resolved);
    if (found.length === 0) warn(`  WARNING: no file match pattern ${resolved}`);
    return found;
  });
  const evaluationIntervalMs = rest.evaluationIntervalMs || EVALUATION_INTERVAL_MS;
  const timed = tests.map((test) => ({ ...test, intervalMs: test.intervalMs || evaluationIntervalMs }));
  return { ...rest, groupOrder, ruleFiles, evaluationIntervalMs, tests: timed };
}
