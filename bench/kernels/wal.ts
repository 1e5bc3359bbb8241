// The log: checksums, framing and writing, syncing, reading. `node dist/bench/kernels/wal.js [filter]`
//
// Files lie in the system's folder for temporary files, or in $BENCH_DIR: choose a real disk for the sync.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { realDisk } from '../../src/base/disk.js';
import { readSegments } from '../../src/tsdb/wal/reader.js';
import { encodeSamples } from '../../src/tsdb/wal/record.js';
import { LogWriter, type WriterOptions } from '../../src/tsdb/wal/writer.js';
import { Core } from '../../src/wasm/core.js';
import { Crc32c } from '../../src/wasm/crc32c.js';
import { type Micro, printAll } from './micro.js';

/** A scrape of 2,000 samples: about 22 KB. */
const RECORD = encodeSamples(
  Array.from({ length: 2000 }, (_, ref) => ({ ref, timeMs: 1_700_000_000_000, bits: BigInt(ref) << 40n })),
);
const MB = 1e6;

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function emptyFolder(): string {
  const folder = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'narthex-bench-'));
  folders.push(folder);
  return folder;
}

function checksum(bytes: number): Micro {
  return {
    name: `crc32c of ${bytes} bytes`,
    unit: 'MB',
    prepare: () => {
      const core = new Core();
      const crc = new Crc32c(core);
      const at = core.exports.heap_alloc(bytes) >>> 0;
      core.bytes.fill(0x5a, at, at + bytes);
      const rounds = Math.ceil(MB / bytes);
      return () => {
        for (let i = 0; i < rounds; i++) crc.at(at, bytes);
        return (rounds * bytes) / MB;
      };
    },
  };
}

function writerIn(folder: string, options: Partial<WriterOptions> = {}): LogWriter {
  return new LogWriter({ disk: realDisk, folder, core: new Core(), segment: 0, ...options });
}

/** Framing, checksum and write, no sync. */
const append: Micro = {
  name: 'log append, 22 KB records',
  unit: 'MB',
  prepare: () => {
    const writer = writerIn(emptyFolder(), { keepUnsynced: false, stepBytes: 0, segmentBytes: 16 * MB });
    return () => {
      for (let i = 0; i < 10; i++) writer.append([[RECORD]]);
      return (10 * RECORD.length) / MB;
    };
  },
};

/** A durable commit of one record. */
function commit(name: string, stepBytes: number | undefined): Micro {
  return {
    name: `log commit and fdatasync, 22 KB, ${name}`,
    unit: 'commit',
    prepare: () => {
      const writer = writerIn(emptyFolder(), { stepBytes, segmentBytes: 64 * MB });
      return () => {
        for (let i = 0; i < 20; i++) {
          writer.append([[RECORD]]);
          writer.sync();
          writer.prepare();
        }
        return 20;
      };
    },
  };
}

function read(records: number, length: number): Micro {
  return {
    name: `log read, ${length} B records`,
    unit: 'MB',
    prepare: () => {
      const folder = emptyFolder();
      const writer = writerIn(folder, { keepUnsynced: false, stepBytes: 0 });
      const batch = Array.from({ length: records / 10 }, () => [RECORD.subarray(0, length)]);
      for (let i = 0; i < 10; i++) writer.append(batch);
      writer.close();
      const core = new Core();
      return () => {
        let sum = 0;
        const { bytes } = readSegments(
          { disk: realDisk, folder, core },
          { record: (record) => void (sum += record.length) },
        );
        if (sum !== records * length) throw new Error('the log is not whole');
        return bytes / MB;
      };
    },
  };
}

export const walMicros: readonly Micro[] = [
  checksum(200),
  checksum(4000),
  checksum(32_000),
  append,
  commit('into zeroes written ahead', undefined),
  commit('at the end of the file', 0),
  read(2000, RECORD.length),
  read(200_000, 200),
];

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) printAll(walMicros);
