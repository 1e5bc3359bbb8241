// `tsdb list`: which blocks there are, in promtool's columns.

import type { Disk } from '../../base/disk.js';
import { formatBytes } from '../../config/values.js';
import type { ListedBlock } from '../../tsdb/block/open-blocks.js';
import { columns, goDuration, goTime } from '../tool/go-text.js';
import { listedBlocks } from './data-folder.js';

const HEAD = [
  'BLOCK ULID',
  'MIN TIME',
  'MAX TIME',
  'DURATION',
  'NUM SAMPLES',
  'NUM CHUNKS',
  'NUM SERIES',
  'SIZE',
] as const;
/** Of every column but the last. */
const WIDTH_MIN = 13;
const PADDING = 2;

export function listLines(disk: Disk, folder: string, isForHumans: boolean): string[] {
  return blockTable(listedBlocks(disk, folder), isForHumans);
}

/** Blocks in lines; what was printed before has the head. */
export function blockTable(blocks: readonly ListedBlock[], isForHumans: boolean, hasHead = true): string[] {
  const rows = blocks.map((block) => rowOf(block, isForHumans));
  return columns(hasHead ? [HEAD, ...rows] : rows, WIDTH_MIN, PADDING);
}

function rowOf({ meta, sizeBytes }: ListedBlock, isForHumans: boolean): string[] {
  const { ulid, minTimeMs, maxTimeMs, stats } = meta;
  const time = isForHumans ? goTime : String;
  const size = isForHumans ? formatBytes : String;
  const counts = [stats.samples, stats.chunks, stats.series].map(String);
  return [ulid, time(minTimeMs), time(maxTimeMs), goDuration(maxTimeMs - minTimeMs), ...counts, size(sizeBytes)];
}
