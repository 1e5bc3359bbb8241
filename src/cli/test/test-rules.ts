// `narthex test rules`: unit tests of rules, with the output and the exit codes of promtool's.

import { dirname } from 'node:path';
import { DiskError } from '../../base/disk.js';
import { ConfigError } from '../../config/error.js';
import { RuleFaults } from '../../config/rule-file.js';
import { compilePattern, PatternError } from '../../model/matcher.js';
import { NotationError } from '../../promql/syntax/notation-error.js';
import { FlagError } from '../flag.js';
import { SaidFailure, type ToolWorld } from '../tool/command.js';
import { goDuration } from '../tool/go-text.js';
import { type JUnitCase, type JUnitSuite, junitXml } from './junit.js';
import { runGroup } from './run-group.js';
import { readTestFile, type TestFile, type TestGroup } from './test-file.js';

export interface TestRequest {
  readonly files: readonly string[];
  /** Patterns of names of groups; all are run where there is none. */
  readonly run: readonly string[];
  readonly features: readonly string[];
  /** Where results go as XML; nowhere where empty. */
  readonly junit: string;
  readonly isDebug: boolean;
  readonly isDiff: boolean;
  /** Of rule files. */
  readonly ignoreUnknown: boolean;
}

/** What a file of tests, or rules, may have wrong. */
const EXPECTED = [ConfigError, DiskError, NotationError];

/** Throws SaidFailure where a test did, FlagError where the request makes no sense. */
export async function testRules(world: ToolWorld, request: TestRequest): Promise<void> {
  const { disk, out, warn } = world;
  const isWanted = nameTest(request.run);
  const isPlace = request.junit === '' || disk.stat(dirname(request.junit))?.isDirectory === true;
  if (!isPlace) throw new FlagError(`open ${request.junit}: no such file or directory`);
  const suites: JUnitSuite[] = [];
  let isFailed = false;
  for (const file of request.files) {
    const { suite, errors } = await runFile(world, file, request, isWanted);
    suites.push(suite);
    isFailed ||= errors.length > 0;
    if (errors.length === 0) out.line('  SUCCESS');
    else warn('  FAILED:');
    for (const error of errors) {
      warn(error);
      out.line('');
    }
    out.line('');
  }
  if (request.junit !== '') disk.writeFileAtomic(request.junit, new TextEncoder().encode(junitXml(suites)));
  if (isFailed) throw new SaidFailure('tests failed');
}

async function runFile(
  world: ToolWorld,
  path: string,
  request: TestRequest,
  isWanted: (name: string) => boolean,
): Promise<{ readonly suite: JUnitSuite; readonly errors: readonly string[] }> {
  const { disk, clock, warn } = world;
  try {
    const file = readTestFile(disk, path, warn);
    const timestamp = new Date(clock.nowMs()).toISOString().slice(0, 19);
    const cases: JUnitCase[] = [];
    for (const [i, test] of file.tests.entries()) {
      if (!isWanted(test.name)) continue;
      const name = test.name === '' ? `unnamed#${i}` : test.name;
      cases.push({ name, failures: await runTest(world, file, test, name, request) });
    }
    const suite = { name: path, timestamp, cases, error: undefined };
    return { suite, errors: cases.flatMap(({ failures }) => failures) };
  } catch (error) {
    const message = messageOf(error);
    return { suite: { name: path, timestamp: '', cases: [], error: message }, errors: [message] };
  }
}

async function runTest(
  { disk, clock, warn }: ToolWorld,
  file: TestFile,
  test: TestGroup,
  name: string,
  { isDebug, ...options }: TestRequest,
): Promise<readonly string[]> {
  const beganMs = clock.monotonicMs();
  if (isDebug) warn(`DEBUG: Starting test ${name}`);
  try {
    const { errors, dump } = await runGroup(file, test, { disk, ...options });
    if (isDebug) warn(`DEBUG: Dump of all data (input_series and rules) ${await dump()}`);
    return errors;
  } catch (error) {
    return error instanceof RuleFaults ? error.faults : [messageOf(error)];
  } finally {
    if (isDebug) warn(`DEBUG: Test ${name} finished, took ${goDuration(Math.round(clock.monotonicMs() - beganMs))}`);
  }
}

/** Throws what nobody expects. */
function messageOf(error: unknown): string {
  if (EXPECTED.some((kind) => error instanceof kind)) return (error as Error).message;
  throw error;
}

/** Whether a pattern matches anywhere in a name. Throws FlagError. */
function nameTest(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.length === 0) return () => true;
  try {
    const either = patterns.join('|');
    // By itself first: what is wrong is then shown as it was given.
    compilePattern(either);
    return compilePattern(`(?s:.*)(?:${either})(?s:.*)`);
  } catch (error) {
    if (error instanceof PatternError) throw new FlagError(error.message);
    throw error;
  }
}
