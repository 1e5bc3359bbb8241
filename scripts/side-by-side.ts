// Narthex beside a real Prometheus: `npm run side-by-side -- [--minutes 10] [--seed N]`. Minutes; a short one is in `npm test`.
//
// Both scrape the same targets under the same changes; afterwards promtool prints what both hold. The exit code says
// whether there was a difference.

import { parseArgs } from 'node:util';
import { missing, peerBinary } from '../test/support/peers.js';
import { runSideBySide } from '../test/support/side/run.js';

/** More are only counted. */
const SHOWN = 400;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});

if (peerBinary('prometheus') === undefined || peerBinary('promtool') === undefined) {
  console.log(missing('prometheus'));
} else {
  const { differences, ...report } = await runSideBySide({
    seconds: Number(values.minutes) * 60,
    seed: Number(values.seed),
    keep: true,
    tell: (line) => console.log(`  ${line}`),
  });
  for (const line of differences.slice(0, SHOWN)) console.log(`DIFFERENT: ${line}`);
  const { changes, targets, pages, samples, markers, missed } = report;
  console.log(
    `side by side: ${changes} changes, ${targets} targets, ${pages} pages, ${samples} samples and ${markers} stale markers ` +
      `compared, ${missed} scrapes were late, ${differences.length} differences`,
  );
  process.exitCode = differences.length === 0 ? 0 : 1;
}
