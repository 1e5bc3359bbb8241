// The command of `narthex push`.

import type { Command } from '../tool/command.js';
import { metrics } from './metrics.js';

export const pushCommands: readonly Command[] = [metrics];
