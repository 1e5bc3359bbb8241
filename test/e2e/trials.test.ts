// A part of `npm run trials`: whole servers on real files, damaged, without power, without room.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DamageTrials, KINDS, PLACES } from '../support/trials/damage.js';
import { runFull } from '../support/trials/full.js';
import { outOfNames, smallFiles } from '../support/trials/limits.js';
import { runRounds } from '../support/trials/rounds.js';
import { Volume } from '../support/trials/volume.js';

/** The same each time; `npm run trials` has others. */
const SEED = 7;
const KILLS = 3;
const POWER_CUTS = 2;
/** Of the small file systems: what there is in all, and what is freed when they are full. */
const MEGABYTES = 48;
const BALLAST_BYTES = 16 * 2 ** 20;

test('each kind of damage, each at another place: no wrong value, it starts, and says what is lost', {
  timeout: 300_000,
}, async (t) => {
  const trials = new DamageTrials();
  try {
    await trials.prepare();
    const places = [...PLACES.keys()];
    for (const [i, kind] of [...KINDS.keys()].entries()) {
      const report = await trials.run(kind, places[(i + SEED) % places.length]!, SEED + i);
      if (report !== undefined) t.diagnostic(`${report.what}: ${report.missing} of ${report.samples} lost`);
    }
  } finally {
    trials.close();
  }
});

test(`${KILLS} kills while the head is cut: nothing acknowledged is lost`, { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-trials-'));
  try {
    const report = await runRounds({ data: join(folder, 'data'), rounds: KILLS, seed: SEED });
    t.diagnostic(`${report.acknowledged} samples of ${report.hours.toFixed(0)} hours, ${report.blocks} blocks`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test(`${POWER_CUTS} power cuts on a disk of its own: nothing acknowledged is lost`, {
  skip: Volume.lack('ext4'),
  timeout: 120_000,
}, async (t) => {
  const volume = Volume.make('ext4', 1000);
  try {
    const report = await runRounds({
      ...{ data: join(volume.path, 'data'), rounds: POWER_CUTS, seed: SEED },
      afterKill: () => volume.cutPower(),
    });
    t.diagnostic(`${report.acknowledged} samples acknowledged`);
  } finally {
    volume.remove();
  }
});

test('a full disk: writes are refused, queries answered, all goes on when there is room', {
  skip: Volume.lack('tmpfs'),
  timeout: 240_000,
}, async (t) => {
  const volume = Volume.make('tmpfs', MEGABYTES);
  try {
    const { acknowledged, refused, resumedMs } = await runFull(volume, BALLAST_BYTES);
    assert.ok(refused > 0);
    t.diagnostic(`${acknowledged} samples acknowledged, ${refused} writes refused, again after ${resumedMs} ms`);
  } finally {
    volume.remove();
  }
});

test('no names are free, then some are: writes are refused, and go on', {
  skip: Volume.lack('tmpfs'),
  timeout: 240_000,
}, async (t) => {
  const volume = Volume.make('tmpfs', 400, 'nr_inodes=200');
  try {
    const { acknowledged, refused } = await outOfNames(volume);
    t.diagnostic(`${acknowledged} samples acknowledged, ${refused} writes refused`);
  } finally {
    volume.remove();
  }
});

test('files may not be larger than a few MiB: the log has smaller segments', { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-trials-'));
  try {
    const { acknowledged, refused } = await smallFiles(join(folder, 'data'));
    t.diagnostic(`${acknowledged} samples acknowledged, ${refused} writes refused`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
