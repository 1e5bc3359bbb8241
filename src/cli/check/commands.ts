// The commands of `narthex check`: they look at files without a server, and say of each whether it would do, in the words
// of `promtool check`.

import type { Disk } from '../../base/disk.js';
import { ConfigError } from '../../config/error.js';
import { readWebSettings } from '../../web/access/settings.js';
import { FlagError, switchFlag, wordFlag } from '../flag.js';
import { type Command, command, SaidFailure, type ToolWorld } from '../tsdb/command.js';
import { checkConfigFiles } from './check-config.js';
import { checkRuleFiles } from './check-rules.js';

const webConfig = command({
  path: ['web-config'],
  help: 'Check whether web configuration files are good: TLS, users, headers, rate limit.',
  flags: {},
  words: ['<web-config-files>...'],
  run: (world, { words }) => checkFiles(world, words, (disk, path) => void readWebSettings(disk, path)),
});

/** Goes on behind a bad file; throws SaidFailure at the end where there was one. */
function checkFiles(
  { disk, out, warn }: ToolWorld,
  paths: readonly string[],
  check: (disk: Disk, path: string) => void,
): void {
  let failures = 0;
  for (const path of paths) {
    try {
      check(disk, path);
      out.line(`${path} SUCCESS`);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      warn(`${path} FAILED: ${error.message}`);
      failures++;
    }
  }
  if (failures > 0) throw new SaidFailure(`${failures} of the files are bad`);
}

/** Throws FlagError where one is not there. */
function needFiles({ disk }: ToolWorld, paths: readonly string[]): void {
  const missing = paths.find((path) => disk.stat(path) === undefined);
  if (missing !== undefined) throw new FlagError(`path '${missing}' does not exist`);
}

const lintFatal = switchFlag('lint-fatal', false, 'End with exit code 3 where something is odd.');

const rules = command({
  path: ['rules'],
  help: 'Check whether rule files are good; standard input where none is named.',
  flags: {
    lint: wordFlag('lint', ['all', 'duplicate-rules', 'none'], 'duplicate-rules', 'What to look for beside faults.'),
    lintFatal,
  },
  words: ['[<rule-files>...]'],
  run: (world, { values: { lint, lintFatal: isLintFatal }, words }) => {
    needFiles(world, words);
    checkRuleFiles(world, { files: words, lint, isLintFatal });
  },
});

const config = command({
  path: ['config'],
  help: 'Check whether configuration files are good, and the files that they name.',
  flags: {
    lint: wordFlag(
      'lint',
      ['all', 'duplicate-rules', 'none', 'too-long-scrape-interval'],
      'duplicate-rules',
      'What to look for beside faults.',
    ),
    lintFatal,
    syntaxOnly: switchFlag('syntax-only', false, 'Look at no file that the configuration names.'),
    agent: switchFlag('agent', false, 'Check it as one of agent mode.'),
  },
  words: ['<config-files>...'],
  run: (world, { values, words }) => {
    needFiles(world, words);
    const { lint, lintFatal: isLintFatal, syntaxOnly: isSyntaxOnly, agent: isAgent } = values;
    checkConfigFiles(world, { files: words, lint, isLintFatal, isSyntaxOnly, isAgent });
  },
});

export const checkCommands: readonly Command[] = [config, rules, webConfig];
