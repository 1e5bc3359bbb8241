// `narthex check metrics`: what is odd about the metrics of a page, and how many series they are.

import { parseFamilies, type TextFamily, TextFormatError } from '../../exposition/families.js';
import { command, SaidFailure, type ToolWorld } from '../tool/command.js';
import { enumFlag } from '../tool/flags.js';
import { columns } from '../tool/go-text.js';
import { checkFlags } from './check-flags.js';
import { LINT_CODE } from './check-rules.js';
import { lintFamilies } from './metric-lint.js';

export const metrics = command({
  path: ['check', 'metrics'],
  help: 'Judge the metrics of a page on standard input: names, units, types and help.',
  flags: {
    ...checkFlags,
    lint: enumFlag('lint', ['all', 'none'], 'all', 'What to look for.'),
  },
  words: [],
  run: (world, { values: { extended, lint } }) => {
    if (!extended && lint === 'none') {
      world.warn('error: at least one of --extended or linting must be enabled');
      world.warn('Use --extended for cardinality analysis, or remove --lint=none to enable linting');
      throw new SaidFailure('nothing to do');
    }
    const families = read(world, lint === 'none');
    const oddities = lint === 'none' ? [] : lintFamilies(families);
    for (const { metric, text } of oddities) world.warn(`${metric} ${text}`);
    if (extended) for (const line of tableOf(families)) world.out.line(line);
    if (oddities.length > 0) throw new SaidFailure('something is odd', LINT_CODE);
  },
});

function read(world: ToolWorld, isForSizes: boolean): readonly TextFamily[] {
  try {
    return parseFamilies(new TextDecoder().decode(world.readInput()));
  } catch (error) {
    if (!(error instanceof TextFormatError)) throw error;
    const what = isForSizes ? 'error while parsing text to metric families' : 'error while linting';
    world.warn(`${what}: ${error.message}`);
    throw new SaidFailure('no metrics');
  }
}

/** Metrics with most series first. */
function tableOf(families: readonly TextFamily[]): readonly string[] {
  const sizes = families.map((family) => ({ name: family.name, size: seriesOf(family) }));
  const total = sizes.reduce((sum, { size }) => sum + size, 0);
  const rows = sizes
    .sort((a, b) => b.size - a.size)
    .map(({ name, size }) => [name, String(size), `${((size / total) * 100).toFixed(2)}%`, '']);
  const head = ['Metric', 'Cardinality', 'Percentage', ''];
  return columns([head, ...rows, ['Total', String(total), '100%', '']], MIN_WIDTH, PADDING);
}

const MIN_WIDTH = 4;
const PADDING = 4;

/** As many as its first metric has parts, and a sum and a count, for each. */
function seriesOf({ type, metrics: all }: TextFamily): number {
  const hasParts = type === 'summary' || type === 'histogram';
  return all.length * (hasParts ? all[0]!.parts.length + 2 : 1);
}
