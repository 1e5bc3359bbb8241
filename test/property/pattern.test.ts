// The forms of a pattern answer as the real engine does, for patterns in and beyond the small syntax.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { compilePattern } from '../../src/model/matcher.js';
import { analysePattern } from '../../src/model/pattern.js';
import { isPlainPattern, patternSteps, plainMatchesEmpty } from '../../src/model/pattern-size.js';

const { pattern } = fc.letrec<{ pattern: string; sequence: string; atom: string }>((tie) => ({
  pattern: fc.oneof(
    { weight: 3, arbitrary: tie('sequence') },
    fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|')),
  ),
  sequence: fc.array(tie('atom'), { maxLength: 4 }).map((atoms) => atoms.join('')),
  atom: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('a', 'b', '-', 'é', '😀') },
    { weight: 2, arbitrary: fc.constantFrom('.*', '.+', '.', 'a?', 'b*', '.*?') },
    fc.constantFrom('[ab]', '[a-c]', '[.a]', '[:-a]', '[^a]', '\\.', '\\d', '^', '$', '(?i)a', 'a{2}', 'b??'),
    tie('pattern').map((inner) => `(${inner})`),
    tie('pattern').map((inner) => `(?:${inner})?`),
  ),
}));

const value = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-', '.', '\n', 'A', '1', 'é', '😀'), maxLength: 6 });

test('pattern: every form matches what the engine matches', () => {
  fc.assert(
    fc.property(pattern, fc.array(value, { minLength: 10, maxLength: 10 }), (text, values) => {
      const engine = compileOrUndefined(text);
      if (engine === undefined) return assert.equal(analysePattern(text).kind, 'regex');
      const matches = compilePattern(text);
      for (const input of values) assert.equal(matches(input), engine.testExact(input), JSON.stringify(input));
    }),
    { numRuns: 2000, seed: 20261121 },
  );
});

test('pattern: what is plain at a glance, the engine takes, and the empty text as we say', () => {
  const plain = fc.string({
    unit: fc.constantFrom('a', '.', '*', '+', '?', '|', '\\.', '\\-', '-', '\\'),
    maxLength: 8,
  });
  let seen = 0;
  fc.assert(
    fc.property(plain, (text) => {
      if (!isPlainPattern(text)) return;
      seen++;
      assert.equal(plainMatchesEmpty(text), RE2JS.compile(text, RE2JS.DOTALL).testExact(''), JSON.stringify(text));
    }),
    { numRuns: 5000, seed: 20261121 },
  );
  assert.ok(seen > 500, `only ${seen} were plain`);
});

test('pattern: the steps of a pattern bound the size of its program', () => {
  const repeated = fc
    .tuple(pattern, fc.constantFrom('{3}', '{2,9}', '{40}', '{0,30}', '*', ''))
    .map(([text, quantifier]) => `(${text})${quantifier}[[:alpha:]\\d-]]\\pL`);
  fc.assert(
    fc.property(fc.oneof(pattern, repeated), (text) => {
      const engine = compileOrUndefined(text);
      if (engine === undefined) return;
      const size = engine.programSize() as number;
      assert.ok(size <= 3 * patternSteps(text) + 8, `${text}: ${size} instructions, ${patternSteps(text)} steps`);
    }),
    { numRuns: 2000, seed: 20261121 },
  );
});

test('pattern: what is no repetition does not multiply', () => {
  for (const [text, steps] of [
    ['\\x{10000}', 1],
    ['\\x{1F525}|a', 3],
    ['[\\x{65535}]b', 2],
    ['\\x{20000}{3}', 3],
    ['\\x41{20}', 22],
    ['a\\x{', 2],
    ['a\\Q{50}\\E', 5],
    ['\\Q(a){50}', 7],
    ['\\Qab\\E{3}', 4],
    ['a\\Q\\E{3}', 3],
  ] as const)
    assert.equal(patternSteps(text), steps, text);
});

function compileOrUndefined(text: string): RE2JS | undefined {
  try {
    return RE2JS.compile(text, RE2JS.DOTALL);
  } catch {
    return undefined;
  }
}
