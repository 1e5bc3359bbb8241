// Which alerts leave for Alertmanagers after an evaluation, and as what.

import type { Alert } from '../model/alert.js';
import type { ActiveAlert } from './alert-state.js';

/** Takes alerts for Alertmanagers; never waits. */
export interface AlertSink {
  send(alerts: readonly Alert[]): void;
}

export interface SendingTimes {
  readonly timeMs: number;
  /** Of the group. */
  readonly intervalMs: number;
  /** --rules.alert.resend-delay */
  readonly resendMs: number;
}

/** Evaluations, or hand-offs, that may fail in a row before Alertmanagers take an alert for resolved. */
const LIVES = 4;

/** Of all alerts of a rule those that Alertmanagers are to hear of now; notes that they have. */
export function takeDue(active: Iterable<ActiveAlert>, times: SendingTimes, generatorUrl: string): Alert[] {
  const { timeMs, intervalMs, resendMs } = times;
  const due: Alert[] = [];
  for (const alert of active) {
    if (!isDue(alert, timeMs, resendMs)) continue;
    alert.lastSentMs = timeMs;
    due.push({
      labels: alert.labels,
      annotations: alert.annotations,
      generatorUrl,
      startsAtMs: alert.firedAtMs!,
      endsAtMs: alert.resolvedAtMs ?? timeMs + LIVES * Math.max(intervalMs, resendMs),
    });
  }
  return due;
}

function isDue({ state, resolvedAtMs, lastSentMs }: ActiveAlert, timeMs: number, resendMs: number): boolean {
  if (state === 'pending') return false;
  if (lastSentMs === undefined) return true;
  if (resolvedAtMs !== undefined && resolvedAtMs > lastSentMs) return true;
  return lastSentMs + resendMs < timeMs;
}

/** The page of this server that shows an expression. */
export function expressionUrl(externalUrl: string, expr: string): string {
  return `${externalUrl}/graph?g0.expr=${queryEscape(expr)}&g0.tab=1`;
}

/** As Go's url.QueryEscape. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
