import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import {
  filterLabels,
  keyOf,
  type Labels,
  labelsOf,
  METADATA_LABELS,
  mergeLabels,
  pairsOf,
  withLabel,
} from '../../../src/model/labels.js';
import { groupRows, membersOf, rowsOfGroup } from '../../../src/promql/exec/grouping.js';
import { LabelIndex, NONE } from '../../../src/promql/exec/label-index.js';
import { stripMetadata } from '../../../src/promql/exec/metadata.js';
import { Projection } from '../../../src/promql/exec/projection.js';

const NAMES = ['Z', '__name__', '__type__', 'a', 'b', 'c', 'd', 'é'];
const ROUNDS = 60;

function randomRow(random: Prng, values: number): Labels {
  const pairs = NAMES.filter(() => random.int(3) > 0).map((name): [string, string] => [name, `v${random.int(values)}`]);
  return labelsOf(pairs);
}

function randomRows(random: Prng): Labels[] {
  const values = 1 + random.int(6);
  return Array.from({ length: random.int(400) }, () => randomRow(random, values));
}

function randomKeep(random: Prng): (name: string) => boolean {
  const kept = new Set(NAMES.filter(() => random.int(2) === 0));
  return (name) => kept.has(name);
}

test('label index: numbers are those of a map of keys, in the order of first meeting', () => {
  const seed = 3;
  const random = new Prng(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const keep = randomKeep(random);
    const index = new LabelIndex(keep);
    const known = new Map<string, number>();
    for (const row of randomRows(random)) {
      const kept = filterLabels(row, keep);
      const key = keyOf(kept);
      const where = `seed ${seed} round ${round} row ${row}`;
      assert.equal(index.find(row), known.get(key) ?? NONE, where);
      if (!known.has(key)) known.set(key, known.size);
      assert.equal(index.add(row), known.get(key), where);
      assert.deepEqual(index.keptOf(row), kept, where);
    }
    assert.equal(index.size, known.size);
  }
});

test('label index: names and values do not run into each other', () => {
  const rows = [['a', 'b'], ['b', 'a'], ['a', 'b', 'c', 'd'], ['a', 'b\xffc', 'd', 'e'], ['a', 'd', 'c', 'b'], []];
  const index = new LabelIndex();
  for (const [i, row] of rows.entries()) assert.equal(index.add(row), i);
  for (const [i, row] of rows.entries()) assert.equal(index.add([...row]), i);
});

test('projection: keeps what a filter keeps, and gives a row itself where that is all', () => {
  const random = new Prng(4);
  for (let round = 0; round < ROUNDS; round++) {
    const keep = randomKeep(random);
    const projection = new Projection(keep);
    for (const row of randomRows(random)) {
      const kept = filterLabels(row, keep);
      assert.deepEqual(projection.of(row), kept);
      if (kept.length === row.length) assert.equal(projection.of(row), row);
    }
  }
});

test('metadata: is taken off, and rows said to be alike are as distinct as before', () => {
  const random = new Prng(5);
  let alike = 0;
  for (let round = 0; round < 300; round++) {
    const name = `m${random.int(2)}`;
    const free = random.int(4) === 0;
    const rows = Array.from({ length: random.int(6) }, (_, i) => {
      const names = free ? [`m${random.int(3)}`, `t${random.int(2)}`] : [name, ''];
      return labelsOf([
        ['__name__', names[0]!],
        ['__type__', names[1]!],
        ['a', `${free ? random.int(3) : i}`],
      ]);
    });
    const distinct = [...new Map(rows.map((row) => [keyOf(row), row])).values()];
    const stripped = stripMetadata(distinct);
    const want = distinct.map((row) => filterLabels(row, (label) => !METADATA_LABELS.has(label)));
    assert.deepEqual(stripped.labels, want);
    if (!stripped.alike) continue;
    alike++;
    assert.equal(new Set(want.map(keyOf)).size, distinct.length);
  }
  assert.ok(alike > 50 && alike < 295, `${alike} alike`);
});

test('metadata: rows without any are handed back', () => {
  const rows = [
    ['a', '1'],
    ['b', '2'],
  ];
  assert.equal(stripMetadata(rows).labels, rows);
  assert.equal(stripMetadata(rows).alike, true);
});

test('labels: merged and changed as if sorted anew', () => {
  const random = new Prng(6);
  for (let round = 0; round < 500; round++) {
    const [a, b] = [randomRow(random, 3), randomRow(random, 3)];
    assert.deepEqual(mergeLabels(a, b), labelsOf([...pairsOf(a), ...pairsOf(b)]));
    const name = NAMES[random.int(NAMES.length)]!;
    const value = random.int(3) === 0 ? '' : 'new';
    assert.deepEqual(withLabel(a, name, value), labelsOf([...pairsOf(a), [name, value]]));
  }
});

test('groups: have their members in order', () => {
  const random = new Prng(7);
  for (let round = 0; round < ROUNDS; round++) {
    const rows = randomRows(random);
    const grouping = { grouping: random.int(2) === 0 ? 'by' : 'without', labels: ['a', 'Z'] } as const;
    const { ofRow, labels } = groupRows(rows, grouping);
    const members = membersOf(ofRow, labels.length);
    labels.forEach((group, number) => {
      const own = [...rows.keys()].filter((row) => ofRow[row] === number);
      assert.deepEqual([...rowsOfGroup(members, number)], own);
      for (const row of own) {
        const kept = filterLabels(rows[row]!, (name) => {
          if (grouping.grouping === 'by') return grouping.labels.includes(name as 'a');
          return name !== '__name__' && !grouping.labels.includes(name as 'a');
        });
        assert.deepEqual(kept, group);
      }
    });
    assert.equal(new Set(labels.map(keyOf)).size, labels.length);
  }
});
