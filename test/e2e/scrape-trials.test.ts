// A part of `npm run trials -- hostile reloads`: a whole server among hostile targets, and under reloads.

import { test } from 'node:test';
import { runHostile } from '../support/trials/hostile.js';
import { runReloads } from '../support/trials/reloads.js';

const HOSTILE_SECONDS = 12;
const RELOADS = 60;
const RELOAD_EVERY_MS = 250;

test('hostile targets beside healthy ones: memory is bounded, healthy scrapes are all there', {
  timeout: 120_000,
}, async (t) => {
  const { hostile, peakBytes, scrapes } = await runHostile(HOSTILE_SECONDS, false);
  t.diagnostic(`${hostile} hostile targets: ${(peakBytes / 2 ** 20).toFixed(0)} MiB, ${scrapes} healthy scrapes`);
});

test('reloads under scrapes: none is missed or done twice, nothing is left over', { timeout: 120_000 }, async (t) => {
  const { scrapes, growthBytes, files } = await runReloads(RELOADS, RELOAD_EVERY_MS, false);
  t.diagnostic(`${scrapes} scrapes; memory grew by ${(growthBytes / 2 ** 20).toFixed(0)} MiB; ${files} files are open`);
});
