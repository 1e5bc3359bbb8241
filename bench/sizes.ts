// `npm run bench -- sizes`: what a day of a fleet's samples takes on the disk, by how it is stored.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realDisk } from '../src/base/disk.js';
import { bitsOf } from '../src/model/stored-histogram.js';
import type { BlockMeta } from '../src/tsdb/block/contract.js';
import { listBlocks } from '../src/tsdb/block/open-blocks.js';
import { compacting } from '../src/tsdb/compact/compact.js';
import { NO_POLICIES, type Policies } from '../src/tsdb/downsample/policies.js';
import type { RewriteSettings } from '../src/tsdb/downsample/series-rewriter.js';
import { BlockImport } from '../src/tsdb/import/import.js';
import { Core } from '../src/wasm/core.js';
import { Fleet } from './workloads/fleet.js';

const SERIES = 1000;
const STEP_MS = 15_000;
const DAY_MS = 86_400_000;
const STEPS = DAY_MS / STEP_MS;
const START_MS = Date.UTC(2026, 0, 1);

/** Makes the blocks in a folder that goes afterwards; prints a table. */
export function sizes(): number {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-sizes-'));
  try {
    const core = new Core();
    const raw = importDay(core, folder);
    const samples = raw.stats.samples;
    const print = (what: string, bytes: number) =>
      console.log(
        `${what.padEnd(28)}${(bytes / 1e6).toFixed(2).padStart(8)} MB${(bytes / samples).toFixed(3).padStart(8)} B/sample`,
      );
    console.log(`${SERIES} series, ${samples} samples, one block of a day`);
    print('XOR', sizeOf(folder, raw));
    const rows: [what: string, settings: RewriteSettings][] = [
      ['XOR2', { policies: NO_POLICIES, floats: 'xor2' }],
      ['5 m and aggregates', { policies: lowering(300_000), floats: 'same' }],
      ['5 m and aggregates, XOR2', { policies: lowering(300_000), floats: 'xor2' }],
      ['1 h and aggregates', { policies: lowering(3_600_000), floats: 'same' }],
    ];
    for (const [what, settings] of rows) {
      const steps = compacting({
        disk: realDisk,
        core,
        dataFolder: folder,
        blocks: [raw],
        nowMs: Date.now(),
        settings,
        ageMs: 2,
      });
      for (;;) {
        const { done, value } = steps.next();
        if (done !== true) continue;
        print(what, sizeOf(folder, value!));
        break;
      }
    }
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function importDay(core: Core, folder: string): BlockMeta {
  const fleet = new Fleet({ series: SERIES, perInstance: SERIES / 4 }, 1);
  const target = new BlockImport({ disk: realDisk, core, folder, blockMs: DAY_MS, nowMs: Date.now() });
  for (let series = 0; series < SERIES; series++) {
    const labels = fleet.labels(series).flat();
    let number = -1;
    for (let step = 0; step < STEPS; step++) {
      if (target.isFull) {
        target.spill();
        number = -1;
      }
      if (number < 0) number = target.addLabels(labels);
      target.add(number, START_MS + step * STEP_MS, bitsOf(fleet.values.at(series, step)));
    }
  }
  const steps = target.finish();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value[0]!;
  }
}

function lowering(resolutionMs: number): Policies {
  const policy = { name: 'all', selectors: [[]], retentionMs: 0, stages: [{ afterMs: 1, resolutionMs }] };
  return { list: [policy], fingerprint: 'bench' };
}

/** All files of a block. */
function sizeOf(folder: string, { ulid }: BlockMeta): number {
  return listBlocks(realDisk, folder).blocks.find(({ meta }) => meta.ulid === ulid)!.sizeBytes;
}
