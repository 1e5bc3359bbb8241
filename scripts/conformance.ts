// Runs the public conformance cases and prints what passes, by name.
//
//   npm run conformance -- [filter] [--verbose]
//
// The cases are in $CONFORMANCE_DIR, by default ../shared/conformance.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type EvalOutcome, runScript } from '../test/support/promqltest/run.js';

const root = resolve(process.env.CONFORMANCE_DIR ?? '../shared/conformance');
const args = process.argv.slice(2);
const verbose = args.includes('--verbose');
const filter = args.find((arg) => !arg.startsWith('--')) ?? '';

/** Evals known not to pass yet: file → lines. */
type Pending = Record<string, number[]>;

const PENDING_FILE = 'test/conformance/promqltest/pending.json';

process.exitCode = (await promqltest()) ? 0 : 1;

async function promqltest(): Promise<boolean> {
  const folder = join(root, 'promqltest', 'testdata');
  if (!existsSync(folder)) {
    console.log(`promqltest: nothing at ${folder}`);
    return true;
  }
  const pending: Pending = existsSync(PENDING_FILE) ? JSON.parse(readFileSync(PENDING_FILE, 'utf8')) : {};
  const total = { passed: 0, failed: 0, pending: 0, surprising: 0 };
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.test') && name.includes(filter))) {
    const outcomes = await runScript(readFileSync(join(folder, file), 'utf8'));
    const waiting = new Set(pending[file] ?? []);
    const count = { passed: 0, failed: 0, pending: 0, surprising: 0 };
    for (const outcome of outcomes) {
      const verdict = verdictOf(outcome, waiting);
      count[verdict]++;
      total[verdict]++;
      if (verdict === 'failed' || verdict === 'surprising' || (verbose && verdict === 'pending')) {
        console.log(`  ${verdict} ${file}:${outcome.line} ${outcome.query}\n      ${outcome.problem ?? 'passes now'}`);
      }
    }
    console.log(`promqltest ${file}: ${tally(count)}`);
  }
  console.log(`promqltest: ${tally(total)}`);
  return total.failed === 0 && total.surprising === 0;
}

type Verdict = 'passed' | 'failed' | 'pending' | 'surprising';

/** A pending eval that passes is to be taken off the list. */
function verdictOf({ line, problem }: EvalOutcome, waiting: ReadonlySet<number>): Verdict {
  if (waiting.has(line)) return problem === undefined ? 'surprising' : 'pending';
  return problem === undefined ? 'passed' : 'failed';
}

function tally({ passed, failed, pending, surprising }: Record<Verdict, number>): string {
  const parts = [`${passed} passed`, `${failed} failed`, `${pending} pending`];
  if (surprising > 0) parts.push(`${surprising} pending but passing`);
  return parts.join(', ');
}
