// A process that commits to a log as fast as it can, for tests that kill it.
//
//   node log-process.js <data directory> <first id>
//
// Commit i is one sample of each of SERIES series, at BASE_MS + i, with the value i. Its number is
// printed, one a line, when the log says that it is on the disk.

import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { realClock } from '../../src/base/clock.js';
import { realDisk } from '../../src/base/disk.js';
import { Log } from '../../src/tsdb/wal/log.js';
import { openLog } from '../../src/tsdb/wal/open.js';
import { encodeSamples, encodeSeries } from '../../src/tsdb/wal/record.js';
import { Core } from '../../src/wasm/core.js';

export const SERIES = 50;
/** In the middle of a block's range, an hour or two ago. */
export const BASE_MS = Math.floor(Date.now() / 7_200_000) * 7_200_000 - 3_600_000;

const CLIENTS = 4;

async function main(data: string, firstId: number, baseMs: number): Promise<void> {
  const core = new Core();
  const opened = openLog(
    { disk: realDisk, folder: `${data}/wal`, ownFolder: `${data}/narthex`, core },
    { record: () => {} },
  );
  const log = new Log({
    disk: realDisk,
    folder: `${data}/wal`,
    core,
    clock: realClock,
    opened,
    segmentBytes: 256 * 1024,
    stepBytes: 64 * 1024,
  });
  if (firstId === 0) {
    const series = Array.from({ length: SERIES }, (_, ref) => ({
      ref: ref + 1,
      labels: ['__name__', 'x', 'n', `${ref}`],
    }));
    await log.commit({ records: [[encodeSeries(series)]], durable: true });
  }
  let next = firstId;
  const bits = new DataView(new ArrayBuffer(8));
  const client = async () => {
    for (;;) {
      const id = next++;
      bits.setFloat64(0, id);
      const samples = Array.from({ length: SERIES }, (_, ref) => ({
        ref: ref + 1,
        timeMs: baseMs + id,
        bits: bits.getBigUint64(0),
      }));
      await log.commit({ records: [[encodeSamples(samples)]], durable: true });
      writeSync(1, `${id}\n`);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [data, firstId, baseMs] = process.argv.slice(2);
  await main(data!, Number(firstId), Number(baseMs));
}
