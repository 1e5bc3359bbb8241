// `narthex query range`: the values of an expression over a range of time.

import { command, SaidFailure } from '../tool/command.js';
import { goDurationFlag, pairsOf } from '../tool/flags.js';
import { asking, header, queryFlags, secondsText, timeFlag, timeOf } from './ask.js';
import { PRINTERS, valueOf } from './values.js';

const RANGE_MS = 300_000;
/** Where no step is given, so many; none is shorter than a second. */
const STEPS = 250;
const STEP_MS_MIN = 1000;

export const range = command({
  path: ['query', 'range'],
  help: 'Ask a server for the values of an expression over a range of time.',
  flags: {
    ...queryFlags,
    header,
    start: timeFlag('start', 'Where to begin; five minutes before the end where absent.'),
    end: timeFlag('end', 'Where to end; now where absent.'),
    stepMs: goDurationFlag('step', 0, 'Time between two values; about 250 of them where absent.'),
  },
  words: ['<server>', '<expr>'],
  run: async (world, { values, words }) => {
    const { format, httpConfigFile, header: headers } = values;
    const [server, query] = words as [string, string];
    const endMs = timeOf(world, values.end, 'end', world.clock.nowMs());
    const startMs = timeOf(world, values.start, 'start', endMs - RANGE_MS);
    if (startMs >= endMs) {
      world.warn('start time is not before end time');
      throw new SaidFailure('no range');
    }
    const stepMs = values.stepMs || Math.max(Math.floor((endMs - startMs) / 1000 / STEPS) * 1000, STEP_MS_MIN);
    const value = await asking(world, server, { httpConfigFile, headers: pairsOf(headers) }, async (api) => {
      const params = [
        ['query', query],
        ['start', secondsText(startMs)],
        ['end', secondsText(endMs)],
        ['step', secondsText(stepMs)],
      ] as const;
      return valueOf((await api.post('/api/v1/query_range', params)).data);
    });
    world.out.line(PRINTERS[format].value(value));
  },
});
