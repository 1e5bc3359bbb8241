// Alerts of the past, from the series that rules keep of them.
//
//   ALERTS_FOR_STATE         ●──●──●──●──●──●          ●──●──●      its value: since when; another value is another alert
//   ALERTS, firing                   ●──●──●
//                            │       │     │           │     │
//                         active  firing  last seen  the next alert of the same labels

import { filterLabels, keyOf, type Labels, METRIC_NAME } from '../model/labels.js';
import type { RawSeries } from '../promql/exec/source.js';

/** One alert, from when it was found to when it was found last. */
export interface PastAlert {
  /** As rules give them, `alertname` among them. */
  readonly labels: Labels;
  /** In whole seconds, and perhaps before the time that was looked at. */
  readonly activeAtMs: number;
  /** undefined where it was pending as far as is known. */
  readonly firingAtMs: number | undefined;
  readonly lastSeenMs: number;
  /** Whether it may go on: evaluations that would have found it gone are not to be seen. */
  readonly isOpen: boolean;
}

/** Evaluations that an alert may be without, and go on. */
const MISSED_MAX = 2.5;
/** Of a series with one sample nobody knows how often it has some. */
const INTERVAL_MS = 60_000;

/** `states`: series of ALERTS_FOR_STATE up to `endMs`; `firing`: those of ALERTS that fire. By their beginning, newest first. */
export function pastAlerts(states: readonly RawSeries[], firing: readonly RawSeries[], endMs: number): PastAlert[] {
  const firingTimes = new Map(firing.map(({ labels, times }) => [keyOf(alertLabels(labels)), times]));
  const alerts = states.flatMap((series) => {
    const labels = alertLabels(series.labels);
    const times = firingTimes.get(keyOf(labels)) ?? NO_TIMES;
    return stretches(series, endMs).map(({ fromMs, ...stretch }) => {
      return { labels, ...stretch, firingAtMs: times.find((time) => time >= fromMs && time <= stretch.lastSeenMs) };
    });
  });
  return alerts.sort((a, b) => b.activeAtMs - a.activeAtMs);
}

const NO_TIMES = new Float64Array(0);

/** Without what says which of its series it is. */
function alertLabels(labels: Labels): Labels {
  return filterLabels(labels, (name) => name !== METRIC_NAME && name !== 'alertstate');
}

interface Stretch {
  /** Its first sample. */
  readonly fromMs: number;
  readonly activeAtMs: number;
  readonly lastSeenMs: number;
  readonly isOpen: boolean;
}

function stretches({ times, values }: RawSeries, endMs: number): Stretch[] {
  const found: Stretch[] = [];
  const goneMs = MISSED_MAX * usualInterval(times);
  let from = 0;
  for (let i = 0; i < times.length; i++) {
    if (i + 1 < times.length && values[i + 1] === values[from]) continue;
    const lastSeenMs = times[i]!;
    const isLast = i + 1 === times.length;
    const isOpen = isLast && endMs - lastSeenMs < goneMs;
    found.push({ fromMs: times[from]!, activeAtMs: values[from]! * 1000, lastSeenMs, isOpen });
    from = i + 1;
  }
  return found;
}

/** The median distance of samples. */
function usualInterval(times: Float64Array): number {
  if (times.length < 2) return INTERVAL_MS;
  const distances = times
    .slice(1)
    .map((time, i) => time - times[i]!)
    .sort();
  return distances[distances.length >> 1]!;
}
