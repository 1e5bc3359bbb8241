// The way back: what Narthex leaves in a data directory, a real Prometheus opens and promtool reads, and both have the same
// samples; and what Prometheus leaves there, Narthex has. A directory goes from one to the other and back, killed in
// between, with blocks, merged blocks, checkpoints, deletions, native histograms.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/servers.js';
import { deleteSeries, PREFIX, STEP_MS, Story } from '../support/story.js';
import { conformance, conformanceMissing } from '../support/testdata.js';
import {
  answersOf,
  assertSound,
  HOUR_MS,
  levelsOf,
  narthex,
  PEER_REQUEST_STEPS,
  peer,
  readByPromtool,
  skip,
  withFolder,
  withServer,
} from '../support/way-back.js';

test(
  'Narthex, Prometheus, Narthex, Prometheus on one directory, each killed: nothing is lost, nothing changes',
  {
    skip,
    timeout: 240_000,
  },
  () =>
    withFolder(async (folder) => {
      const data = join(folder, 'data');
      // A whole range of three blocks, another block, and what comes behind it, at any time of the day.
      const startMs = Math.floor((Date.now() - 12 * HOUR_MS) / (6 * HOUR_MS)) * 6 * HOUR_MS;
      const story = new Story(startMs);
      const hour = HOUR_MS / STEP_MS;

      // Lives enough for segments that a checkpoint replaces.
      for (const [life, steps] of [story.steps - 4 * hour, hour, hour].entries()) {
        await withServer(narthex(data, 1 + life), async (server) => {
          await story.write(server, steps);
          await story.delete(server, 'counter', 'n', '3', 50, 400);
        });
      }
      await withServer(narthex(data, 2), async (server) => {
        await eventually(async () => assert.ok(Math.max(...levelsOf(data)) >= 2, `levels ${levelsOf(data)}`));
        await eventually(async () =>
          assert.ok(readdirSync(join(data, 'wal')).some((name) => name.includes('checkpoint'))),
        );
        await story.write(server, hour);
        // In blocks and in the head; all of a series.
        await story.delete(server, 'counter', 'n', '5', 100, story.steps);
        await story.delete(server, 'special', 'turn', '5', 0, 30);
        await story.delete(server, 'churn', 'life', '2', 0, story.steps);
        await story.delete(server, 'histogram', 'n', '1', 200, 260);
        await story.check(server, 'Narthex');
      });

      const copy = join(folder, 'copy');
      cpSync(data, copy, { recursive: true });
      story.ledger.checkDump(readByPromtool(copy), PREFIX, 'promtool');

      await withServer(narthex(data, 3), async (ours) => {
        await withServer(peer(copy), async (theirs) => {
          await story.check(theirs, 'Prometheus on a copy');
          assert.deepEqual(await answersOf(ours, story), await answersOf(theirs, story));
        });
      });

      await withServer(peer(data), async (server) => {
        await story.check(server, 'Prometheus');
        await story.write(server, hour / 2, PEER_REQUEST_STEPS);
        await story.delete(server, 'counter', 'n', '7', 300, story.steps - 20);
        await story.check(server, 'Prometheus, deleted');
        await assertSound(server);
      });
      await withServer(narthex(data, 2), async (server) => {
        await story.check(server, 'Narthex after Prometheus');
        await story.write(server, hour / 4);
        await story.delete(server, 'counter', 'n', '9', 300, story.steps);
        await story.check(server, 'Narthex after Prometheus, deleted');
      });
      await withServer(peer(data), async (server) => {
        await story.check(server, 'Prometheus after all');
        await assertSound(server);
        await story.write(server, story.steps, PEER_REQUEST_STEPS);
      });
      await withServer(narthex(data, 1), async (server) => {
        await story.check(server, 'Narthex after all');
        assert.doesNotMatch(server.log(), /level=(WARN|ERROR)/, server.log());
      });
      story.ledger.checkDump(readByPromtool(data), PREFIX, 'promtool at the end');
    }),
);

const FIXTURE_MATCH = 'fx_card{id=~"1.*"}';
const [DELETED_FROM_MS, DELETED_TO_MS] = [1_767_226_000_000, 1_767_226_600_000];

test(
  'a directory of Prometheus with blocks and a log comes back from Narthex as it was, with what was added',
  {
    skip: skip || conformanceMissing(),
    timeout: 120_000,
  },
  () =>
    withFolder(async (folder) => {
      const data = join(folder, 'data');
      cpSync(conformance('tsdb/blocks/data'), data, { recursive: true, mode: 0 });
      assert.equal(spawnSync('chmod', ['-R', 'u+w', data]).status, 0);
      const story = new Story(Math.floor((Date.now() - 2 * HOUR_MS) / HOUR_MS) * HOUR_MS);
      const third = Math.floor(story.steps / 3);
      await withServer(peer(data), async (server) => {
        await story.write(server, third, PEER_REQUEST_STEPS);
        await story.delete(server, 'counter', 'n', '1', 10, 20);
      });
      const others = (text: string) => text.split('\n').filter((line) => !line.includes(`"${PREFIX}`));
      const before = others(readByPromtool(data));
      assert.ok(before.length > 40_000);

      await withServer(narthex(data, 2), async (server) => {
        await story.check(server, 'Narthex');
        await story.write(server, third);
        await story.delete(server, 'histogram', 'n', '0', 0, 5);
        await deleteSeries(server, FIXTURE_MATCH, DELETED_FROM_MS, DELETED_TO_MS);
        await story.check(server, 'Narthex, deleted');
      });
      assert.ok(existsSync(join(data, 'wal')));
      const left = before.filter((line) => {
        const [, id, timeMs] = /__name__="fx_card", id="(\d+)".* (\d+)$/.exec(line) ?? [];
        return !(id?.startsWith('1') && Number(timeMs) >= DELETED_FROM_MS && Number(timeMs) <= DELETED_TO_MS);
      });
      assert.ok(left.length < before.length);
      const dump = readByPromtool(data);
      assert.deepEqual(others(dump).sort(), left.sort());
      story.ledger.checkDump(dump, PREFIX, 'promtool');

      await withServer(peer(data), async (server) => {
        await story.check(server, 'Prometheus');
        await assertSound(server);
      });
    }),
);
