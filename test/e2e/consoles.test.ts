// Console pages beside a Prometheus with the same folders.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing, peerBinary } from '../support/peers.js';
import { startNarthex, startPeer } from '../support/servers.js';
import { testdata } from '../support/testdata.js';

const binary = peerBinary('prometheus');
const skip = binary === undefined ? missing('prometheus') : false;

const QUERY = 'instance=a%27b%3C%26%2B&x=1&x=2';
const PAGES = [
  `text.html?${QUERY}`,
  `script.html?${QUERY}`,
  `table.html?${QUERY}`,
  `table.html?${QUERY}&dark=1`,
  'sub/x.html',
  'bad-query.html',
  'bad-function.html',
  'bad-field.html',
  'missing-template.html',
  'missing-tmpl.html',
];

test('console pages are those of a Prometheus, and so is what is wrong with them', { skip }, async (t) => {
  const launch = {
    config: 'global: {external_labels: {region: eu}}\n',
    flags: [
      `--web.console.templates=${testdata('consoles/pages')}`,
      `--web.console.libraries=${testdata('consoles/libraries')}`,
      '--web.external-url=http://narthex.example.com/p',
      '--web.route-prefix=/',
    ],
  };
  const [peer, own] = await Promise.all([startPeer(binary!, launch), startNarthex(launch)]);
  t.after(() => Promise.all([peer.stop(), own.stop()]));
  for (const page of PAGES) {
    const [wanted, got] = await Promise.all([peer, own].map(({ url }) => fetch(`${url}/consoles/${page}`)));
    assert.equal(got!.status, wanted!.status, page);
    assert.equal(await got!.text(), await wanted!.text(), page);
  }
  for (const outside of ['nope.html', '%2e%2e/libraries/a.lib', '..%2flibraries%2fa.lib', 'sub', '']) {
    assert.equal((await fetch(`${own.url}/consoles/${outside}`)).status, 404, outside);
  }
});
