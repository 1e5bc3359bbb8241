// Runs the public conformance cases and prints what passes, by name.
//
//   npm run conformance -- [filter] [--verbose]
//
// The cases are in $CONFORMANCE_DIR, by default ../shared/conformance.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type EvalOutcome, memoryStore, runScript, type StoreFactory } from '../test/support/promqltest/run.js';
import { shardStores } from '../test/support/promqltest/shard-store.js';

const root = resolve(process.env.CONFORMANCE_DIR ?? '../shared/conformance');
const args = process.argv.slice(2);
const verbose = args.includes('--verbose');
const filter = args.find((arg) => !arg.startsWith('--')) ?? '';

/** Evals known not to pass yet: file → lines. */
type Pending = Record<string, number[]>;

const VERDICTS = ['passed', 'failed', 'pending', 'surprising'] as const;

const PENDING_FILE = 'test/conformance/promqltest/pending.json';

/** Where the scripts' samples go: the model, and shards with the core's kernels. */
const STORES: Record<string, StoreFactory> = { memory: memoryStore, 'two shards': shardStores(2) };

/** Over all stores and files: surprises count as failures. */
const sums = { passed: 0, failed: 0 };

process.exitCode = (await promqltest()) ? 0 : 1;
console.log(`${sums.passed} passed, ${sums.failed} failed`);

async function promqltest(): Promise<boolean> {
  const folder = join(root, 'promqltest', 'testdata');
  if (!existsSync(folder)) {
    console.log(`promqltest: nothing at ${folder}`);
    return true;
  }
  const pending: Pending = existsSync(PENDING_FILE) ? JSON.parse(readFileSync(PENDING_FILE, 'utf8')) : {};
  const files = readdirSync(folder).filter((name) => name.endsWith('.test') && name.includes(filter));
  let fine = true;
  for (const [store, open] of Object.entries(STORES)) {
    const total = noCounts();
    for (const file of files) {
      const outcomes = await runScript(readFileSync(join(folder, file), 'utf8'), open);
      const count = countOutcomes(file, outcomes, new Set(pending[file] ?? []));
      console.log(`promqltest on ${store}, ${file}: ${tally(count)}`);
      for (const verdict of VERDICTS) total[verdict] += count[verdict];
    }
    console.log(`promqltest on ${store}: ${tally(total)}`);
    sums.passed += total.passed;
    sums.failed += total.failed + total.surprising;
    fine &&= total.failed === 0 && total.surprising === 0;
  }
  return fine;
}

function countOutcomes(file: string, outcomes: readonly EvalOutcome[], waiting: ReadonlySet<number>): Counts {
  const counts = noCounts();
  for (const outcome of outcomes) {
    const verdict = verdictOf(outcome, waiting);
    counts[verdict]++;
    if (verdict === 'failed' || verdict === 'surprising' || (verbose && verdict === 'pending')) {
      const remark = outcome.problem ?? (outcome.skipped ? 'needs histograms or start timestamps' : 'passes now');
      console.log(`  ${verdict} ${file}:${outcome.line} ${outcome.query}\n      ${remark}`);
    }
  }
  return counts;
}

type Verdict = (typeof VERDICTS)[number];
type Counts = Record<Verdict, number>;

function noCounts(): Counts {
  return { passed: 0, failed: 0, pending: 0, surprising: 0 };
}

/** A pending eval that passes is to be taken off the list. What a store cannot hold yet is pending there. */
function verdictOf({ line, problem, skipped }: EvalOutcome, waiting: ReadonlySet<number>): Verdict {
  if (skipped) return 'pending';
  if (waiting.has(line)) return problem === undefined ? 'surprising' : 'pending';
  return problem === undefined ? 'passed' : 'failed';
}

function tally({ passed, failed, pending, surprising }: Counts): string {
  const parts = [`${passed} passed`, `${failed} failed`, `${pending} pending`];
  if (surprising > 0) parts.push(`${surprising} pending but passing`);
  return parts.join(', ');
}
