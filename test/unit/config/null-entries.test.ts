import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Codec, list, mapOf, string } from '../../../src/config/codec.js';
import { YamlFile } from '../../../src/config/document.js';
import { duration, Secret, secret } from '../../../src/config/values.js';

/** What the first entry of a map is whose key has no value. */
function entryOf<T>(item: Codec<T>): T | undefined {
  const file = new YamlFile('? a\n');
  const decoded = mapOf(item).decode(file.resolve(file.root!), file);
  file.throwFaults();
  return decoded?.get('a');
}

test('a key without a value has the empty one of its type', () => {
  assert.equal(entryOf(string), '');
  assert.equal(entryOf(duration), 0);
  assert.deepEqual(entryOf(list(string)), []);
  const empty = entryOf(secret);
  assert.ok(empty instanceof Secret && empty.isEmpty);
  assert.equal(secret.encode(empty), '');
});
