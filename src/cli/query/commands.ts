// The commands of `narthex query`: a server is asked, and its answer printed, as `promtool query` does.

import type { Command } from '../tool/command.js';
import { analyze } from './analyze.js';
import { instant } from './instant.js';
import { labels } from './labels.js';
import { range } from './range.js';
import { series } from './series.js';

export const queryCommands: readonly Command[] = [instant, range, series, labels, analyze];
