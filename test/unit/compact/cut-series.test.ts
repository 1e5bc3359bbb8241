// Symbols and series of several shards, merged: beside sorted lists of strings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { SymbolTable } from '../../../src/tsdb/block/contract.js';
import { CutSeries } from '../../../src/tsdb/compact/cut-series.js';
import { SymbolMerger } from '../../../src/tsdb/compact/merged-symbols.js';

/** Sorted by their bytes. */
function byBytes(strings: Iterable<string>): string[] {
  return [...new Set(strings)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function textsOf({ bytes, ends }: SymbolTable): string[] {
  return Array.from(ends, (end, i) => Buffer.from(bytes.subarray(i === 0 ? 0 : ends[i - 1]!, end)).toString());
}

/** A shard's strings under numbers of its own, some of them free. */
class FakeShard {
  readonly strings: string[] = [];
  readonly schemas: number[][] = [];
  readonly series: { readonly number: number; readonly labels: string[] }[] = [];
  readonly #words: number[] = [];
  readonly #random: Prng;

  constructor(random: Prng) {
    this.#random = random;
  }

  symbol(text: string): number {
    const known = this.strings.indexOf(text);
    if (known >= 0) return known;
    // A number that is free: its length is 0.
    if (this.#random.float() < 0.2) this.strings.push('');
    return this.strings.push(text) - 1;
  }

  add(number: number, labels: string[]): void {
    const names = labels.filter((_, i) => i % 2 === 0).map((name) => this.symbol(name));
    let schema = this.schemas.findIndex((other) => other.join() === names.join());
    if (schema < 0) schema = this.schemas.push(names) - 1;
    const values = labels.filter((_, i) => i % 2 === 1).map((value) => this.symbol(value));
    this.series.push({ number, labels });
    this.#words.push(number, schema, ...values);
  }

  give(shard: number, series: CutSeries, symbols: SymbolMerger): void {
    const schemas = this.schemas.flatMap((names) => [names.length, ...names]);
    series.setSchemas(shard, Uint32Array.from(schemas));
    series.add(shard, Uint32Array.from(this.#words));
    for (let from = 0; from < this.strings.length; ) {
      const texts = this.strings.slice(from, from + 1 + this.#random.int(20)).map((text) => Buffer.from(text));
      symbols.add(
        shard,
        Uint32Array.from(texts, ({ length }) => length),
        new Uint8Array(Buffer.concat(texts)),
      );
      from += texts.length;
    }
  }
}

function labelsFor(random: Prng, i: number): string[] {
  const labels = ['__name__', `metric_${random.int(4)}`];
  if (random.float() < 0.6) labels.push('a', `a${'x'.repeat(random.int(9))}`);
  labels.push('id', `${i}`);
  if (random.float() < 0.3) labels.push('zone', random.pick(['ž', 'z', 'zz', '\u0000', '\u0000\u0000', '漢字']));
  return labels;
}

function labelsAt(series: CutSeries, i: number, texts: readonly string[]): string[] {
  return Array.from(series.labels(i), (symbol) => texts[symbol]!);
}

for (const count of [1, 3]) {
  test(`${count} shards: one sorted table of what is used, label sets in order`, () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = new Prng(seed);
      const shards = Array.from({ length: count }, () => new FakeShard(random));
      // Strings that no series of the block has.
      for (const shard of shards) shard.symbol(`unused ${random.int(100)}`);
      for (let i = 0; i < 400; i++) random.pick(shards).add(i, labelsFor(random, i));
      const series = new CutSeries(count);
      const symbols = new SymbolMerger(count);
      for (const [i, shard] of shards.entries()) shard.give(i, series, symbols);
      const merged = symbols.merge((shard, symbol) => series.isUsed(shard, symbol));
      series.sort(merged);

      const texts = textsOf(merged.table);
      const all = shards.flatMap((shard, i) => shard.series.map((one) => ({ ...one, shard: i })));
      assert.deepEqual(texts, byBytes(all.flatMap(({ labels }) => labels)));
      const want = all.toSorted((a, b) => compareLabels(a.labels, b.labels));
      assert.equal(series.count, want.length);
      want.forEach(({ shard, number, labels }, i) => {
        assert.deepEqual(labelsAt(series, i, texts), labels, `seed ${seed}`);
        assert.deepEqual(series.place(i), { shard, series: number });
      });
    }
  });
}

/** Label by label, as Prometheus compares them. */
function compareLabels(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = Buffer.compare(Buffer.from(a[i]!), Buffer.from(b[i]!));
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

test('more series than a block of words holds', () => {
  const shard = new FakeShard(new Prng(7));
  const names = Array.from({ length: 60 }, (_, i) => `n${`${i}`.padStart(2, '0')}`);
  const symbols = new SymbolMerger(1);
  const series = new CutSeries(1);
  for (let i = 0; i < 9000; i++)
    shard.add(
      i,
      names.flatMap((name, n) => [name, `${(i * (n + 1)) % 97}`]),
    );
  shard.give(0, series, symbols);
  const merged = symbols.merge(() => true);
  series.sort(merged);
  const texts = textsOf(merged.table);
  const want = shard.series.toSorted((a, b) => compareLabels(a.labels, b.labels));
  for (const [i, { labels }] of want.entries()) assert.deepEqual(labelsAt(series, i, texts), labels);
});
