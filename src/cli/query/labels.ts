// `narthex query labels`: the values of a label.

import { listFlag } from '../flag.js';
import { command } from '../tool/command.js';
import { asking, queryFlags, secondsText, timeFlag, timesOf } from './ask.js';
import { PRINTERS } from './values.js';

export const labels = command({
  path: ['query', 'labels'],
  help: 'Ask a server for the values of a label.',
  flags: {
    ...queryFlags,
    start: timeFlag('start', 'Where to begin.'),
    end: timeFlag('end', 'Where to end.'),
    match: listFlag('match', [], 'Selector of series that have it. Can be repeated.', undefined, {
      placeholder: '<selector>',
    }),
  },
  words: ['<server>', '<name>'],
  run: async (world, { values, words }) => {
    const { format, httpConfigFile, match, start, end } = values;
    const [server, name] = words as [string, string];
    const { startMs, endMs } = timesOf(world, start, end);
    const { data, warnings } = await asking(world, server, { httpConfigFile }, (api) => {
      const selectors = match.map((text) => ['match[]', text] as const);
      const params = [['start', secondsText(startMs)], ['end', secondsText(endMs)], ...selectors] as const;
      return api.get(`/api/v1/label/${encodeURIComponent(name)}/values`, params);
    });
    for (const warning of warnings) world.warn(`query warning: ${warning}`);
    const text = PRINTERS[format].names(data as readonly string[]);
    if (text !== undefined) world.out.line(text);
  },
});
