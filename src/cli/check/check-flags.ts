// Flags and lints of checks.

import { durationFlag, type Flag, switchFlag, valueFlag } from '../flag.js';
import type { ToolWorld } from '../tool/command.js';

/** Flags of all checks. */
export const checkFlags = {
  lookbackMs: durationFlag(
    'query.lookback-delta',
    '5m',
    'How long the server shows a sample: longer scrape intervals leave gaps.',
  ),
  extended: switchFlag('extended', false, 'Of metrics: say how many series each has, too.'),
};

export const lintFatal = switchFlag('lint-fatal', false, 'End with exit code 3 where something is odd.');

export const ignoreUnknown = switchFlag(
  'ignore-unknown-fields',
  false,
  'Pass over keys of rule files that are not known.',
);

/** What to look for beside faults, by commas. */
export function lintFlag(options: readonly string[]): Flag<string> {
  const help = `What to look for beside faults: some of ${options.join(', ')}.`;
  return valueFlag('lint', 'duplicate-rules', help, (text) => text);
}

/** Whether an option is among those asked for. */
export function isAsked(lint: string, option: string): boolean {
  const asked = lint.split(',');
  return asked.includes(option) || asked.includes('all');
}

/** Says which of the options asked for are none. */
export function warnOfUnknown({ out }: ToolWorld, lint: string, options: readonly string[]): void {
  for (const asked of lint.split(',')) {
    if (!options.includes(asked)) out.line(`WARNING: unknown lint option: ${JSON.stringify(asked)}`);
  }
}
