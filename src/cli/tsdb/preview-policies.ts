// `tsdb preview-policies`: what a file of policies would free of the blocks of a data directory.

import { formatBytes } from '../../config/values.js';
import { type PolicyPreview, previewing } from '../../tsdb/downsample/preview.js';
import { policiesOf } from '../../tsdb/downsample/read-policies.js';
import { Core } from '../../wasm/core.js';
import { ToolError, type ToolWorld } from '../tool/command.js';
import { columns } from '../tool/go-text.js';
import { listedBlocks } from './data-folder.js';

const HEAD = ['POLICY', 'BLOCKS', 'SERIES', 'SAMPLES', 'LEFT', 'SIZE', 'LEFT', 'FREED'];
const WIDTH_MIN = 8;
const PADDING = 2;

export interface PreviewRequest {
  readonly folder: string;
  readonly file: string;
  readonly isForHumans: boolean;
}

export function previewPolicies({ disk, out }: ToolWorld, { folder, file, isForHumans }: PreviewRequest): void {
  if (disk.stat(file) === undefined) throw new ToolError(`open ${file}: no such file or directory`);
  const policies = policiesOf(new TextDecoder().decode(disk.readFile(file)), file);
  const steps = previewing(disk, new Core(), listedBlocks(disk, folder), { policies, floats: 'same' });
  for (;;) {
    const { done, value } = steps.next();
    if (done !== true) continue;
    const rows = value.map((row) => rowOf(row, isForHumans));
    for (const line of columns([HEAD, ...rows], WIDTH_MIN, PADDING)) out.line(line);
    return;
  }
}

function rowOf(
  { name, blocks, series, samples, samplesLeft, bytes, bytesLeft }: PolicyPreview,
  isForHumans: boolean,
): string[] {
  const size = isForHumans ? formatBytes : String;
  const counts = [blocks, series, samples, samplesLeft].map(String);
  return [name, ...counts, ...[bytes, bytesLeft, bytes - bytesLeft].map(size)];
}
