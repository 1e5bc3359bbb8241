// `narthex query series`: the label sets of series.

import { listFlag } from '../flag.js';
import { command } from '../tool/command.js';
import { asking, queryFlags, secondsText, timeFlag, timesOf } from './ask.js';
import { type Metric, PRINTERS } from './values.js';

export const series = command({
  path: ['query', 'series'],
  help: 'Ask a server for the label sets of series.',
  flags: {
    ...queryFlags,
    match: listFlag('match', [], 'Selector of series. Can be repeated.', undefined, {
      placeholder: '<selector>',
      required: true,
    }),
    start: timeFlag('start', 'Where to begin.'),
    end: timeFlag('end', 'Where to end.'),
  },
  words: ['<server>'],
  run: async (world, { values, words }) => {
    const { format, httpConfigFile, match, start, end } = values;
    const { startMs, endMs } = timesOf(world, start, end);
    const found = await asking(world, words[0]!, { httpConfigFile }, async (api) => {
      const selectors = match.map((text) => ['match[]', text] as const);
      const params = [...selectors, ['start', secondsText(startMs)], ['end', secondsText(endMs)]] as const;
      return (await api.post('/api/v1/series', params)).data as readonly Metric[];
    });
    const text = PRINTERS[format].series(found);
    if (text !== undefined) world.out.line(text);
  },
});
