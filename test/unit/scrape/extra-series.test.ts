// extra_scrape_metrics: series about the limits and the size of a scrape.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ScrapeRig } from '../../support/scraped.js';

const PAGE = 'a 1\nb 2\n';

for (const shards of [1, 3]) {
  test(`they say what a scrape may take, and how much came (shards: ${shards})`, async () => {
    const rig = await ScrapeRig.open({ extraSeries: { timeoutSeconds: 2.5 }, sampleLimit: 2 }, shards);
    const extras = (timeMs: number) => rig.at('{__name__=~"scrape_(timeout|sample_limit|body).*"}', timeMs);
    const saying = (bytes: number) => ({
      scrape_body_size_bytes: bytes,
      scrape_sample_limit: 2,
      scrape_timeout_seconds: 2.5,
    });
    await rig.scrape(PAGE, 1000);
    assert.deepEqual(await extras(1000), saying(PAGE.length));
    await rig.scrape(gzipSync(PAGE), 2000, 'text', { encoding: 'gzip' });
    assert.deepEqual(await extras(2000), saying(PAGE.length));
    await rig.scrape(gzipSync(PAGE), 3000, 'text', { encoding: 'gzip', decodedBytesMax: 3 });
    assert.deepEqual(await extras(3000), saying(-1));
    // It came, though it is not taken.
    await rig.scrape(`${PAGE}c 3\n`, 4000);
    assert.deepEqual(await extras(4000), saying(PAGE.length + 4));
    await rig.fail(5000);
    assert.deepEqual(await extras(5000), saying(0));
    await rig.fail(6000, -1);
    assert.deepEqual(await extras(6000), saying(-1));
    await rig.close();
  });
}

test('they are not there where nobody asked for them', async () => {
  const rig = await ScrapeRig.open();
  await rig.scrape(PAGE, 1000);
  assert.deepEqual(await rig.at('{__name__=~".+"}', 1000), {
    a: 1,
    b: 2,
    scrape_duration_seconds: 0.25,
    scrape_samples_post_metric_relabeling: 2,
    scrape_samples_scraped: 2,
    scrape_series_added: 2,
    up: 1,
  });
  await rig.close();
});
