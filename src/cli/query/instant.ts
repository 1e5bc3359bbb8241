// `narthex query instant`: the value of an expression at one time.

import { command } from '../tool/command.js';
import { pairsOf } from '../tool/flags.js';
import { asking, header, queryFlags, secondsText, timeFlag, timeOf } from './ask.js';
import { PRINTERS, valueOf } from './values.js';

export const instant = command({
  path: ['query', 'instant'],
  help: 'Ask a server for the value of an expression at one time.',
  flags: { ...queryFlags, header, time: timeFlag('time', 'When; now where absent.') },
  words: ['<server>', '<expr>'],
  run: async (world, { values, words }) => {
    const { format, httpConfigFile, header: headers, time } = values;
    const [server, query] = words as [string, string];
    const timeMs = timeOf(world, time, 'evaluation', world.clock.nowMs());
    const value = await asking(world, server, { httpConfigFile, headers: pairsOf(headers) }, async (api) => {
      const params = [
        ['query', query],
        ['time', secondsText(timeMs)],
      ] as const;
      return valueOf((await api.post('/api/v1/query', params)).data);
    });
    world.out.line(PRINTERS[format].value(value));
  },
});
