// The states of one rule's alerts, evaluation by evaluation.
//
//              found            found for `for`
//   (nothing) ──────► pending ─────────────────► firing ──┐ not found, but `keep_firing_for` runs
//       ▲                │ not found               │  ▲───┘
//       ├────────────────┘                         │ not found
//       │                                          ▼
//       └───────────────────────────────────── inactive: kept for a while, so that Alertmanagers hear of it
//                after RESOLVED_KEPT_MS
//
// An alert is its labels. Nothing here waits or asks anybody.

import type { Labels } from '../model/labels.js';

export type AlertState = 'inactive' | 'pending' | 'firing';

/** Something that an alerting rule found. Times are those of evaluations, in ms. */
export interface ActiveAlert {
  /** Without empty values; `alertname` among them. */
  readonly labels: Labels;
  annotations: Labels;
  value: number;
  state: AlertState;
  /** When it was found first; earlier than this process, where that was restored. */
  activeAtMs: number;
  firedAtMs: number | undefined;
  resolvedAtMs: number | undefined;
  /** Since when it only fires because it is to go on. */
  keepFiringSinceMs: number | undefined;
  lastSentMs: number | undefined;
}

/** What an evaluation found of one alert. */
export type FoundAlert = Pick<ActiveAlert, 'labels' | 'annotations' | 'value'>;

export interface AlertTiming {
  readonly holdMs: number;
  readonly keepFiringMs: number;
}

/** How long a resolved alert is remembered, and told to Alertmanagers: one may have been away when it was resolved. */
const RESOLVED_KEPT_MS = 15 * 60_000;

/** Moves all alerts of a rule on by what was found, both by label set. Gives those that are pending or firing now. */
export function advance(
  active: Map<string, ActiveAlert>,
  found: ReadonlyMap<string, FoundAlert>,
  timing: AlertTiming,
  timeMs: number,
): ActiveAlert[] {
  for (const [key, alert] of found) {
    const known = active.get(key);
    if (known === undefined || known.state === 'inactive') active.set(key, begin(alert, timeMs));
    else Object.assign(known, { annotations: alert.annotations, value: alert.value });
  }
  const alive: ActiveAlert[] = [];
  for (const [key, alert] of active) {
    if (found.has(key)) alert.keepFiringSinceMs = undefined;
    else if (!keepsFiring(alert, timing, timeMs)) {
      if (isOver(alert, timeMs)) active.delete(key);
      else resolve(alert, timeMs);
      continue;
    }
    hold(alert, timing, timeMs);
    alive.push(alert);
  }
  return alive;
}

function begin({ labels, annotations, value }: FoundAlert, timeMs: number): ActiveAlert {
  return {
    labels,
    annotations,
    value,
    state: 'pending',
    activeAtMs: timeMs,
    firedAtMs: undefined,
    resolvedAtMs: undefined,
    keepFiringSinceMs: undefined,
    lastSentMs: undefined,
  };
}

/** Whether an alert that was not found fires nevertheless. */
function keepsFiring(alert: ActiveAlert, { keepFiringMs }: AlertTiming, timeMs: number): boolean {
  if (alert.state !== 'firing' || keepFiringMs === 0) return false;
  alert.keepFiringSinceMs ??= timeMs;
  return timeMs - alert.keepFiringSinceMs < keepFiringMs;
}

/** Whether an alert that was not found can be forgotten. */
function isOver({ state, resolvedAtMs }: ActiveAlert, timeMs: number): boolean {
  return state === 'pending' || (resolvedAtMs !== undefined && timeMs - resolvedAtMs > RESOLVED_KEPT_MS);
}

function resolve(alert: ActiveAlert, timeMs: number): void {
  if (alert.state === 'inactive') return;
  alert.state = 'inactive';
  alert.resolvedAtMs = timeMs;
}

/** Pending until it has been there for long enough, which a new `for` may have made longer. */
function hold(alert: ActiveAlert, { holdMs }: AlertTiming, timeMs: number): void {
  const isHeld = timeMs - alert.activeAtMs >= holdMs;
  if (alert.state === 'pending' && isHeld) {
    alert.state = 'firing';
    alert.firedAtMs = timeMs;
  } else if (alert.state === 'firing' && !isHeld) {
    alert.state = 'pending';
    alert.firedAtMs = undefined;
    alert.lastSentMs = undefined;
    alert.keepFiringSinceMs = undefined;
  }
}
