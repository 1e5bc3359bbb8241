// `narthex check config`: whether configurations would be taken, with the files that they name.

import { switchFlag } from '../flag.js';
import { command } from '../tool/command.js';
import { checkConfigFiles } from './check-config.js';
import { checkFlags, ignoreUnknown, isAsked, lintFatal, lintFlag, warnOfUnknown } from './check-flags.js';

const LINTS = ['all', 'duplicate-rules', 'none', 'too-long-scrape-interval'];

export const config = command({
  path: ['check', 'config'],
  help: 'Check whether configuration files are good, and the files that they name.',
  flags: {
    ...checkFlags,
    lint: lintFlag(LINTS),
    lintFatal,
    ignoreUnknown,
    syntaxOnly: switchFlag('syntax-only', false, 'Look at no file that the configuration names.'),
    agent: switchFlag('agent', false, 'Check it as one of agent mode.'),
  },
  words: ['<config-files>...'],
  files: (words) => words,
  run: (world, { values, words }) => {
    const {
      lint,
      lintFatal: isLintFatal,
      syntaxOnly: isSyntaxOnly,
      agent: isAgent,
      ignoreUnknown: isLoose,
      lookbackMs,
    } = values;
    warnOfUnknown(world, lint, LINTS);
    checkConfigFiles(world, {
      ...{ files: words, isLintFatal, isSyntaxOnly, isAgent, ignoreUnknown: isLoose, lookbackMs },
      lintsDuplicates: isAsked(lint, 'duplicate-rules'),
      lintsIntervals: isAsked(lint, 'too-long-scrape-interval'),
    });
  },
});
