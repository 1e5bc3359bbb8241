// A bounded part of `npm run anomalies`, and that its loops find what they are for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Depth } from '../../support/anomalies/loops.js';
import { PLANTED } from '../../support/anomalies/planted.js';
import { SCENARIOS } from '../../support/anomalies/scenarios.js';

/** Some calls of each kind. */
const SHORT: Depth = { stride: 13, recoveryStride: 17, seeds: 3 };

for (const scenario of SCENARIOS.values()) {
  test(`${scenario.name}: ${scenario.about}`, async () => {
    const { cases, anomalies } = await scenario.run({ depth: SHORT });
    assert.deepEqual(anomalies.slice(0, 3), []);
    assert.ok(cases > 10, `only ${cases} cases`);
  });
}

for (const { name, scenario, habits } of PLANTED) {
  test(`a planted bug is found: ${name}`, async () => {
    const depth = { stride: 3, recoveryStride: 13, seeds: 3 };
    const { anomalies } = await scenario.run({ depth, habits, first: true });
    assert.equal(anomalies.length, 1);
  });
}
