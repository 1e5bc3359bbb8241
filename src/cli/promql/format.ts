// `narthex promql format`: an expression as it should be written.

import { prettify } from '../../promql/syntax/prettify.js';
import { command } from '../tool/command.js';
import { needExperimental, parseQuery } from './parse.js';

export const format = command({
  path: ['promql', 'format'],
  help: 'Print an expression over several lines. Needs --experimental.',
  flags: {},
  words: ['<query>'],
  run: (world, { values: { isExperimental, features }, words }) => {
    needExperimental(world, isExperimental);
    world.out.line(prettify(parseQuery(world, words[0]!, features)));
  },
});
