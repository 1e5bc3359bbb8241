// Small exhaustive loops over storage: every call of the disk fails once, every moment loses its power, recoveries too.
//
//   npm run anomalies -- [scenario …] [--stride N] [--seeds N]
//
// A stride above 1 leaves calls out. What is found is printed with the scenario, the call and the seed that replay it.
// The exit code says whether there was anything.

import { FULL } from '../test/support/anomalies/loops.js';
import { SCENARIOS } from '../test/support/anomalies/scenarios.js';

/** Anomalies printed of each scenario: the rest are mostly the same again. */
const PRINTED_MAX = 10;

const { names, depth } = readArguments(process.argv.slice(2));
const unknown = names.find((name) => !SCENARIOS.has(name));
if (unknown !== undefined) {
  console.error(`no scenario is called ${unknown}; there are:`);
  for (const { name, about } of SCENARIOS.values()) console.error(`  ${name.padEnd(12)} ${about}`);
  process.exitCode = 2;
} else {
  let found = 0;
  for (const name of names.length > 0 ? names : SCENARIOS.keys()) {
    const startMs = Date.now();
    const { cases, anomalies } = await SCENARIOS.get(name)!.run({ depth });
    const took = ((Date.now() - startMs) / 1000).toFixed(1);
    console.log(`anomalies: ${name.padEnd(12)} ${cases} cases in ${took} s, ${anomalies.length} anomalies`);
    for (const { what, problems } of anomalies.slice(0, PRINTED_MAX)) {
      console.log(`  ${what}`);
      for (const problem of problems) console.log(`    ${problem}`);
    }
    found += anomalies.length;
  }
  process.exitCode = found === 0 ? 0 : 1;
}

function readArguments(args: string[]): { names: string[]; depth: typeof FULL } {
  const names: string[] = [];
  let { stride, seeds } = FULL;
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--stride') stride = Number(args[++i]);
    else if (args[i] === '--seeds') seeds = Number(args[++i]);
    else names.push(args[i]!);
  }
  return { names, depth: { stride, recoveryStride: stride, seeds } };
}
