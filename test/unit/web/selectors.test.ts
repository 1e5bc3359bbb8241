// Selectors that were read before are the same ones, and what was refused is refused again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSelector } from '../../../src/web/api/selectors.js';

test('a selector is read once', () => {
  const first = readSelector('up{job="a"}');
  assert.deepEqual(first, [
    { name: 'job', op: '=', value: 'a' },
    { name: '__name__', op: '=', value: 'up' },
  ]);
  assert.equal(readSelector('up{job="a"}'), first);
  assert.notDeepEqual(readSelector('up{job="b"}'), first);
});

test('those asked for longest ago are read anew', () => {
  const first = readSelector('first');
  const kept = readSelector('kept');
  for (let i = 0; i < 499; i++) {
    readSelector(`other_${i}`);
    assert.equal(readSelector('kept'), kept);
  }
  const again = readSelector('first');
  assert.notEqual(again, first);
  assert.deepEqual(again, first);
});

test('a selector that is none, or that takes everything, is refused each time', () => {
  for (let i = 0; i < 2; i++) {
    assert.throws(() => readSelector('up{'), /unexpected end of input/);
    assert.throws(() => readSelector('{a=~"("}'), /missing closing \)/);
    assert.throws(() => readSelector('{a=~"x*"}'), /at least one non-empty matcher/);
  }
});
