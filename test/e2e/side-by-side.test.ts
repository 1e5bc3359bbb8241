// A short `npm run side-by-side`: Narthex and a real Prometheus under the same configuration, targets and changes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing, peerBinary } from '../support/peers.js';
import { runSideBySide } from '../support/side/run.js';

/** Every kind of change once, and some twice. */
const SECONDS = 50;
const SEED = 3;
/** On a machine that has much else to do. */
const MISSED_SHARE_MAX = 0.1;

const absent = ['prometheus', 'promtool'].find((name) => peerBinary(name) === undefined);

test('target lists, labels, samples and stale markers are those of a real Prometheus', {
  skip: absent !== undefined && missing(absent),
  timeout: 300_000,
}, async (t) => {
  const report = await runSideBySide({ seconds: SECONDS, seed: SEED });
  const { changes, targets, pages, samples, markers, missed, differences } = report;
  t.diagnostic(`${changes} changes, ${targets} targets, ${pages} pages, ${samples} samples, ${markers} markers`);
  assert.deepEqual(differences.slice(0, 20), []);
  assert.ok(changes > 5 && targets > 40 && samples > 10_000 && markers > 1000);
  assert.ok(missed <= MISSED_SHARE_MAX * pages, `${missed} of ${pages} pages were late`);
});
