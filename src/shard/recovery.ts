// Reading the log back into a shard: every shard reads all of it and keeps what it owns.

import type { Disk } from '../base/disk.js';
import { familyOf } from '../model/family.js';
import { METRIC_NAME, valueOf } from '../model/labels.js';
import { BytesError } from '../tsdb/bytes.js';
import { decodeHistogramRecord } from '../tsdb/wal/histogram-record.js';
import { openLog } from '../tsdb/wal/open.js';
import { decodeMetadata, decodeTombstones, RecordType } from '../tsdb/wal/record.js';
import type { Core } from '../wasm/core.js';
import { type Head, NO_SERIES } from '../wasm/head.js';
import { labelTableOf } from '../wasm/places.js';
import { decodeLabels } from './columns.js';
import { ExemplarReplay } from './exemplar-replay.js';
import type { ShardExemplars } from './exemplars.js';
import type { Families } from './families.js';
import type { HistogramStore } from './histogram-store.js';
import { LateReplay } from './late/late-replay.js';
import type { LateStore } from './late/late-store.js';
import type { Reply, Request } from './protocol.js';
import type { ShardPlace } from './targets.js';

/** Enough to see what is wrong. */
const MALFORMED_MAX = 20;

/** Beyond this share of the memory, the oldest samples go while the log is read, until the other share is left. */
const CROWDED_SHARE = 0.9;
const ROOMY_SHARE = 0.8;
/** By how much the span of time in memory shrinks then, step by step, and where that ends. */
const SPAN_LEFT = 3 / 4;
const SPAN_MIN_MS = 300_000;

/** What the log is read into. */
export interface ReplayRooms {
  readonly disk: Disk;
  readonly core: Core;
  readonly head: Head;
  readonly histograms: HistogramStore;
  readonly late: LateStore;
  readonly exemplars: ShardExemplars;
  readonly families: Families;
}

export function replayLog(
  rooms: ReplayRooms,
  place: ShardPlace,
  memoryBytes: number,
  request: Request<'replay'>,
): Reply<'replay'> {
  const { disk, core, head, histograms, late, exemplars, families } = rooms;
  const { folder, ownFolder, repair, minTimeMs, progress } = request;
  const malformed: string[] = [];
  let skippedRecords = 0;
  const lateReplay = new LateReplay(head, late);
  head.beginReplay(place.index, place.count);
  const exemplarReplay = new ExemplarReplay(core, head, exemplars);
  let spanMs = request.spanMs;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  const heldBytes = () => core.heldBytes + histograms.bytes;
  const makeRoom = (): void => {
    const newestMs = head.replayNewestMs;
    if (newestMs - triedAtMs < (spanMs * (1 - SPAN_LEFT)) / 2) return;
    triedAtMs = newestMs;
    do {
      spanMs = Math.max(SPAN_MIN_MS, spanMs * SPAN_LEFT);
      head.dropChunks(newestMs - spanMs);
      histograms.dropBefore(newestMs - spanMs);
    } while (heldBytes() > ROOMY_SHARE * memoryBytes && spanMs > SPAN_MIN_MS);
  };
  const apply = (type: number, address: number, length: number): string | undefined => {
    switch (type) {
      case RecordType.Series:
        return head.replaySeries(address, length);
      case RecordType.Samples: {
        const fault = head.replaySamples(address, length, minTimeMs);
        lateReplay.takeEarlier();
        return fault;
      }
      case RecordType.Tombstones: {
        const record = core.bytes.subarray(address, address + length);
        const fault = head.replayTombstones(address, length) ?? deleteHistograms(head, histograms, record);
        if (fault === undefined) lateReplay.delete(core.bytes.subarray(address, address + length));
        return fault;
      }
      case RecordType.HistogramSamples:
      case RecordType.FloatHistogramSamples:
      case RecordType.CustomBucketsHistogramSamples:
      case RecordType.CustomBucketsFloatHistogramSamples:
        return replayHistograms(rooms, core.bytes.subarray(address, address + length), minTimeMs);
      case RecordType.Metadata:
        return replayMetadata(core, head, families, core.bytes.subarray(address, address + length));
      case RecordType.Exemplars:
        return exemplarReplay.take(core.bytes.subarray(address, address + length));
      default:
        skippedRecords++;
        return undefined;
    }
  };
  const opened = openLog(
    { disk, folder, ownFolder, core, repair },
    {
      record: ({ type, address, length, segment, offset }) => {
        progress[place.index] = segment;
        if (heldBytes() > CROWDED_SHARE * memoryBytes) makeRoom();
        const fault = apply(type, address, length);
        if (fault !== undefined && malformed.length < MALFORMED_MAX) {
          malformed.push(`segment ${segment}, byte ${offset}: ${fault}`);
        }
      },
    },
  );
  const openedLate = request.late && openLog({ disk, core, repair, ...request.late }, lateReplay);
  const lateDeleted = openedLate?.isForeign ? lateReplay.deleteAsPrometheus() : 0;
  malformed.push(...lateReplay.malformed.slice(0, MALFORMED_MAX));
  return {
    ...{ opened, openedLate, lateApplied: lateReplay.applied, lateDeleted, skippedRecords, malformed },
    ...{ exemplars: exemplarReplay.end(), families: families.list(undefined) },
    ...{ totals: head.endReplay(), series: head.seriesCount },
  };
}

/** What the series of this shard say of their families. */
function replayMetadata(core: Core, head: Head, families: Families, record: Uint8Array): string | undefined {
  try {
    for (const { ref, type, unit, help } of decodeMetadata(record)) {
      const series = head.replayFind(ref);
      if (series === NO_SERIES) continue;
      const { strings, rows } = labelTableOf(core, [series]);
      const name = valueOf(decodeLabels(strings, rows, 1)[0]!, METRIC_NAME);
      families.learn({ metric: familyOf(name, type), type, unit, help });
    }
    return undefined;
  } catch (error) {
    if (error instanceof BytesError) return `metadata: ${error.message}`;
    throw error;
  }
}

/** Histograms that tombstones name go from what was replayed so far. */
function deleteHistograms(head: Head, histograms: HistogramStore, record: Uint8Array): undefined {
  if (histograms.isEmpty) return;
  for (const { ref, mint, maxt } of decodeTombstones(record)) {
    const series = head.replayFind(ref);
    if (series !== NO_SERIES) histograms.delete(series, mint, maxt);
  }
}

/** What of a record is this shard's; a reason where it is malformed: then nothing of it is. */
function replayHistograms(
  { head, histograms, late }: ReplayRooms,
  record: Uint8Array,
  minTimeMs: number,
): string | undefined {
  try {
    for (const { ref, timeMs, histogram } of decodeHistogramRecord(record)) {
      const series = head.replayFind(ref);
      if (series === NO_SERIES || timeMs < minTimeMs || histograms.replay(series, timeMs, histogram)) continue;
      if (timeMs < head.newestMs(series)) late.replay(series, timeMs, histogram);
    }
    return undefined;
  } catch (error) {
    if (error instanceof BytesError) return `histograms: ${error.message}`;
    throw error;
  }
}
