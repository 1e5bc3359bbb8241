// Runs the tests of one group: rules over its input, evaluation by evaluation, then its expressions.
//
//   each evaluation: input up to its time ─► rule groups ─► alert tests of the time until the next
//   at the end: expressions, over the input up to the last evaluation

import { realClock } from '../../base/clock.js';
import type { Disk } from '../../base/disk.js';
import { ConfigError } from '../../config/error.js';
import { formatDuration } from '../../model/duration.js';
import { formatLabelSet, type Labels, labelsOf } from '../../model/labels.js';
import { formatFloat } from '../../model/number.js';
import { formatHistogram } from '../../promql/syntax/histogram-literal.js';
import { QueryEngine } from '../../query/engine.js';
import { Group } from '../../rules/group.js';
import { RuleMetrics } from '../../rules/metrics.js';
import { engineQuery, type RuleQuery } from '../../rules/query.js';
import { type GroupSpec, readRuleFile } from '../../rules/spec.js';
import { alertTemplates } from '../../rules/templates.js';
import { noLog } from '../../telemetry/log.js';
import { Registry } from '../../telemetry/metrics.js';
import { queryFeatures } from '../features.js';
import { goDuration } from '../tool/go-text.js';
import { checkAlerts, type ToldAlert } from './alert-check.js';
import { checkSamples } from './sample-check.js';
import type { AlertTest, TestFile, TestGroup } from './test-file.js';
import { TestStorage } from './test-storage.js';

export interface RunOptions {
  readonly disk: Disk;
  /** --enable-feature */
  readonly features: readonly string[];
  readonly isDiff: boolean;
  /** Whether keys of rule files that nobody knows are passed over. */
  readonly ignoreUnknown: boolean;
}

export interface GroupRun {
  /** What is wrong, as it is told. */
  readonly errors: readonly string[];
  /** All samples there are at the end, for debugging: as promtool prints a matrix. */
  dump(): Promise<string>;
}

const LOOKBACK_MS = 300_000;
const TIMEOUT_MS = 100_000;
const SAMPLES_MAX = 50_000_000;

/** Throws ConfigError, NotationError and DiskError. */
export async function runGroup(file: TestFile, test: TestGroup, options: RunOptions): Promise<GroupRun> {
  const unnamed = test.alertTests.find(({ alertName }) => alertName === '');
  if (unnamed !== undefined) throw new ConfigError(withoutName(unnamed, test.name));
  const startMs = test.startMs ?? 0;
  const storage = new TestStorage(test.series, { startMs, intervalMs: test.intervalMs });
  const { engine, query } = queriesOver(storage, file.evaluationIntervalMs, options.features);
  const groups = openGroups(file, test, storage, query, options);
  const endMs = startMs + lastTime(test);
  const errors: string[] = [];
  const dump = () => dumpOf(engine, startMs, lastTime(test));
  for (let timeMs = startMs; timeMs <= endMs; timeMs += file.evaluationIntervalMs) {
    storage.loadUntil(timeMs);
    const faults = await evaluate(groups, timeMs);
    if (faults.length > 0) return { errors: [...errors, ...faults], dump };
    errors.push(...alertErrors(groups, file, test, timeMs - startMs, options.isDiff));
  }
  for (const exprTest of test.exprTests) {
    const error = await checkSamples(exprTest, startMs, query, file.fuzzyCompare ? 'fuzzy' : 'exact');
    if (error !== undefined) errors.push(error);
  }
  return { errors, dump };
}

function withoutName({ evalTimeMs }: AlertTest, name: string): string {
  const place = name === '' ? '' : ` (in TestGroup ${name})`;
  const what = 'an item under alert_rule_test misses required attribute alertname';
  return `${what} at eval_time ${formatDuration(evalTimeMs)}${place}`;
}

function queriesOver(
  storage: TestStorage,
  subqueryStepMs: number,
  features: readonly string[],
): { readonly engine: QueryEngine; readonly query: RuleQuery } {
  const engine = new QueryEngine(() => storage.source, realClock, {
    timeoutMs: TIMEOUT_MS,
    samplesMax: SAMPLES_MAX,
    concurrency: 1,
    lookbackMs: LOOKBACK_MS,
    subqueryStepMs,
    ...queryFeatures(features),
  });
  return { engine, query: engineQuery(engine, new AbortController().signal) };
}

