// Both HTTP engines, opened for a test on a free port of loopback.

import { type Clock, realClock } from '../../src/base/clock.js';
import type { Door, DoorHandler, DoorOptions, DoorTls, HttpEngine } from '../../src/web/door.js';
import { openNodeDoor } from '../../src/web/node-server.js';
import { loadUws, openUwsDoor } from '../../src/web/server.js';

const uws = await loadUws();

/** The engines this machine has. */
export const ENGINES: readonly HttpEngine[] = uws === undefined ? ['node'] : ['uws', 'node'];

export interface TestDoor extends Door {
  readonly errors: unknown[];
}

export async function openTestDoor(
  engine: HttpEngine,
  handler: DoorHandler,
  overrides: { connectionsMax?: number; clock?: Clock; headTimeoutMs?: number; tls?: () => DoorTls } = {},
): Promise<TestDoor> {
  const errors: unknown[] = [];
  const options: DoorOptions = {
    host: '127.0.0.1',
    port: 0,
    connectionsMax: overrides.connectionsMax ?? 512,
    headTimeoutMs: overrides.headTimeoutMs,
    clock: overrides.clock ?? realClock,
    handler,
    tls: overrides.tls,
    onError: (error) => errors.push(error),
  };
  const door = engine === 'uws' ? await openUwsDoor(uws!, options) : await openNodeDoor(options);
  return { ...door, close: (graceMs) => door.close(graceMs), errors };
}

/** A clock whose timers come `factor` times sooner: what takes 30 s passes in a test. */
export function hastyClock(factor: number): Clock {
  return { ...realClock, after: (ms, action) => realClock.after(ms / factor, action) };
}
