// `narthex tsdb …`: reads the command line, runs the command, says what went wrong. 0 is a good end, 1 a failure.

import { DiskError } from '../../base/disk.js';
import { HttpError } from '../../base/http.js';
import { ConfigError } from '../../config/error.js';
import { PatternError } from '../../model/matcher.js';
import { ParseError } from '../../promql/syntax/errors.js';
import { BlockFault } from '../../tsdb/block/contract.js';
import { UnreadableChunk } from '../../tsdb/compact/samples.js';
import { ImportFault } from '../../tsdb/import/openmetrics-import.js';
import { FlagError } from '../flag.js';
import { findCommand, helpOfCommand, helpOfCommands, type ToolWorld } from './command.js';
import { tsdbCommands } from './commands.js';
import { ToolError } from './data-folder.js';
import { OutputClosed } from './output.js';

const NAME = 'narthex tsdb';

/** What a command may meet that is nobody's mistake in here. */
const EXPECTED = [
  ...[BlockFault, ConfigError, DiskError, HttpError],
  ...[ImportFault, ParseError, PatternError, ToolError, UnreadableChunk],
];

/** Runs a line without `tsdb` in front; gives the exit code. */
export async function runTool(world: ToolWorld, line: readonly string[]): Promise<number> {
  try {
    const code = await run(world, line);
    world.out.flush();
    return code;
  } catch (error) {
    if (error instanceof OutputClosed) return 0;
    throw error;
  }
}

async function run(world: ToolWorld, line: readonly string[]): Promise<number> {
  const command = findCommand(tsdbCommands, line);
  if (line.some((word) => word === '--help' || word === '-h')) {
    const text = command === undefined ? helpOfCommands(NAME, tsdbCommands) : helpOfCommand(NAME, command.found);
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
    if (error instanceof FlagError) world.warn(`narthex: error: ${error.message}, try --help`);
    else if (EXPECTED.some((kind) => error instanceof kind)) world.warn((error as Error).message);
    else throw error;
    return 1;
  }
}
