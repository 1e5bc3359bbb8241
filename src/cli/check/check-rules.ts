// `narthex check rules`: whether rule files would be taken, and what is odd about them, with promtool's words and exit codes.

import { DiskError } from '../../base/disk.js';
import { ConfigError } from '../../config/error.js';
import { type RuleGroup, readRuleFile } from '../../config/rule-file.js';
import { compareLabels, compareStrings, keyOf, labelsOf, pairsOf } from '../../model/labels.js';
import { linesOf, pointAt } from '../tool/caret.js';
import { SaidFailure, type ToolWorld } from '../tool/command.js';

/** How one file is looked at. */
export interface RuleOptions {
  /** Whether to look for rules that are there twice. */
  readonly lintsDuplicates: boolean;
  readonly ignoreUnknown: boolean;
}

export interface RuleCheck extends RuleOptions {
  readonly files: readonly string[];
  /** Whether what is odd is a failure. */
  readonly isLintFatal: boolean;
}

const STANDARD_INPUT = '/dev/stdin';

/** The exit code where nothing is wrong but something is odd. */
export const LINT_CODE = 3;

/** Goes on behind a bad file; throws SaidFailure where something is wrong. */
export function checkRuleFiles(world: ToolWorld, { files, isLintFatal, ...options }: RuleCheck): void {
  let hasFaults = false;
  let hasLints = false;
  for (const file of files.length === 0 ? [STANDARD_INPUT] : files) {
    world.out.line(`Checking ${file === STANDARD_INPUT ? 'standard input' : file}`);
    const found = checkRuleFile(world, file, options);
    hasFaults ||= found === 'faults';
    hasLints ||= found === 'lints';
    if (found !== 'faults') world.out.line('');
  }
  if (hasFaults) throw new SaidFailure('rules are wrong');
  if (hasLints && isLintFatal) throw new SaidFailure('rules are odd', LINT_CODE);
}

/** Says what is wrong with one file, or how many rules it has. */
export function checkRuleFile(
  { disk, out, warn, isWatched }: ToolWorld,
  file: string,
  { lintsDuplicates, ignoreUnknown }: RuleOptions,
): 'good' | 'faults' | 'lints' {
  const failed = (lines: readonly string[]) => {
    warn('  FAILED:');
    for (const line of lines) warn(line);
  };
  let groups: readonly RuleGroup[];
  let text = '';
  try {
    text = new TextDecoder().decode(disk.readFile(file));
    const read = readRuleFile(text, { ignoreUnknown });
    if (read.faults.length > 0) {
      failed(read.faults.flatMap((fault) => [`${file}: ${fault}`, ...(isWatched ? pointed(text, fault) : [])]));
      return 'faults';
    }
    groups = read.groups;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof DiskError)) throw error;
    failed([`${file}: ${error.message}`, ...(isWatched ? linesOf(text, error.message) : [])]);
    return 'faults';
  }
  const odd = lintsDuplicates ? duplicates(groups) : undefined;
  if (odd !== undefined) {
    failed([`lint error ${odd}`]);
    return 'lints';
  }
  const count = groups.reduce((sum, { rules }) => sum + rules.length, 0);
  out.line(`  SUCCESS: ${count} rules found`);
  return 'good';
}

/** The place that a fault begins with, for people. */
function pointed(text: string, fault: string): readonly string[] {
  const [, line, column] = /^(\d+):(\d+): /.exec(fault) ?? [];
  return line === undefined ? [] : pointAt(text, { line: Number(line), column: Number(column) });
}

/** Rules of the same name and labels; undefined where there are none. */
function duplicates(groups: readonly RuleGroup[]): string | undefined {
  const known = groups.flatMap(({ labels: ofGroup, rules }) => {
    return rules.map(({ record, alert, labels: own }) => {
      const [name, labels] = [alert || record, labelsOf([...ofGroup, ...own])];
      return { name, labels, key: keyOf([name, ...labels]) };
    });
  });
  known.sort((a, b) => compareStrings(a.name, b.name) || compareLabels(a.labels, b.labels));
  const twice = known.filter(({ key }, i) => known[i - 1]?.key === key && known[i - 2]?.key !== key);
  if (twice.length === 0) return undefined;
  const texts = twice.map(({ name, labels }) => {
    return `Metric: ${name}\nLabel(s):\n${[...pairsOf(labels)].map(([label, value]) => `\t${label}: ${value}\n`).join('')}`;
  });
  return `${twice.length} duplicate rule(s) found.\n${texts.join('')}Might cause inconsistency while recording expressions`;
}
