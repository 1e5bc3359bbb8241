// Runs the public conformance cases and prints what passes, by name.
//
//   npm run conformance -- [filter]
//
// The cases are in $CONFORMANCE_DIR, by default ../shared/conformance. The filter is part
// of a file's name. The last line has the sums, and the exit code says whether all passed.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runScript, type StoreFactory } from '../test/support/promqltest/run.js';
import { STORES } from '../test/support/promqltest/stores.js';
import { verdictProblems } from '../test/support/verdicts.js';

interface Counts {
  passed: number;
  failed: number;
}

const root = resolve(process.env.CONFORMANCE_DIR ?? '../shared/conformance');
const filter = process.argv[2] ?? '';

const sums = await promqltest();
add(sums, await verdicts());
console.log(tally(sums));
process.exitCode = sums.failed === 0 ? 0 : 1;

/** Rule files, configurations and unit tests of rules, by our tools, beside what promtool says of them. */
async function verdicts(): Promise<Counts> {
  const counts = { passed: 0, failed: 0 };
  for (const [file, problem] of await verdictProblems(root, filter)) {
    if (problem === undefined) counts.passed++;
    else counts.failed++;
    if (problem !== undefined) console.log(`  ${file}: ${problem}`);
  }
  console.log(`rules, rule-tests, promtool: ${tally(counts)}`);
  return counts;
}

/** All scripts on all stores. */
async function promqltest(): Promise<Counts> {
  const sums = { passed: 0, failed: 0 };
  const folder = join(root, 'promqltest', 'testdata');
  if (!existsSync(folder)) {
    console.log(`promqltest: nothing at ${folder}`);
    return sums;
  }
  const files = readdirSync(folder).filter((name) => name.endsWith('.test') && name.includes(filter));
  for (const [store, open] of Object.entries(STORES)) {
    const total = { passed: 0, failed: 0 };
    for (const file of files) add(total, await runFile(folder, file, store, open));
    console.log(`promqltest on ${store}: ${tally(total)}`);
    add(sums, total);
  }
  return sums;
}

async function runFile(folder: string, file: string, store: string, open: StoreFactory): Promise<Counts> {
  const outcomes = await runScript(readFileSync(join(folder, file), 'utf8'), open);
  const failed = outcomes.filter(({ problem }) => problem !== undefined);
  const counts = { passed: outcomes.length - failed.length, failed: failed.length };
  console.log(`promqltest on ${store}, ${file}: ${tally(counts)}`);
  for (const { line, query, problem } of failed) console.log(`  ${file}:${line} ${query}\n      ${problem}`);
  return counts;
}

function add(into: Counts, { passed, failed }: Counts): void {
  into.passed += passed;
  into.failed += failed;
}

function tally({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed`;
}
