// The commands of `narthex tsdb`: names, flags and words are those of `promtool tsdb`.

import { type Labels, labelsOf } from '../../model/labels.js';
import type { Matcher } from '../../model/matcher.js';
import { parseSelector } from '../../promql/syntax/parse.js';
import { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { parseTime } from '../../web/api/time.js';
import { countFlag, durationFlag, FlagError, listFlag, switchFlag, textFlag, valueFlag } from '../flag.js';
import { type Command, command, type Invoked, ToolError, type ToolWorld } from '../tool/command.js';
import { httpConfigFile } from '../tool/server.js';
import { analyze } from './analyze.js';
import { createFromOpenMetrics } from './create-blocks.js';
import { createFromRules } from './create-from-rules.js';
import { checkFolder } from './data-folder.js';
import { type DumpRequest, dump } from './dump.js';
import { listLines } from './list.js';
import { previewPolicies } from './preview-policies.js';

const DATA_FOLDER = 'data/';
const TIME_MIN = '-9223372036854775808';
const TIME_MAX = '9223372036854775807';

const humanReadable = switchFlag('human-readable', false, 'Print human readable values.', { short: 'r' });

const list = command({
  path: ['tsdb', 'list'],
  help: 'List the blocks of a data directory.',
  flags: { humanReadable },
  words: ['[<db path>]'],
  run: ({ disk, out }, { values, words }) => {
    for (const line of listLines(disk, words[0] ?? DATA_FOLDER, values.humanReadable)) out.line(line);
  },
});

const analyzeBlock = command({
  path: ['tsdb', 'analyze'],
  help: 'Analyze churn, cardinality of labels and how full chunks are.',
  flags: {
    limit: countFlag('limit', 20, 'How many items to show in each list.', 0),
    extended: switchFlag('extended', false, 'Say how full the chunks are, too.'),
    match: textFlag('match', '', 'Selector of the series to look at.', { placeholder: '<selector>' }),
  },
  words: ['[<db path>]', '[<block id>]'],
  run: ({ disk, out }, { values, words }) => {
    const { limit, extended: isExtended, match } = values;
    const selector = match === '' ? undefined : { text: match, matchers: selectorOf(match) };
    const request = { folder: words[0] ?? DATA_FOLDER, ulid: words[1], limit, isExtended, selector };
    analyze(disk, new Crc32c(new Core()), request, out);
  },
});

const dumpFlags = {
  sandbox: textFlag('sandbox-dir-root', '', 'Where the logs are copied to be read; the directory itself where empty.', {
    placeholder: '<folder>',
  }),
  minTimeMs: valueFlag('min-time', Number(TIME_MIN), 'First time, in milliseconds since 1970.', integerOf, timeText),
  maxTimeMs: valueFlag('max-time', Number(TIME_MAX), 'Last time, likewise.', integerOf, timeText),
  match: listFlag('match', ["{__name__=~'(?s:.*)'}"], 'Selector of series. Can be repeated.'),
};

function dumping(form: DumpRequest['form'], path: string, help: string): Command {
  return command({
    path: ['tsdb', path],
    help,
    flags: dumpFlags,
    words: ['[<db path>]'],
    run: (world, invoked) => runDump(world, invoked, form),
  });
}

function runDump(
  world: ToolWorld,
  { values, words }: Invoked<typeof dumpFlags>,
  form: DumpRequest['form'],
): Promise<void> {
  const { minTimeMs, maxTimeMs, match, sandbox } = values;
  const selectors = match.map(selectorOf);
  const folder = words[0] ?? DATA_FOLDER;
  checkFolder(world.disk, folder);
  return world.withWholeDirectory({ folder, root: sandbox || folder }, (whole) => {
    dump(world.disk, new Core(), { folder: whole, selectors, minTimeMs, maxTimeMs, form }, world.out);
  });
}

const making = {
  humanReadable,
  quiet: switchFlag('quiet', false, 'Do not print created blocks.', { short: 'q' }),
  blockMsMax: durationFlag('max-block-duration', '2h', 'Longest span of a block: 2h, 6h, 18h and so on up to it.'),
};

const createOpenMetrics = command({
  path: ['tsdb', 'create-blocks-from', 'openmetrics'],
  help: 'Make blocks of the samples in a file of OpenMetrics text.',
  flags: {
    ...making,
    label: listFlag('label', [], 'Label to attach to all series, as name=value. Can be repeated.'),
  },
  words: ['<input file>', '[<output directory>]'],
  run: (world, { values, words }) => {
    const { humanReadable: isForHumans, quiet: isQuiet, blockMsMax } = values;
    const [file, folder = DATA_FOLDER] = words as [string, string?];
    return createFromOpenMetrics(world, {
      file,
      folder,
      isForHumans,
      isQuiet,
      blockMsMax,
      labels: labelsFrom(values.label),
    });
  },
});

const createRules = command({
  path: ['tsdb', 'create-blocks-from', 'rules'],
  help: 'Make blocks of what recording rules would have recorded, asking a server for it.',
  flags: {
    ...making,
    httpConfigFile,
    url: textFlag('url', 'http://localhost:9090', 'The server with the data that the rules read.'),
    start: textFlag('start', '', 'Where to begin: RFC 3339 or seconds since 1970.', {
      placeholder: '<time>',
      required: true,
    }),
    end: textFlag('end', '', 'Where to end, likewise. Three hours ago where absent.', { placeholder: '<time>' }),
    outputDir: textFlag('output-dir', DATA_FOLDER, 'Where the blocks are to be.'),
    evalIntervalMs: durationFlag('eval-interval', '60s', 'Of groups that say no interval.'),
  },
  words: ['<rule-files>...'],
  files: (words) => words,
  run: (world, { values, words }) => {
    const { humanReadable: isForHumans, quiet: isQuiet, blockMsMax, outputDir: folder, start, end, ...asked } = values;
    const startMs = timeOf(start, 'start');
    const endMs = end === '' ? undefined : timeOf(end, 'end');
    return createFromRules(world, { folder, isForHumans, isQuiet, blockMsMax, files: words, startMs, endMs, ...asked });
  },
});

const preview = command({
  path: ['tsdb', 'preview-policies'],
  help: 'Say what a file of policies would free of the blocks of a data directory. Ours, not of promtool.',
  flags: { humanReadable },
  words: ['<policies file>', '[<db path>]'],
  run: (world, { values, words }) => {
    const [file, folder = DATA_FOLDER] = words as [string, string?];
    previewPolicies(world, { file, folder, isForHumans: values.humanReadable });
  },
});

export const tsdbCommands: readonly Command[] = [
  analyzeBlock,
  list,
  dumping('plain', 'dump', 'Print the samples of a data directory.'),
  dumping(
    'openmetrics',
    'dump-openmetrics',
    'The same in OpenMetrics text, without native histograms and stale markers.',
  ),
  createOpenMetrics,
  createRules,
  preview,
];

function labelsFrom(pairs: readonly string[]): Labels {
  return labelsOf(
    pairs.map((pair): [string, string] => {
      const equals = pair.indexOf('=');
      if (equals <= 0) throw new FlagError(`expected KEY=VALUE got '${pair}'`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

function timeOf(text: string, which: string): number {
  try {
    return parseTime(text);
  } catch (error) {
    throw new ToolError(`error parsing ${which} time: ${(error as Error).message}`);
  }
}

/** Throws a ParseError. */
function selectorOf(text: string): readonly Matcher[] {
  return parseSelector(text);
}

function integerOf(text: string): number {
  if (!/^[-+]?\d+$/.test(text))
    throw new FlagError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** The ends of time are no numbers of JavaScript. */
function timeText(timeMs: number): string {
  return timeMs === Number(TIME_MIN) ? TIME_MIN : timeMs === Number(TIME_MAX) ? TIME_MAX : String(timeMs);
}
