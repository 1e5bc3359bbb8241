// Storage run by seeds, against a model of what it was told: see test/support/simulation/.
//
//   npm run sim -- [--seeds N] [--seed first] [--story]
//
// Each seed is a run of its own; those that go wrong are printed with what happened. The exit code says whether there were any.

import { simulate } from '../test/support/simulation/simulation.js';

const { first, count, tells } = readArguments(process.argv.slice(2));
const startMs = Date.now();
let wrong = 0;
for (let seed = first; seed < first + count; seed++) {
  const { problems, story } = await simulate(seed);
  if (tells) for (const line of story) console.log(line);
  if (problems.length === 0) continue;
  wrong++;
  console.log(`seed ${seed}:`);
  for (const problem of problems.slice(0, 5)) console.log(`  ${problem}`);
  if (!tells) for (const line of story.slice(-12)) console.log(`    ${line}`);
}
console.log(`sim: ${count} seeds in ${((Date.now() - startMs) / 1000).toFixed(1)} s, ${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;

function readArguments(args: string[]): { first: number; count: number; tells: boolean } {
  let [first, count, tells] = [1, 1000, false];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--seeds') count = Number(args[++i]);
    else if (args[i] === '--seed') [first, count] = [Number(args[++i]), 1];
    else if (args[i] === '--from') first = Number(args[++i]);
    else if (args[i] === '--story') tells = true;
    else throw new Error(`what is ${args[i]}? --seeds, --from, --seed, --story`);
  }
  return { first, count, tells };
}
