import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairLane, ShardUsage } from '../../../src/shard/fair-lane.js';

test('fair lane: who has had the least goes first, of equals who came first', () => {
  const lane = new FairLane<{ name: string; usage: ShardUsage | undefined }>();
  const used = (usedMs: number) => Object.assign(new ShardUsage(), { usedMs });
  const large = used(100);
  lane.push({ name: 'large', usage: large });
  lane.push({ name: 'large again', usage: large });
  lane.push({ name: 'larger', usage: used(200) });
  lane.push({ name: 'new', usage: used(0) });
  lane.push({ name: 'a question', usage: undefined });
  const order = Array.from({ length: lane.length }, () => lane.shift()!.name);
  assert.deepEqual(order, ['new', 'a question', 'large', 'large again', 'larger']);
  assert.equal(lane.shift(), undefined);
});

test('fair lane: a flood of small queries does not stop a large one', () => {
  const lane = new FairLane<{ usage: ShardUsage }>();
  const large = { usage: Object.assign(new ShardUsage(), { usedMs: 1000 }) };
  lane.push(large);
  let turns = 0;
  do {
    lane.push({ usage: new ShardUsage() });
    lane.push({ usage: new ShardUsage() });
    turns++;
  } while (lane.shift() !== large);
  assert.equal(turns, 8);
});
