import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskError } from '../../../src/base/disk.js';
import { ShardBlocks } from '../../../src/server/storage/shard-blocks.js';
import type { BlockRefusal } from '../../../src/shard/history/history.js';
import type { KnownBlock } from '../../../src/shard/known-blocks.js';
import { BlockFault } from '../../../src/tsdb/block/contract.js';
import type { IndexSummary } from '../../../src/tsdb/block/index-summary.js';
import { type ListedBlock, listBlocks } from '../../../src/tsdb/block/open-blocks.js';
import { inMemory } from '../../support/block.js';
import { testdata } from '../../support/testdata.js';

const ULID = '01M7Y0DYVRQYB5RRVPA5E1T2RB';
const LISTED = listBlocks(inMemory(testdata(`blocks/killed/${ULID}`), `data/${ULID}`), 'data').blocks[0]!;
const at = (path: string): ListedBlock => ({ ...LISTED, path });

function setUp(refused: readonly BlockRefusal[] = [], floorMs = Number.POSITIVE_INFINITY) {
  const told: { blocks: readonly KnownBlock[]; headMinTimeMs: number | undefined }[] = [];
  const asked: string[] = [];
  const shards = {
    setBlocks: (blocks: readonly KnownBlock[], headMinTimeMs: number | undefined) => {
      told.push({ blocks, headMinTimeMs });
      return Promise.resolve(refused);
    },
  };
  const compactor = {
    call: (_op: string, { path }: { path: string }) => {
      asked.push(path);
      if (path === 'dead') return Promise.reject(new Error('the compactor is closed'));
      return Promise.resolve({ summary: { checksum: asked.length } as IndexSummary });
    },
  };
  return { told, asked, blocks: new ShardBlocks(shards, compactor as never, () => floorMs) };
}

test('each index is summarized once, while its block is there', async () => {
  const { blocks, asked, told } = setUp();
  await blocks.tell([at('a'), at('b')]);
  await blocks.tell([at('a')]);
  await blocks.tell([at('a'), at('b')]);
  assert.deepEqual(asked, ['a', 'b', 'b']);
  const checksums = told.map((one) => one.blocks.map(({ summary }) => summary?.checksum));
  assert.deepEqual(checksums, [[1, 2], [1], [1, 3]]);
  assert.equal(told[0]!.headMinTimeMs, LISTED.meta.maxTimeMs);
});

test('the head is read from where it begins, wherever a block ends that somebody brought', async () => {
  const { maxTimeMs } = LISTED.meta;
  for (const [floorMs, want] of [
    [maxTimeMs - 1000, maxTimeMs - 1000],
    [maxTimeMs + 1000, maxTimeMs],
    [Number.NEGATIVE_INFINITY, undefined],
  ] as const) {
    const { blocks, told } = setUp([], floorMs);
    await blocks.tell([at('a')]);
    assert.equal(told[0]!.headMinTimeMs, want);
  }
});

test('without a compactor shards read the index themselves; without blocks the head has all', async () => {
  const { blocks, told } = setUp();
  await blocks.tell([at('dead')]);
  await blocks.tell([]);
  assert.equal(told[0]!.blocks[0]!.summary, undefined);
  assert.equal(told[1]!.headMinTimeMs, undefined);
});

test('what a shard could not open is damage, or the disk', async () => {
  const { blocks } = setUp([
    { path: 'a', reason: 'symbols', isDamaged: true },
    { path: 'b', reason: 'EMFILE', isDamaged: false },
  ]);
  const [damage, refusal] = await blocks.tell([at('a'), at('b')]);
  assert.ok(damage instanceof BlockFault && damage.path === 'a' && !damage.isMissing);
  assert.ok(refusal instanceof DiskError && refusal.path === 'b');
});
