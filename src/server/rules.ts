// Rules joined with what they need: queries, storage, templates, the way to Alertmanagers.

import { queryFeatures } from '../cli/features.js';
import type { LoadedConfig } from '../config/load.js';
import { parseRuleFile } from '../config/rule-file.js';
import type { Labels } from '../model/labels.js';
import type { QueryEngine } from '../query/engine.js';
import { AlertingRule } from '../rules/alerting-rule.js';
import { type DryRunParts, type DryRunRule, dryRun } from '../rules/dry-run/dry-run.js';
import type { Group } from '../rules/group.js';
import { RuleManager } from '../rules/manager.js';
import { RuleMetrics } from '../rules/metrics.js';
import { engineQuery } from '../rules/query.js';
import type { Rule } from '../rules/rule.js';
import type { AlertSink } from '../rules/sending.js';
import { ShardResults } from '../rules/shard-results.js';
import { type GroupSpec, groupSpec, loadRuleGroups, type SpecOptions } from '../rules/spec.js';
import { alertTemplates } from '../rules/templates.js';
import type { Ingest } from '../shard/ingest.js';
import type { Registry } from '../telemetry/metrics.js';
import { TemplateMetrics } from '../template/metrics.js';
import type * as web from '../web/deps.js';
import type { ServerOptions } from './server.js';

export interface RulesParts {
  readonly registry: Registry;
  readonly engine: QueryEngine;
  readonly ingest: Ingest;
  readonly alerts: AlertSink;
  /** As others see this server, without a slash at its end. */
  readonly externalUrl: string;
  /** As the configuration has them now. */
  externalLabels(): Labels;
  /** As the configuration has it now. */
  queryOffsetMs(): number;
}

export interface Rules {
  readonly manager: RuleManager;
  /** Ends queries under way; resolves when nothing is evaluated any more. */
  stop(): Promise<void>;
}

/** The groups of a configuration's rule files. Throws ConfigError. */
export function loadRules(loaded: LoadedConfig, options: ServerOptions): readonly GroupSpec[] {
  return loadRuleGroups(options.disk, loaded.config.ruleFiles, specOptions(loaded, options));
}

export function specOptions({ config }: LoadedConfig, { flags }: ServerOptions): SpecOptions {
  return { intervalMs: config.global.evaluationIntervalMs, language: queryFeatures(flags.enableFeature).parse };
}

/** Nothing is evaluated before apply(). */
export function openRules({ flags, clock, log }: ServerOptions, parts: RulesParts): Rules {
  const ending = new AbortController();
  const { registry, engine, ingest, alerts, externalUrl, externalLabels, queryOffsetMs } = parts;
  const query = engineQuery(engine, ending.signal);
  const ruleLog = log.with({ component: 'rule manager' });
  const metrics = new TemplateMetrics(registry);
  const manager = new RuleManager({
    clock,
    log: ruleLog,
    metrics: new RuleMetrics(registry),
    query,
    results: new ShardResults(ingest),
    alerts,
    expand: alertTemplates({ query, externalUrl, externalLabels, metrics, log: ruleLog }),
    externalUrl,
    queryOffsetMs,
    resendMs: flags.rulesResendDelayMs,
    toleranceMs: flags.rulesForOutageToleranceMs,
    graceMs: flags.rulesForGracePeriodMs,
  });
  return {
    manager,
    stop: () => {
      ending.abort();
      return manager.stop();
    },
  };
}

/** `specOptions`: as the configuration has them now. */
export function ruleDeps(manager: RuleManager, parts: DryRunParts, specOptions: () => SpecOptions): web.Rules {
  return {
    groups: () => manager.groups.map(groupStatus),
    dryRun: async ({ text, file, startMs, endMs, signal }) => {
      const groups = parseRuleFile(text).map((group) => groupSpec(file, group, specOptions()));
      const ran = await dryRun({ groups, startMs, endMs, signal }, parts);
      return ran.map(({ spec, evaluations, rules }) => {
        return { name: spec.name, intervalMs: spec.intervalMs, evaluations, rules: rules.map(dryRunStatus) };
      });
    },
  };
}

function dryRunStatus({ spec, ...rest }: DryRunRule): web.DryRunRule {
  return { name: spec.name, expr: spec.expr, type: spec.kind, ...rest };
}

function groupStatus({ spec, rules, seconds, evaluatedMs }: Group): web.RuleGroupStatus {
  const { name, file, intervalMs, limit } = spec;
  return { name, file, intervalMs, limit, seconds, evaluatedMs, rules: rules.map(ruleStatus) };
}

function ruleStatus(rule: Rule): web.RuleStatus {
  const { spec, health, lastError, seconds, evaluatedMs } = rule;
  const { name, expr, labels } = spec;
  const alerting = rule instanceof AlertingRule ? alertingStatus(rule) : undefined;
  return { name, expr, labels, alerting, health, lastError, seconds, evaluatedMs };
}

function alertingStatus(rule: AlertingRule): web.AlertingStatus {
  const { state, spec } = rule;
  const { annotations, holdMs, keepFiringMs } = spec;
  const alerts = () => [...rule.alerts].filter(({ resolvedAtMs }) => resolvedAtMs === undefined);
  return { state, annotations, holdMs, keepFiringMs, alerts };
}
