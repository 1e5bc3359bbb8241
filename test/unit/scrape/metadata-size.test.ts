// How much is known of a target's metrics, as pages say something new of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScrapeRig } from '../../support/scraped.js';

test('each page that says something new tells how much is known', async () => {
  const rig = await ScrapeRig.open();
  const sizes = [];
  for (const page of [
    '# TYPE a counter\n# HELP a Four\na 1\n',
    '# TYPE a counter\n# HELP a Four\na 2\n',
    '# TYPE a counter\n# HELP a Eleven, now\na 3\n# TYPE b gauge\nb 1\n',
    '# TYPE c gauge\nc{ 1\n',
  ]) {
    sizes.push((await rig.scrape(page, 1000 * (1 + sizes.length))).metadataSize);
  }
  assert.deepEqual(sizes, [{ entries: 1, bytes: 11 }, undefined, { entries: 2, bytes: 23 }, { entries: 3, bytes: 28 }]);
  await rig.close();
});
