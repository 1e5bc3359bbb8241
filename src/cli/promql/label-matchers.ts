// `narthex promql label-matchers set` and `delete`: conditions on a label, put into all selectors of an expression or taken out.

import type { MatchOp } from '../../model/matcher.js';
import { prettify } from '../../promql/syntax/prettify.js';
import { mapSelectors } from '../../promql/syntax/rewrite.js';
import { command } from '../tool/command.js';
import { enumFlag } from '../tool/flags.js';
import { needExperimental, parseQuery } from './parse.js';

const OPS = ['=', '!=', '=~', '!~'] as const satisfies readonly MatchOp[];

export const setMatcher = command({
  path: ['promql', 'label-matchers', 'set'],
  help: 'Set a condition on a label in all selectors of an expression. Needs --experimental.',
  flags: { op: enumFlag('type', OPS, '=', 'Type of the condition.', { short: 't' }) },
  words: ['<query>', '<name>', '<value>'],
  run: (world, { values: { isExperimental, features, op }, words }) => {
    needExperimental(world, isExperimental);
    const [query, name, value] = words as [string, string, string];
    const wanted = { name, op, value };
    const changed = mapSelectors(parseQuery(world, query, features), (selector) => {
      const isThere = selector.matchers.some((matcher) => matcher.name === name);
      const others = selector.matchers.map((matcher) => (matcher.name === name ? wanted : matcher));
      return { ...selector, matchers: isThere ? others : [...others, wanted] };
    });
    world.out.line(prettify(changed));
  },
});

export const deleteMatcher = command({
  path: ['promql', 'label-matchers', 'delete'],
  help: 'Take the conditions on a label out of all selectors of an expression. Needs --experimental.',
  flags: {},
  words: ['<query>', '<name>'],
  run: (world, { values: { isExperimental, features }, words }) => {
    needExperimental(world, isExperimental);
    const [query, name] = words as [string, string];
    const changed = mapSelectors(parseQuery(world, query, features), (selector) => {
      return { ...selector, matchers: selector.matchers.filter((matcher) => matcher.name !== name) };
    });
    world.out.line(prettify(changed));
  },
});
