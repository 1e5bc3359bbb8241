// Records what the real promtool makes of the templates in test/testdata/templates:
//
//   PEERS_DIR=… node dist/scripts/record-templates.js

import { writeFileSync } from 'node:fs';
import { missing, peerBinary } from '../test/support/peers.js';
import { recordFaults, recordTexts } from '../test/support/promtool-templates.js';
import { broken, RECORDED_FILE, type Recorded, rendered } from '../test/support/templates.js';

const promtool = peerBinary('promtool');
if (promtool === undefined) throw new Error(missing('promtool'));
const recorded: Recorded = {
  texts: recordTexts(promtool, rendered()),
  faults: recordFaults(promtool, broken()),
};
writeFileSync(RECORDED_FILE, `${JSON.stringify(recorded, null, 1)}\n`);
console.log(`${recorded.texts.length} texts and ${recorded.faults.length} faults recorded`);