/** In the order in which they are evaluated. */
function openGroups(
  file: TestFile,
  test: TestGroup,
  storage: TestStorage,
  query: RuleQuery,
  { disk, features, ignoreUnknown }: RunOptions,
): readonly Group[] {
  const specOptions = { intervalMs: test.intervalMs, language: queryFeatures(features).parse, ignoreUnknown };
  const specs = file.ruleFiles.flatMap((path) => readRuleFile(disk, path, specOptions));
  const { externalUrl } = test;
  const externalLabels = (): Labels => labelsOf(test.externalLabels);
  const world = {
    clock: realClock,
    log: noLog,
    metrics: new RuleMetrics(new Registry()),
    query,
    results: storage,
    alerts: { send: () => {} },
    expand: alertTemplates({ query, externalUrl, externalLabels, metrics: undefined, log: noLog }),
    externalUrl,
    queryOffsetMs: () => 0,
    ...{ resendMs: 0, toleranceMs: 0, graceMs: 0 },
  };
  return inOrder(specs, file.groupOrder).map((spec) => new Group(spec, world, true));
}

/** Groups that no order names come with the first of it, as in Prometheus. */
function inOrder(specs: readonly GroupSpec[], order: readonly string[]): readonly GroupSpec[] {
  const place = ({ name }: GroupSpec) => Math.max(order.indexOf(name), 0);
  return [...specs].sort((a, b) => place(a) - place(b));
}

/** The last time at which anything is looked at, from the start. */
function lastTime({ alertTests, exprTests }: TestGroup): number {
  return Math.max(0, ...[...alertTests, ...exprTests].map(({ evalTimeMs }) => evalTimeMs));
}

/** Gives what is wrong with rules. */
async function evaluate(groups: readonly Group[], timeMs: number): Promise<string[]> {
  for (const group of groups) await group.evaluate(timeMs);
  return groups.flatMap(({ rules }) => {
    const failed = rules.filter(({ health }) => health === 'err');
    return failed.map(({ spec, lastError }) => {
      return `    rule: ${spec.name}, time: ${goDuration(timeMs)}, err: ${lastError}`;
    });
  });
}

/** Of the tests between an evaluation and the next; times are from the start. */
function alertErrors(
  groups: readonly Group[],
  { evaluationIntervalMs }: TestFile,
  { alertTests, name }: TestGroup,
  fromMs: number,
  isDiff: boolean,
): string[] {
  const due = alertTests.filter(({ evalTimeMs }) => evalTimeMs >= fromMs && evalTimeMs < fromMs + evaluationIntervalMs);
  const inTime = [...due].sort((a, b) => a.evalTimeMs - b.evalTimeMs);
  return inTime.flatMap((test) => {
    const error = checkAlerts({ test, name, got: firing(groups, test.alertName), isDiff });
    return error === undefined ? [] : [error];
  });
}

function firing(groups: readonly Group[], alertName: string): ToldAlert[] {
  const rules = groups.flatMap(({ alertingRules }) => alertingRules).filter(({ spec }) => spec.name === alertName);
  return rules.flatMap((rule) => [...rule.alerts].filter(({ state }) => state === 'firing'));
}

async function dumpOf(engine: QueryEngine, startMs: number, lastMs: number): Promise<string> {
  const seconds = Math.floor(lastMs / 1000) + 1;
  const { data } = await engine.instant(`{__name__=~".+"}[${seconds}s]`, startMs + seconds * 1000);
  const series = data.kind === 'raw' ? data.series : [];
  const texts = series.map(({ labels, times, values, histogramTimes = [], histograms = [] }) => {
    const floats = Array.from(values, (value, i) => `${formatFloat(value)} @[${times[i]}]`);
    const others = histograms.map((histogram, i) => `${formatHistogram(histogram)} @[${histogramTimes[i]}]`);
    return `${formatLabelSet(labels)} =>\n${[...floats, ...others].join('\n')}`;
  });
  return `at ${goDuration(seconds * 1000)}:\n${texts.join('\n')}`;
}
