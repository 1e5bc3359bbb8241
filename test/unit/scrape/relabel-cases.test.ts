// Targets as a real Prometheus builds them: recorded from `promtool check service-discovery`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsOf } from '../../../src/model/labels.js';
import { relabelRule } from '../../../src/relabel/rule.js';
import { buildTarget } from '../../../src/scrape/target-labels.js';
import { hasConformance, readConformance } from '../../support/testdata.js';

interface RecordedCase {
  readonly name: string;
  readonly target: string;
  readonly labels: Record<string, string>;
  readonly relabel_configs: readonly RecordedRule[];
  readonly result: { readonly labels?: Record<string, string>; readonly dropped?: boolean; readonly error?: unknown };
}

interface RecordedRule {
  readonly action?: string;
  readonly source_labels?: string[];
  readonly separator?: string;
  readonly regex?: string;
  readonly modulus?: number;
  readonly target_label?: string;
  readonly replacement?: string;
}

/** Leaves out what is not given, so that defaults fill in. */
function ruleOf(recorded: RecordedRule) {
  const given = {
    action: recorded.action?.toLowerCase(),
    sourceLabels: recorded.source_labels,
    separator: recorded.separator,
    regex: recorded.regex,
    modulus: recorded.modulus === undefined ? undefined : BigInt(recorded.modulus),
    targetLabel: recorded.target_label,
    replacement: recorded.replacement,
  };
  return relabelRule(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));
}

const cases = (hasConformance() ? JSON.parse(readConformance('relabel/cases.json')) : []) as RecordedCase[];
for (const recorded of cases) {
  test(`recorded: ${recorded.name}`, () => {
    const outcome = buildTarget(
      {
        jobName: 'j',
        scrapeIntervalMs: 30_000,
        scrapeTimeoutMs: 10_000,
        metricsPath: '/metrics',
        scheme: 'http',
        params: new Map(),
        relabelConfigs: recorded.relabel_configs.map(ruleOf),
        metricNameValidationScheme: 'utf8',
      },
      labelsOf([['__address__', recorded.target]]),
      labelsOf(Object.entries(recorded.labels)),
    );
    const { labels, dropped } = recorded.result;
    assert.equal(outcome.kind, labels ? 'target' : dropped ? 'dropped' : 'invalid');
    if (outcome.kind === 'target') assert.deepEqual(outcome.internal, labelsOf(Object.entries(labels!)));
  });
}
