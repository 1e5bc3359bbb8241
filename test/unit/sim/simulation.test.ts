// Storage run by a thousand seeds, and that the runs find what they are for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLANTED_BUGS } from '../../support/simulation/planted.js';
import { simulate } from '../../support/simulation/simulation.js';

/** On the debug core a tenth: its assertions are what is new there. */
const SEEDS = process.env.NARTHEX_CORE === 'debug' ? 100 : 1000;
const STEPS = 16;
const BUG_SEEDS_MAX = 1000;
/** Others that found something once, with as many steps as a run by hand has. */
const FOUND = [
  // A late sample of the log, lost where its series' later ones were spilled.
  3044,
];

test(`${SEEDS} seeds: nothing acknowledged is lost, nothing wrong is read, whatever disk and power do`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { problems, story } = await simulate(seed, { steps: STEPS });
    assert.deepEqual(problems.slice(0, 5), [], `seed ${seed}:\n${story.join('\n')}`);
  }
});

for (const seed of FOUND) {
  test(`seed ${seed} finds nothing any more`, async () => {
    const { problems, story } = await simulate(seed);
    assert.deepEqual(problems, [], story.join('\n'));
  });
}

for (const { name, options } of PLANTED_BUGS) {
  test(`a planted bug is found: ${name}`, async (t) => {
    for (let seed = 1; seed <= BUG_SEEDS_MAX; seed++) {
      const { problems } = await simulate(seed, options);
      if (problems.length === 0) continue;
      return t.diagnostic(`seed ${seed}: ${problems[0]}`);
    }
    assert.fail(`not by ${BUG_SEEDS_MAX} seeds`);
  });
}
