// What was recorded of promtool beside what our tools say: exit codes and texts of files that are checked or tested.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runLine } from './tool.js';

interface Verdict {
  readonly exit: number;
  readonly output: string;
}

type Verdicts = Readonly<Record<string, Readonly<Record<string, Verdict | string | null>>>>;

/** A folder of cases, and the command for each kind of verdict. */
interface Cases {
  readonly folder: string;
  readonly commands: ReadonlyMap<string, readonly string[]>;
  /** Files that cannot be compared, or newer than the recorded verdicts. */
  readonly other: ReadonlyMap<string, Verdict | 'left out'>;
}

const LINTED = ['--lint=all', '--lint-fatal'];

const CASES: readonly Cases[] = [
  {
    folder: 'rule-tests',
    commands: new Map([
      ['test', ['test', 'rules']],
      ['check', ['check', 'rules', '--lint=none']],
    ]),
    // promtool 3.5.3 did not know start_timestamp yet.
    other: new Map([['start-time-test.yml', { exit: 0, output: 'SUCCESS' }]]),
  },
  {
    folder: 'rules',
    commands: new Map([
      ['check', ['check', 'rules', '--lint=none']],
      ['lint_all_fatal', ['check', 'rules', ...LINTED]],
    ]),
    other: new Map(),
  },
  {
    folder: 'promtool',
    commands: new Map([
      ['full', ['check', 'config']],
      ['lint_all_fatal', ['check', 'config', ...LINTED]],
    ]),
    // It asked the cloud that it ran in.
    other: new Map([['prometheus-aws-sd-empty-region.good.yml', 'left out']]),
  },
];

/** By folder, kind of verdict and file what is wrong; undefined where nothing is. */
export async function verdictProblems(root: string, filter = ''): Promise<ReadonlyMap<string, string | undefined>> {
  const problems = new Map<string, string | undefined>();
  for (const { folder, commands, other } of CASES) {
    const path = join(root, folder);
    if (!existsSync(path)) continue;
    const verdicts = JSON.parse(readFileSync(join(path, 'VERDICTS.json'), 'utf8')) as Verdicts;
    for (const [file, kinds] of Object.entries(verdicts)) {
      const known = other.get(file);
      if (known === 'left out' || !file.includes(filter)) continue;
      for (const [kind, command] of commands) {
        const recorded = kinds[kind];
        if (typeof recorded !== 'object' || recorded === null) continue;
        problems.set(`${folder}, ${kind}, ${file}`, await problemOf(path, file, command, known ?? recorded));
      }
    }
  }
  return problems;
}

async function problemOf(folder: string, file: string, command: readonly string[], want: Verdict) {
  const { code, out, err } = await runLine([...command, join(folder, file)]);
  const said = (out + err).replaceAll(`${folder}/`, '');
  const [got, wanted] = [`exit ${code}\n${inOneForm(said)}`, `exit ${want.exit}\n${inOneForm(want.output)}`];
  return got === wanted ? undefined : `want ${wanted}\ngot ${got}`;
}

/** Blank lines stand between the two streams; which of two series that are the same promtool names first is chance. */
function inOneForm(text: string): string {
  const inOrder = text.replace(
    /\[(\{.*?\}), (\{.*?\})\]/g,
    (_, a: string, b: string) => `[${[a, b].sort().join(', ')}]`,
  );
  const lines = inOrder.split('\n').filter((line) => line.trim() !== '');
  return lines.join('\n').trim();
}
