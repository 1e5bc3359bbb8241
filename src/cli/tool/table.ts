// All commands of the tool, in the order of the help.

import { checkCommands } from '../check/commands.js';
import { debugCommands } from '../debug/commands.js';
import { promqlCommands } from '../promql/commands.js';
import { pushCommands } from '../push/commands.js';
import { queryCommands } from '../query/commands.js';
import { testCommands } from '../test/commands.js';
import { tsdbCommands } from '../tsdb/commands.js';
import type { Command } from './command.js';

export const COMMANDS: readonly Command[] = [
  ...checkCommands,
  ...queryCommands,
  ...debugCommands,
  ...pushCommands,
  ...testCommands,
  ...tsdbCommands,
  ...promqlCommands,
];
