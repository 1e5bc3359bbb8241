// One data directory, a real Prometheus and us: never both at once.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { missing, peerBinary } from '../support/peers.js';
import { startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const options = { skip: prometheus === undefined && missing('prometheus') };

let data: string;
before(() => {
  data = mkdtempSync(join(tmpdir(), 'narthex-lock-'));
});
after(() => rmSync(data, { recursive: true, force: true }));

test('a Prometheus does not start where we run, and does once we have stopped', options, async () => {
  const ours = await startNarthex({ data });
  try {
    await assert.rejects(startPeer(prometheus!, { data }), /lock DB directory/);
    assert.equal((await fetch(`${ours.url}/-/healthy`)).status, 200);
  } finally {
    await ours.stop();
  }
  const theirs = await startPeer(prometheus!, { data });
  await theirs.stop();
});

test('we do not start where a Prometheus runs, and do once it was killed', options, async () => {
  const theirs = await startPeer(prometheus!, { data });
  try {
    await assert.rejects(startNarthex({ data }), /the data directory .* is in use by/);
    assert.equal((await fetch(`${theirs.url}/-/healthy`)).status, 200);
    await theirs.end('SIGKILL');
    // The file is left behind, and means nothing.
    const ours = await startNarthex({ data });
    await ours.stop();
  } finally {
    await theirs.stop();
  }
});
