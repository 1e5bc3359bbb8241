// XML as strangers send it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tree } from '../../../src/discovery/tree.js';
import { parseXml } from '../../../src/discovery/xml.js';

/** A tree as JSON, lists and texts as they are. */
function shown(tree: Tree): unknown {
  if (tree.items.length > 0) return tree.items.map(shown);
  const entries = tree.entries;
  return entries.length > 0 ? Object.fromEntries(entries.map(([key, value]) => [key, shown(value)])) : tree.text;
}

const texts: [xml: string, want: unknown][] = [
  ['<a/>', { a: '' }],
  ['<a></a>', { a: '' }],
  ['<a> b </a>', { a: 'b' }],
  ['<?xml version="1.0"?>\n<!-- c --><a><!-- <b> -->x</a>\n', { a: 'x' }],
  ['<a><b>1</b><c/><b>2</b></a>', { a: { b: ['1', '2'], c: '' } }],
  [`<a b="1" c='"2"'/>`, { a: { '@b': '1', '@c': '"2"' } }],
  ['<a b="1">x</a>', { a: { '@b': '1', '#text': 'x' } }],
  ['<n:a xmlns:n="u"><n:b>1</n:b></n:a>', { a: { '@xmlns:n': 'u', b: '1' } }],
  ['<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;&unknown;</a>', { a: '<&>"\'AB&unknown;' }],
  ['<a><![CDATA[<b>&amp;]]></a>', { a: '<b>&amp;' }],
  ['<a>&#1114112;</a>', { a: '&#1114112;' }],
  ['<__proto__><x>1</x></__proto__>', undefined],
  ['', ''],
];

for (const [xml, want] of texts) {
  test(`xml: ${JSON.stringify(xml)}`, () => {
    const tree = parseXml(xml);
    if (want !== undefined) assert.deepEqual(shown(tree), want);
    assert.equal(({} as Record<string, unknown>).x, undefined);
  });
}

const bad = [
  '<a>',
  '</a>',
  '<a></b>',
  '<a',
  'text',
  '<a b=c/>',
  '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
  '{"a":1}',
  '<'.repeat(9),
];

for (const xml of bad) {
  test(`no xml: ${JSON.stringify(xml)}`, () => assert.throws(() => parseXml(xml)));
}

test('xml: nested too deep', () => assert.throws(() => parseXml('<a>'.repeat(1000)), /too deep/));

test('xml: a large text takes its time only once', () => {
  const count = 200_000;
  const tree = parseXml(`<a>${'<b>x</b>'.repeat(count)}</a>`);
  assert.equal(tree.all('a', 'b').length, count);
});

test('a tree answers what it does not have with nothing', () => {
  const tree = new Tree({ a: { b: [1, 'x', null] }, n: null, t: 'text', one: { x: 1 } });
  assert.equal(tree.at('a', 'c', 'd').text, '');
  assert.equal(tree.at('t', 'length').text, '');
  assert.equal(tree.at('constructor').exists, false);
  assert.equal(tree.at('n').exists, false);
  assert.deepEqual(tree.at('a', 'b').texts, ['1', 'x', '']);
  assert.deepEqual(tree.at('t').items, []);
  assert.equal(tree.all('one').length, 1);
  assert.equal(tree.all('none').length, 0);
  assert.equal(tree.at('t').number, 0);
  assert.deepEqual(tree.at('a', 'b').entries, []);
});
