// `for` goes on after a restart: what ALERTS_FOR_STATE says of the alerts that a rule has found again.
//
//   found at      last sample         now
//   ──●────────────────●───────────────●──────────►
//     │←── waited ────►│←── down ─────►│
//
// An alert that had waited long enough fires at once. Of another the time down does not count, and it waits for the grace period at
// least: what would have ended it may have been down as well.

import { keyOf, pairsOf, withoutName } from '../model/labels.js';
import { quote } from '../model/quote.js';
import type { ActiveAlert } from './alert-state.js';
import type { AlertingRule } from './alerting-rule.js';
import type { RuleQuery } from './query.js';

export interface RestoringTimes {
  readonly nowMs: number;
  /** --rules.alert.for-outage-tolerance: what is older says nothing. */
  readonly toleranceMs: number;
  /** --rules.alert.for-grace-period */
  readonly graceMs: number;
}

/** What was stored of an alert: both in ms, of whole seconds. */
interface StoredState {
  readonly activeAtMs: number;
  readonly lastSeenMs: number;
}

/** Restores the alerts of a rule. Rejects where storage cannot be asked; the rule counts as restored even then. */
export async function restore(rule: AlertingRule, query: RuleQuery, times: RestoringTimes): Promise<void> {
  try {
    // Who waits for less than the grace period would only wait longer.
    if (rule.spec.holdMs < times.graceMs || times.toleranceMs === 0) return;
    const stored = await readStates(rule, query, times);
    for (const alert of rule.alerts) {
      const state = stored.get(keyOf(alert.labels));
      if (state !== undefined) alert.activeAtMs = restoredStart(state, rule.spec.holdMs, times);
    }
  } finally {
    rule.isRestored = true;
  }
}

/** By label set without the metric name. A series that a stale marker ended is of an alert that was over. */
async function readStates(
  rule: AlertingRule,
  query: RuleQuery,
  { nowMs, toleranceMs }: RestoringTimes,
): Promise<ReadonlyMap<string, StoredState>> {
  const selector = `{${[...pairsOf(rule.stateLabels)].map(([name, value]) => `${quote(name)}=${quote(value)}`).join(',')}}`;
  const ask = (expr: string) => query(expr, nowMs, { lookbackMs: toleranceMs });
  const [starts, times] = await Promise.all([ask(selector), ask(`timestamp(${selector})`)]);
  const lastSeen = new Map(times.map(({ labels, value }) => [keyOf(withoutName(labels)), Math.floor(value) * 1000]));
  return new Map(
    starts.map(({ labels, value }) => {
      const key = keyOf(withoutName(labels));
      return [key, { activeAtMs: value * 1000, lastSeenMs: lastSeen.get(key) ?? nowMs }];
    }),
  );
}

/** When an alert counts as found. */
export function restoredStart(
  { activeAtMs, lastSeenMs }: StoredState,
  holdMs: number,
  { nowMs, graceMs }: Pick<RestoringTimes, 'nowMs' | 'graceMs'>,
): ActiveAlert['activeAtMs'] {
  const leftMs = holdMs - (lastSeenMs - activeAtMs);
  if (leftMs <= 0) return activeAtMs;
  if (leftMs < graceMs) return nowMs + graceMs - holdMs;
  return activeAtMs + (nowMs - lastSeenMs);
}
