// `narthex <command> …`: reads the command line, runs the command, says what went wrong. 0 is a good end, 1 a failure,
// 3 what is odd and no failure.

import { DiskError } from '../../base/disk.js';
import { HttpError } from '../../base/http.js';
import { ConfigError } from '../../config/error.js';
import { PatternError } from '../../model/matcher.js';
import { ParseError } from '../../promql/syntax/errors.js';
import { BlockFault } from '../../tsdb/block/contract.js';
import { UnreadableChunk } from '../../tsdb/compact/samples.js';
import { ImportFault } from '../../tsdb/import/openmetrics-import.js';
import { FlagError } from '../flag.js';
import {
  type Command,
  type Found,
  findCommand,
  helpOfCommand,
  helpOfCommands,
  SaidFailure,
  ToolError,
  type ToolWorld,
} from './command.js';
import { completionsOf, isCompletion } from './completion.js';
import { OutputClosed } from './output.js';
import { COMMANDS } from './table.js';

const HELP = 'help';

/** Whether a command line is for the tool: the server's has no words. */
export function isTool(line: readonly string[]): boolean {
  if (line[0] !== undefined && isCompletion(line[0])) return true;
  try {
    const { path, stray } = findCommand(COMMANDS, line);
    return path.length > 0 || stray === HELP;
  } catch (error) {
    // A flag of the server.
    if (error instanceof FlagError) return COMMANDS.some(({ path }) => path[0] === line[0]);
    throw error;
  }
}

/** What a command may meet that is nobody's mistake in here. */
const EXPECTED = [
  ...[BlockFault, ConfigError, DiskError, HttpError],
  ...[ImportFault, ParseError, PatternError, ToolError, UnreadableChunk],
];

/** Runs a line without the program in front; gives the exit code. */
export async function runTool(world: ToolWorld, line: readonly string[]): Promise<number> {
  try {
    const code = await runLine(world, line);
    world.out.flush();
    return code;
  } catch (error) {
    if (error instanceof OutputClosed) return 0;
    throw error;
  }
}

async function runLine(world: ToolWorld, line: readonly string[]): Promise<number> {
  try {
    if (line[0] !== undefined && isCompletion(line[0])) {
      for (const text of completionsOf(line, COMMANDS)) world.out.line(text);
      return 0;
    }
    const asksHelp = line[0] === HELP;
    const found = findCommand(COMMANDS, asksHelp ? line.slice(1) : line);
    if (asksHelp || found.rest.some((word) => word === '--help' || word === '-h')) {
      world.out.line(helpOf(found).trimEnd());
    } else if (found.rest.includes('--version')) {
      world.out.line(`narthex, version ${world.version}`);
    } else {
      await commandOf(found).run(world, found.rest);
    }
    return 0;
  } catch (error) {
    return told(world, error);
  }
}

/** Throws FlagError where the line names none. */
function commandOf({ commands, isWhole, path, stray }: Found): Command {
  if (isWhole) return commands[0]!;
  if (stray !== undefined) throw new FlagError(`expected command but got ${JSON.stringify(stray)}`);
  throw new FlagError(`must select a subcommand of '${path.join(' ')}'`);
}

function helpOf({ path, commands, isWhole }: Found): string {
  return isWhole ? helpOfCommand(commands[0]!) : helpOfCommands(path, commands);
}

/** Says what went wrong, and gives the exit code. Throws what nobody expects. */
function told(world: ToolWorld, error: unknown): number {
  if (error instanceof SaidFailure) return error.exitCode;
  if (error instanceof FlagError) world.warn(`narthex: error: ${error.message}, try --help`);
  else if (EXPECTED.some((kind) => error instanceof kind)) world.warn((error as Error).message);
  else throw error;
  return 1;
}
