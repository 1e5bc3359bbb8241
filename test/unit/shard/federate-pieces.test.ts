import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsOf } from '../../../src/model/labels.js';
import type { Shards } from '../../../src/shard/shards.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';

/** All of /federate of the first shard, fetched in pieces of about `bytes`. */
async function inPieces(shards: Shards, bytes: number): Promise<{ text: string; names: string[] }> {
  const { client } = shards.shard(0);
  const { query } = await client.call(
    'openFederate',
    {
      selectors: [[{ name: '__name__', op: '=~', value: '.+' }]],
      fromMs: 0,
      toMs: 5000,
      watermark: shards.appends.watermark,
      externalLabels: [],
      utf8: false,
      format: 'text',
    },
    'rules',
  );
  let text = '';
  const names: string[] = [];
  for (let done = false; !done; ) {
    const piece = await client.call('nextFederate', { query, bytes, part: 'floats' }, 'rules');
    done = piece.done;
    const all = Buffer.from(piece.text).toString('utf8');
    assert.equal(
      piece.blocks.reduce((sum, block) => sum + block.bytes, 0),
      all.length,
      'blocks cover the text',
    );
    names.push(...piece.blocks.map((block) => block.name));
    text += all;
  }
  await client.call('closeFederate', { query }, 'rules');
  return { text, names };
}

test('federate: pieces of any size make the same text, each family headed once', async () => {
  const { shards, ingest } = await testShards(1);
  const series = Array.from({ length: 300 }, (_, i) => ({
    labels: labelsOf([
      ['__name__', `metric_${i % 3}`],
      ['i', String(i)],
    ]),
    samples: packSamples([[1000, i]]),
  }));
  await ingest.append(series, 1000, anyOwner(1));
  const whole = await inPieces(shards, 1 << 20);
  assert.deepEqual(whole.names, ['metric_0', 'metric_1', 'metric_2']);
  assert.equal(whole.text.match(/^# TYPE/gm)?.length, 3);
  assert.equal(whole.text.split('\n').length - 1, 303);
  for (const bytes of [1, 40, 100, 1000, 4000]) {
    const pieces = await inPieces(shards, bytes);
    assert.equal(pieces.text, whole.text, `pieces of ${bytes} bytes`);
    assert.ok(pieces.names.length >= 3);
  }
});
