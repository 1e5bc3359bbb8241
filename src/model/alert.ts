// An alert, as rules give it to the notifier and the notifier to Alertmanagers.

import type { Labels } from './labels.js';

export interface Alert {
  /** Non-empty; `alertname` among them. External labels are added on the way out. */
  readonly labels: Labels;
  readonly annotations: Labels;
  /** Where its expression can be seen: a page of this server. */
  readonly generatorUrl: string;
  /** Wall-clock ms. */
  readonly startsAtMs: number;
  /** When it ends unless it is told of again, or when it was resolved; wall-clock ms. */
  readonly endsAtMs: number;
}
