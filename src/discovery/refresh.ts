// Mechanisms that ask again and again.

import type { SourcedGroup } from './group.js';
import type { Session } from './session.js';

/** A refresh may come so much earlier than its interval says: many servers started at once spread by themselves. */
const JITTER = 0.1;

/** Asks at once and then every interval until the session ends. A refresh that fails leaves everything as it was. */
export async function refreshing(
  session: Session,
  intervalMs: number,
  refresh: () => Promise<Iterable<SourcedGroup>>,
): Promise<void> {
  const { clock, prng } = session;
  while (!session.hasEnded) {
    const startMs = clock.monotonicMs();
    await refreshOnce(session, refresh);
    await session.pause(intervalMs * (1 - JITTER * prng.float()) - (clock.monotonicMs() - startMs));
  }
}

/** One attempt, timed and counted. */
export async function refreshOnce(session: Session, refresh: () => Promise<Iterable<SourcedGroup>>): Promise<void> {
  const { clock, metrics, mechanism, config } = session;
  const startMs = clock.monotonicMs();
  try {
    const groups = await refresh();
    if (!session.hasEnded) session.replace(groups);
  } catch (error) {
    session.failed(error);
  } finally {
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    metrics.refreshSeconds.with(mechanism, config).observe(seconds);
    metrics.refreshHistogram.with(mechanism).observe(seconds);
  }
}
