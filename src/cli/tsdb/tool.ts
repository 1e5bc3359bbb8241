// `narthex tsdb …`, `narthex check …` and `narthex test …`: reads the command line, runs the command, says what went wrong. 0 is a good end, 1 a failure.

import { DiskError } from '../../base/disk.js';
import { HttpError } from '../../base/http.js';
import { ConfigError } from '../../config/error.js';
import { PatternError } from '../../model/matcher.js';
import { ParseError } from '../../promql/syntax/errors.js';
import { BlockFault } from '../../tsdb/block/contract.js';
import { UnreadableChunk } from '../../tsdb/compact/samples.js';
import { ImportFault } from '../../tsdb/import/openmetrics-import.js';
import { checkCommands } from '../check/commands.js';
import { FlagError } from '../flag.js';
import { testCommands } from '../test/commands.js';
import { type Command, findCommand, helpOfCommand, helpOfCommands, SaidFailure, type ToolWorld } from './command.js';
import { tsdbCommands } from './commands.js';
import { ToolError } from './data-folder.js';
import { OutputClosed } from './output.js';

/** By the first word of the line. */
const TOOLS: ReadonlyMap<string, readonly Command[]> = new Map([
  ['tsdb', tsdbCommands],
  ['check', checkCommands],
  ['test', testCommands],
]);

export function isTool(word: string | undefined): word is string {
  return word !== undefined && TOOLS.has(word);
}

/** What a command may meet that is nobody's mistake in here. */
const EXPECTED = [
  ...[BlockFault, ConfigError, DiskError, HttpError],
  ...[ImportFault, ParseError, PatternError, ToolError, UnreadableChunk],
];

/** Runs a line with the tool's name in front; gives the exit code. */
export async function runTool(world: ToolWorld, [tool, ...line]: readonly string[]): Promise<number> {
  try {
    const code = await run(world, tool!, line);
    world.out.flush();
    return code;
  } catch (error) {
    if (error instanceof OutputClosed) return 0;
    throw error;
  }
}

async function run(world: ToolWorld, tool: string, line: readonly string[]): Promise<number> {
  const commands = TOOLS.get(tool)!;
  const name = `narthex ${tool}`;
  const command = findCommand(commands, line);
  if (line.some((word) => word === '--help' || word === '-h')) {
    const text = command === undefined ? helpOfCommands(name, commands) : helpOfCommand(name, command.found);
    world.out.line(text.trimEnd());
    return 0;
  }
  if (command === undefined) {
    const got = line[0] === undefined ? 'nothing' : JSON.stringify(line[0]);
    world.warn(`narthex: error: expected command but got ${got}, try --help`);
    return 1;
  }
  try {
    await command.found.run(world, command.rest);
    return 0;
  } catch (error) {
    if (error instanceof SaidFailure) return error.exitCode;
    if (error instanceof FlagError) world.warn(`narthex: error: ${error.message}, try --help`);
    else if (EXPECTED.some((kind) => error instanceof kind)) world.warn((error as Error).message);
    else throw error;
    return 1;
  }
}
