// The commands of `narthex test`: names, flags and words are those of `promtool test`.

import { listFlag, switchFlag, textFlag } from '../flag.js';
import { type Command, command } from '../tool/command.js';
import { testRules } from './test-rules.js';

const rules = command({
  path: ['test', 'rules'],
  help: 'Run unit tests of rules.',
  flags: {
    run: listFlag(
      'run',
      [],
      'Run only groups of tests whose names match one of these regular expressions.',
      undefined,
      {
        placeholder: '<pattern>',
      },
    ),
    junit: textFlag('junit', '', 'Write the results as JUnit XML to a file.', { placeholder: '<file>' }),
    debug: switchFlag('debug', false, 'Say what is run, and show all samples of each test.'),
    diff: switchFlag('diff', false, 'Show in colours how alerts differ from what is expected.'),
    ignoreUnknown: switchFlag('ignore-unknown-fields', false, 'Pass over keys of rule files that are not known.'),
  },
  words: ['<test-rule-file>...'],
  files: (words) => words,
  run: (world, { values, words }) => {
    const { run, junit, debug, diff, ignoreUnknown, features } = values;
    return testRules(world, { files: words, run, junit, features, ignoreUnknown, isDebug: debug, isDiff: diff });
  },
});

export const testCommands: readonly Command[] = [rules];
