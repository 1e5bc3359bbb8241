// `tsdb create-blocks-from rules`: what recording rules would have recorded, asked of a server, as blocks.
//
//   each group, each recording rule, each window of a block:  query_range ──► labels of the rule over those of the result

import { ConfigError } from '../../config/error.js';
import { parseRuleFile, type Rule, type RuleGroup } from '../../config/rule-file.js';
import { type Labels, labelsOf, METRIC_NAME, mergeLabels } from '../../model/labels.js';
import { firstEvaluation } from '../../rules/group-times.js';
import type { BlockImport } from '../../tsdb/import/import.js';
import { ToolError, type ToolWorld } from '../tool/command.js';
import { ToolServer } from '../tool/server.js';
import { type BlocksRequest, blockSpan, fillBlocks } from './create-blocks.js';
import { RangeClient } from './range-client.js';

export interface RulesRequest extends BlocksRequest {
  readonly files: readonly string[];
  readonly url: string;
  readonly httpConfigFile: string;
  readonly startMs: number;
  /** Three hours ago where absent, since later samples may not be in blocks yet. */
  readonly endMs: number | undefined;
  readonly evalIntervalMs: number;
}

const NEWEST_AGE_MS = 3 * 3_600_000;

export async function createFromRules(world: ToolWorld, request: RulesRequest): Promise<void> {
  const startMs = wholeSeconds(request.startMs);
  const endMs = wholeSeconds(request.endMs ?? world.clock.nowMs() - NEWEST_AGE_MS);
  if (endMs <= startMs) throw new ToolError('start time is not before end time');
  const groups = request.files.flatMap((file) => groupsOf(world, file).map((group) => ({ file, group })));
  const client = new RangeClient(new ToolServer(world, request.url, request), world.warn);
  try {
    await fillBlocks(world, request, async (target) => {
      for (const { file, group } of groups) {
        const intervalMs = group.intervalMs ?? request.evalIntervalMs;
        const timed = { file, name: group.name, intervalMs };
        for (const rule of group.rules) {
          if (rule.record === '') continue;
          const labels = labelsOfRule(group, rule);
          for (const window of windowsOf(startMs, endMs, blockSpan(request.blockMsMax))) {
            const fromMs = firstEvaluation(timed, window.fromMs);
            if (fromMs > window.toMs) continue;
            const range = { startMs: fromMs, endMs: window.toMs, stepMs: intervalMs };
            await addRule(target, client, rule.expr, labels, range);
          }
        }
      }
    });
  } finally {
    client.close();
  }
}

async function addRule(
  target: BlockImport,
  client: RangeClient,
  expr: string,
  labels: Labels,
  range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
): Promise<void> {
  for (const series of await client.range(expr, range)) {
    if (target.isFull) target.spill();
    let number = target.addLabels(mergeLabels(series.labels, labels));
    for (const { timeMs, bits } of series.samples) {
      if (target.isFull) {
        target.spill();
        number = target.addLabels(mergeLabels(series.labels, labels));
      }
      target.add(number, timeMs, bits);
    }
  }
}

/** Blocks' windows between two times, cut to these: both ends included. */
function windowsOf(startMs: number, endMs: number, blockMs: number): { fromMs: number; toMs: number }[] {
  const windows: { fromMs: number; toMs: number }[] = [];
  for (let from = Math.floor(startMs / blockMs) * blockMs; from <= endMs; from += blockMs) {
    windows.push({ fromMs: Math.max(from, startMs), toMs: Math.min(wholeSeconds(from + blockMs - 1), endMs) });
  }
  return windows;
}

/** The rule's win over the group's. */
function labelsOfRule(group: RuleGroup, rule: Rule): Labels {
  return labelsOf([...group.labels, ...rule.labels, [METRIC_NAME, rule.record]]);
}

function groupsOf({ disk }: ToolWorld, file: string): readonly RuleGroup[] {
  try {
    return parseRuleFile(new TextDecoder().decode(disk.readFile(file)));
  } catch (error) {
    if (error instanceof ConfigError) throw new ToolError(`${file}: ${error.message}`);
    throw error;
  }
}

function wholeSeconds(timeMs: number): number {
  return Math.floor(timeMs / 1000) * 1000;
}
