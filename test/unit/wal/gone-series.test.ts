import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { GoneSeries } from '../../../src/tsdb/wal/gone-series.js';
import { LiveRefs } from '../../../src/tsdb/wal/live-refs.js';

const live = (...refs: number[]) => new LiveRefs([new Float64Array(refs.flatMap((ref) => [ref, -Infinity])).buffer]);

test('the record of a series that is gone stays until no segment is left that may have samples of it', () => {
  const gone = new GoneSeries();
  const first = gone.keeping(live(1), 10, { last: 5, newest: 7 });
  assert.deepEqual([1, 2, 2].map(first.series), [true, true, true]);
  assert.deepEqual([1, 2].map(first.elsewhereTo!), [-Infinity, Infinity]);
  const second = gone.keeping(live(1), 10, { last: 6, newest: 9 });
  assert.deepEqual([2, 3].map(second.series), [true, true]);
  const third = gone.keeping(live(1), 10, { last: 7, newest: 9 });
  assert.deepEqual([1, 2, 3].map(third.series), [true, false, true]);
  const whole = gone.keeping(live(), 10, { last: 9, newest: 9 });
  assert.deepEqual([1, 3, 4].map(whole.series), [false, false, false]);
});

/** A log as numbers: which series each segment names, and has samples of. */
interface Segment {
  readonly series: Set<number>;
  readonly samples: Set<number>;
}

test('seeds: no sample is ever left without its series, and in the end no series without need', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Prng(seed);
    const gone = new GoneSeries();
    const alive = new Set<number>();
    let segments: Segment[] = [{ series: new Set(), samples: new Set() }];
    let first = 0;
    let next = 1;
    const checkpoint = (last: number, isFailed: boolean) => {
      const place = { last, newest: first + segments.length - 1 };
      const keep = gone.keeping(live(...alive), 0, place);
      const [old, rest] = [segments.slice(0, last - first + 1), segments.slice(last - first + 1)];
      const named = old.flatMap(({ series }) => [...series]).filter(keep.series);
      const sampled = old.flatMap(({ samples }) => [...samples]).filter((ref) => keep.elsewhereTo!(ref) < 1);
      if (isFailed) return;
      // As one segment, which the next checkpoint reads too.
      segments = [{ series: new Set(named), samples: new Set(sampled) }, ...rest];
      first = last;
    };
    for (let step = 0; step < 60; step++) {
      const { series, samples } = segments.at(-1)!;
      const what = random.int(6);
      if (what <= 1) {
        alive.add(next);
        series.add(next++);
      }
      if (what <= 3) for (const ref of alive) if (random.int(2) === 0) samples.add(ref);
      if (what === 3) for (const ref of alive) if (random.int(3) === 0) alive.delete(ref);
      if (what === 4) segments.push({ series: new Set(), samples: new Set() });
      const newest = first + segments.length - 1;
      if (what === 5 && newest > first) checkpoint(first + random.int(newest - first), random.int(4) === 0);
      const known = new Set<number>();
      for (const one of segments) {
        for (const ref of one.series) known.add(ref);
        for (const ref of one.samples) assert.ok(known.has(ref), `seed ${seed}, step ${step}: series ${ref}`);
      }
    }
    for (let round = 0; round < 2; round++) {
      segments.push({ series: new Set(), samples: new Set() });
      checkpoint(first + segments.length - 2, false);
    }
    const left = segments.flatMap(({ series }) => [...series]).filter((ref) => !alive.has(ref));
    assert.deepEqual(left, [], `seed ${seed}`);
  }
});
