// `narthex tsdb …` and its like in this process: what it prints, what it says beside, its exit code.

import { realClock } from '../../src/base/clock.js';
import { type Disk, realDisk } from '../../src/base/disk.js';
import { Output } from '../../src/cli/tsdb/output.js';
import { runTool } from '../../src/cli/tsdb/tool.js';
import { withWholeDirectory } from '../../src/server/sandbox.js';

export interface ToolRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export function runTsdb(line: readonly string[], disk: Disk = realDisk): Promise<ToolRun> {
  return runLine(['tsdb', ...line], disk);
}

export async function runLine(line: readonly string[], disk: Disk = realDisk): Promise<ToolRun> {
  let out = '';
  let err = '';
  const output = new Output((text) => {
    out += text;
    return true;
  });
  const warn = (text: string) => {
    err += `${text}\n`;
  };
  const code = await runTool(
    {
      ...{ disk, clock: realClock, out: output, warn },
      withWholeDirectory: (request, action) => withWholeDirectory(disk, realClock, request, action),
    },
    line,
  );
  return { code, out, err };
}
