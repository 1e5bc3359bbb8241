// The public unit tests of rules: what `narthex test rules` says of them beside what was recorded of promtool.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runLine } from './tool.js';

interface Verdict {
  readonly test?: { readonly exit: number; readonly output: string };
}

/** What promtool 3.5.3, of which verdicts were recorded, did not know yet. */
const NEWER: ReadonlyMap<string, Verdict['test']> = new Map([['start-time-test.yml', { exit: 0, output: 'SUCCESS' }]]);

/** By file what is wrong; undefined where nothing is. */
export async function ruleTestProblems(folder: string, filter = ''): Promise<ReadonlyMap<string, string | undefined>> {
  const problems = new Map<string, string | undefined>();
  const path = join(folder, 'VERDICTS.json');
  if (!existsSync(path)) return problems;
  const verdicts = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Verdict>;
  for (const [file, { test }] of Object.entries(verdicts)) {
    if (test === undefined || !file.includes(filter)) continue;
    const want = NEWER.get(file) ?? test;
    const { code, out, err } = await runLine(['test', 'rules', join(folder, file)]);
    const got = `exit ${code}\n${inOneOrder((err + out).trim())}`;
    const wanted = `exit ${want.exit}\n${inOneOrder(want.output)}`;
    problems.set(file, got === wanted ? undefined : `want ${wanted}\ngot ${got}`);
  }
  return problems;
}

/** Which of two series that are the same promtool names first is chance. */
function inOneOrder(text: string): string {
  return text.replace(/\[(\{.*?\}), (\{.*?\})\]/g, (_, a: string, b: string) => `[${[a, b].sort().join(', ')}]`);
}
