// What all rule groups of a server share.

import type { Clock } from '../base/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { AlertingWorld } from './alerting-rule.js';
import type { RuleMetrics } from './metrics.js';
import type { RuleQuery } from './query.js';
import type { ResultStore } from './results.js';
import type { AlertSink } from './sending.js';

export interface RuleWorld extends AlertingWorld {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: RuleMetrics;
  readonly query: RuleQuery;
  readonly results: ResultStore;
  readonly alerts: AlertSink;
  /** How far back groups look that do not say: as the configuration has it now. */
  queryOffsetMs(): number;
  /** --rules.alert.resend-delay */
  readonly resendMs: number;
  /** --rules.alert.for-outage-tolerance */
  readonly toleranceMs: number;
  /** --rules.alert.for-grace-period */
  readonly graceMs: number;
}
