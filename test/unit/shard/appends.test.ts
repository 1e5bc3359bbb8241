import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Appends } from '../../../src/shard/appends.js';

function watched(): { appends: Appends; told: () => [watermark: number, held: number] | undefined } {
  let last: [number, number] | undefined;
  const appends = new Appends((watermark, held) => {
    last = [watermark, held];
  });
  return {
    appends,
    told: () => {
      const told = last;
      last = undefined;
      return told;
    },
  };
}

test('appends: the watermark passes an append when it and all before it are done', async () => {
  const { appends, told } = watched();
  const [first, second, third] = [appends.begin(), appends.begin(), appends.begin()];
  let seen = '';
  appends.visible(second).then(() => {
    seen += 'second ';
  });
  appends.done(second);
  appends.done(third);
  assert.equal(told(), undefined);
  await undefined;
  assert.equal(seen, '');
  appends.done(first);
  assert.deepEqual(told(), [third, third]);
  await appends.visible(third);
  assert.equal(seen, 'second ');
  assert.equal(appends.pending, 0);
  assert.throws(() => appends.done(second), /not open/);
});

test('appends: a hold keeps its watermark for readers to be opened, the oldest hold counts', () => {
  const { appends, told } = watched();
  const add = () => appends.done(appends.begin());
  add();
  const old = appends.hold();
  add();
  assert.deepEqual(told(), [2, 1]);
  const young = appends.hold();
  add();
  assert.deepEqual([old.watermark, young.watermark], [1, 2]);
  assert.deepEqual(told(), [3, 1]);
  young.release();
  assert.equal(told(), undefined);
  old.release();
  assert.deepEqual(told(), [3, 3]);
  old.release();
  add();
  assert.deepEqual(told(), [4, 4]);
});
