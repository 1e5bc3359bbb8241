// What damage takes from a log: the records that could be read before and cannot be any more, and the samples in them. The rest is to
// be read, whatever the damage does to records of series.

import type { Disk } from '../../src/base/disk.js';
import { decodeHistogramRecord, isHistogramRecord } from '../../src/tsdb/wal/histogram-record.js';
import { openLog } from '../../src/tsdb/wal/open.js';
import { decodeSamples, decodeSeries, RecordType } from '../../src/tsdb/wal/record.js';
import { Core } from '../../src/wasm/core.js';
import { seriesKey } from './simulation/model.js';

let core: Core | undefined;

/** Each record of a directory's log as text, and how often it is there. */
export type LogRecords = ReadonlyMap<string, number>;

export interface LostRecords {
  readonly count: number;
  /** How many name series; whether there are deletions among them. */
  readonly ofSeries: number;
  readonly hasDeletions: boolean;
  /** As `series time`. */
  readonly samples: ReadonlySet<string>;
}

/** Changes nothing. */
export function logRecords(disk: Disk, data: string): LogRecords {
  core ??= new Core();
  const records = new Map<string, number>();
  openLog(
    { disk, folder: `${data}/wal`, ownFolder: `${data}/narthex`, core, repair: false },
    {
      record({ bytes }) {
        const text = Buffer.from(bytes).toString('latin1');
        records.set(text, (records.get(text) ?? 0) + 1);
      },
    },
  );
  return records;
}

export function lostRecords(before: LogRecords, after: LogRecords): LostRecords {
  const lost = [...before].filter(([text, count]) => (after.get(text) ?? 0) < count).map(([text]) => text);
  const names = new Map<number, string>();
  for (const text of before.keys()) {
    if (typeOf(text) !== RecordType.Series) continue;
    for (const { ref, labels } of decodeSeries(bytesOf(text))) names.set(ref, seriesKey(labels));
  }
  const entries = lost.flatMap((text): readonly { ref: number; timeMs: number }[] => {
    if (typeOf(text) === RecordType.Samples) return decodeSamples(bytesOf(text));
    return isHistogramRecord(typeOf(text)) ? decodeHistogramRecord(bytesOf(text)) : [];
  });
  return {
    count: lost.length,
    ofSeries: lost.filter((text) => typeOf(text) === RecordType.Series).length,
    hasDeletions: lost.some((text) => typeOf(text) === RecordType.Tombstones),
    samples: new Set(entries.map(({ ref, timeMs }) => `${names.get(ref)} ${timeMs}`)),
  };
}

function typeOf(text: string): number {
  return text.charCodeAt(0);
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
