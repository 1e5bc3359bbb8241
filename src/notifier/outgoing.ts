// Alerts on their way out: with the labels of this server, relabelled, and as Alertmanager's API has them.

import type { Alert } from '../model/alert.js';
import { type Labels, mergeLabels, pairsOf } from '../model/labels.js';
import { relabel } from '../relabel/relabel.js';
import type { RelabelRule } from '../relabel/rule.js';

/** An alert that waits to be sent, shared by all who send it. */
export class OutgoingAlert {
  readonly alert: Alert;
  #json: string | undefined;

  constructor(alert: Alert) {
    this.alert = alert;
  }

  /** A PostableAlert of the API, version 2. Written when first asked for, and once. */
  get json(): string {
    this.#json ??= jsonOf(this.alert);
    return this.#json;
  }
}

function jsonOf({ labels, annotations, generatorUrl, startsAtMs, endsAtMs }: Alert): string {
  return JSON.stringify({
    annotations: Object.fromEntries(pairsOf(annotations)),
    endsAt: new Date(endsAtMs).toISOString(),
    startsAt: new Date(startsAtMs).toISOString(),
    generatorURL: generatorUrl,
    labels: Object.fromEntries(pairsOf(labels)),
  });
}

/** Alerts after rules, some of which may drop them; where they say so. */
export function relabelled(alerts: readonly Alert[], added: Labels, rules: readonly RelabelRule[]): readonly Alert[] {
  if (added.length === 0 && rules.length === 0) return alerts;
  return alerts.flatMap((alert) => {
    // What an alert says itself counts more than what is added to all.
    const labels = relabel(mergeLabels(added, alert.labels), rules);
    return labels === undefined ? [] : [{ ...alert, labels }];
  });
}
