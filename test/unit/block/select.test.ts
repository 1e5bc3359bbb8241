import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { compareStrings, valueOf } from '../../../src/model/labels.js';
import { compileMatcher, formatMatcher, type Matcher, type MatchOp } from '../../../src/model/matcher.js';
import type { Block } from '../../../src/tsdb/block/block.js';
import { labelNames, labelValues, selectSeries } from '../../../src/tsdb/block/select.js';
import { blocksIn, readAll, withBlock } from '../../support/block.js';
import { conformance, conformanceMissing, testdata } from '../../support/testdata.js';

const KILLED = testdata('blocks/killed/01M7Y0DYVRQYB5RRVPA5E1T2RB');
const BLOCKS = [KILLED, ...(conformanceMissing() ? [] : blocksIn(conformance('tsdb/blocks/data')).slice(0, 2))];

interface Series {
  readonly ref: number;
  readonly labels: readonly string[];
}

/** Every series, every matcher. */
function model(series: readonly Series[], matchers: readonly Matcher[]): Series[] {
  const tests = matchers.map((matcher) => ({ name: matcher.name, passes: compileMatcher(matcher) }));
  return series.filter(({ labels }) => tests.every(({ name, passes }) => passes(valueOf(labels, name))));
}

function compare(block: Block, all: readonly Series[], matchers: readonly Matcher[]): void {
  const wanted = model(all, matchers);
  const text = matchers.map(formatMatcher).join(', ');
  assert.deepEqual(
    [...selectSeries(block, matchers)],
    wanted.map(({ ref }) => ref),
    text,
  );
  const names = new Set(wanted.flatMap(({ labels }) => labels.filter((_, i) => i % 2 === 0)));
  assert.deepEqual(labelNames(block, matchers), [...names].sort(compareStrings), text);
  for (const name of ['__name__', 'id', 'instance', 'nothing']) {
    const values = new Set(wanted.map(({ labels }) => valueOf(labels, name)));
    values.delete('');
    assert.deepEqual(labelValues(block, name, matchers), [...values].sort(compareStrings), `${name} of ${text}`);
  }
}

test('selections agree with looking at every series', () => {
  const prng = new Prng(5);
  for (const path of BLOCKS) {
    withBlock(path, (block) => {
      const all = readAll(block);
      const names = [...block.index.names(), 'nothing'];
      const valuesOf = (name: string) => ['', 'nothing', ...labelValues(block, name)];
      const pattern = (name: string) => {
        const [one, other] = [prng.pick(valuesOf(name)), prng.pick(valuesOf(name))].map((text) =>
          text.replace(/[^A-Za-z0-9_]/g, '.'),
        );
        const forms = [
          one,
          `${one}|${other}`,
          `${one}|`,
          `${one!.slice(0, 2)}.*`,
          `.*${one!.slice(1)}`,
          '.*',
          '.+',
          '',
        ];
        return prng.pick([...forms, `.*${one!.slice(1, 3)}.*`, `[a-h]${one!.slice(1)}`, `(${one}){0,1}`])!;
      };
      compare(block, all, []);
      for (let round = 0; round < 250; round++) {
        const matchers = Array.from({ length: 1 + prng.int(3) }, (): Matcher => {
          const name = prng.pick(names);
          const op = prng.pick<MatchOp>(['=', '!=', '=~', '!~']);
          return { name, op, value: op === '=' || op === '!=' ? prng.pick(valuesOf(name)) : pattern(name) };
        });
        compare(block, all, matchers);
      }
    });
  }
});

test('a selection stops where its check throws', () => {
  withBlock(KILLED, (block) => {
    const stop = () => {
      throw new Error('nobody waits');
    };
    const matchers: Matcher[] = [{ name: '__name__', op: '=~', value: 'fx.+' }];
    assert.throws(() => selectSeries(block, matchers, stop), /nobody waits/);
  });
});

test('a pattern that RE2 refuses is refused', () => {
  withBlock(KILLED, (block) => {
    assert.throws(() => selectSeries(block, [{ name: 'a', op: '=~', value: '(' }]), { name: 'PatternError' });
  });
});
