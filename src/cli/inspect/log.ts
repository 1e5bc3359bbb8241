// Prints the write-ahead log as docs/formats/wal.md draws it: records with their places, entries below them.

import type { Disk } from '../../base/disk.js';
import { formatLabels } from '../../model/labels.js';
import { formatFloat } from '../../model/number.js';
import { quote } from '../../model/quote.js';
import { BytesError } from '../../tsdb/bytes.js';
import { readManifest } from '../../tsdb/wal/manifest.js';
import { readingSegments } from '../../tsdb/wal/reader.js';
import {
  decodeMetadata,
  decodeSamples,
  decodeSeries,
  decodeTombstones,
  RecordType,
  recordTypeName,
} from '../../tsdb/wal/record.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { at } from './line.js';

/** Bits of the NaN that ends a series. */
const STALE = 0x7ff0000000000002n;

/** The segments `from` to `to` of a folder, all of them where these are absent. Damage is printed where it is. */
export function* inspectLog(
  disk: Disk,
  core: Core,
  folder: string,
  segments: { from?: number; to?: number } = {},
): Generator<string, void, void> {
  let lines: string[] = [];
  const reading = readingSegments(
    { disk, core, folder, ...segments },
    {
      record({ type, bytes, segment, offset }) {
        // The bytes are lent, and lie in shared memory.
        lines.push(...recordLines(type, bytes.slice(), `${segment}:${offset}`));
      },
      damage({ segment, offset, bytes, reason, torn }) {
        lines.push(at(`${segment}:${offset}`, `DAMAGED, ${bytes} bytes: ${reason}${torn ? ', a torn tail' : ''}`));
      },
      segment(segment, bytes) {
        lines.push(at(`${segment}:${bytes}`, 'end of the segment'));
      },
    },
  );
  for (let done = false; !done; ) {
    done = reading.next().done === true;
    yield* lines;
    lines = [];
  }
}

/** What the log is known to hold. */
export function* inspectManifest(disk: Disk, core: Core, path: string): Generator<string, void, void> {
  const found = readManifest(disk, path, new Crc32c(core));
  if (found.outcome !== 'found') {
    yield `manifest of the log, ${found.outcome}`;
    return;
  }
  yield `manifest of the log, generation ${found.generation}`;
  yield at(found.state.highest, 'the highest segment');
  const { checkpoint } = found.state;
  if (checkpoint !== undefined) yield at(checkpoint.last, `a checkpoint of ${checkpoint.bytes} bytes`);
  for (const [segment, bytes] of found.state.synced) yield at(segment, `${bytes} bytes synced`, 4);
}

function recordLines(type: number, bytes: Uint8Array, place: string): string[] {
  const title = at(place, `${recordTypeName(type)} (${type}), ${bytes.length} bytes`);
  try {
    return [title, ...entryLines(type, bytes)];
  } catch (error) {
    if (error instanceof BytesError) return [title, `    MALFORMED: ${error.message}`];
    throw error;
  }
}

/** The entries of the types that are decoded here; nothing of others. */
function entryLines(type: number, bytes: Uint8Array): string[] {
  switch (type) {
    case RecordType.Series:
      return decodeSeries(bytes).map(({ ref, labels }) => at(ref, formatLabels(labels), 4));
    case RecordType.Samples:
      return decodeSamples(bytes).map(({ ref, timeMs, bits }) => at(ref, `${timeMs}  ${formatBits(bits)}`, 4));
    case RecordType.Tombstones:
      return decodeTombstones(bytes).map(({ ref, mint, maxt }) => at(ref, `${mint} … ${maxt}`, 4));
    case RecordType.Metadata:
      return decodeMetadata(bytes).map(({ ref, type: kind, unit, help }) =>
        at(ref, `${kind}  unit ${quote(unit)}  help ${quote(help)}`, 4),
      );
    default:
      return [];
  }
}

function formatBits(bits: bigint): string {
  if (bits === STALE) return 'stale';
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return formatFloat(view.getFloat64(0));
}
