import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RE2JS } from 're2js';
import { groupNames } from '../../../src/model/group-names.js';

const rows: [pattern: string, unique: string, names: Record<string, number[]>][] = [
  ['a(b)c', 'a(b)c', {}],
  ['(?P<x>a)(?<y>b)', '(?P<x>a)(?<y>b)', { x: [1], y: [2] }],
  ['(?P<x>a)(?P<x>b)', '(?P<x>a)(b)', { x: [1, 2] }],
  ['(z)(?<x>a(?P<x>b))(?:c)(?i:d)(?P<x>e)', '(z)(?<x>a(b))(?:c)(?i:d)(e)', { x: [2, 3, 4] }],
  ['\\((?P<x>a)[(](?P<x>b)', '\\((?P<x>a)[(](b)', { x: [1, 2] }],
  ['[](?P<x>](?P<x>a)[^](](?P<x>b)', '[](?P<x>](?P<x>a)[^](](b)', { x: [1, 2] }],
  ['[[:alpha:](\\](](?P<x>a)(?P<x>b)', '[[:alpha:](\\](](?P<x>a)(b)', { x: [1, 2] }],
  ['\\Q((?P<x>\\E(?P<x>a)(?P<x>b)', '\\Q((?P<x>\\E(?P<x>a)(b)', { x: [1, 2] }],
  ['(?P<x>a)(?P<x>b)\\Q(', '(?P<x>a)(b)\\Q(', { x: [1, 2] }],
];

for (const [pattern, unique, names] of rows) {
  test(`group names: ${pattern}`, () => {
    const got = groupNames(pattern);
    assert.deepEqual([got.pattern, Object.fromEntries(got.names)], [unique, names]);
    // The engine counts the groups as we do.
    const first = Object.entries(names).map(([name, [number]]) => [name, number]);
    assert.deepEqual({ ...RE2JS.compile(unique).namedGroups() }, Object.fromEntries(first));
  });
}
