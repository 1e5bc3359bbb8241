// The commands of `narthex promql`: expressions are printed, changed and explained.

import type { Command } from '../tool/command.js';
import { explain } from './explain.js';
import { format } from './format.js';
import { deleteMatcher, setMatcher } from './label-matchers.js';

export const promqlCommands: readonly Command[] = [format, setMatcher, deleteMatcher, explain];
