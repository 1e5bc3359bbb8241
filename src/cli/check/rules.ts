// `narthex check rules`: whether rule files would be taken.

import { command } from '../tool/command.js';
import { checkFlags, ignoreUnknown, isAsked, lintFatal, lintFlag, warnOfUnknown } from './check-flags.js';
import { checkRuleFiles } from './check-rules.js';

const LINTS = ['all', 'duplicate-rules', 'none'];

export const rules = command({
  path: ['check', 'rules'],
  help: 'Check whether rule files are good; standard input where none is named.',
  flags: { ...checkFlags, lint: lintFlag(LINTS), lintFatal, ignoreUnknown },
  words: ['[<rule-files>...]'],
  files: (words) => words,
  run: (world, { values: { lint, lintFatal: isLintFatal, ignoreUnknown: isLoose }, words }) => {
    warnOfUnknown(world, lint, LINTS);
    const hasDuplicates = isAsked(lint, 'duplicate-rules');
    checkRuleFiles(world, { files: words, lintsDuplicates: hasDuplicates, isLintFatal, ignoreUnknown: isLoose });
  },
});
