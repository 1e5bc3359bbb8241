// `narthex tsdb …` and its like in this process: what it prints, what it says beside, its exit code.

import { realClock } from '../../src/base/clock.js';
import { type Disk, realDisk } from '../../src/base/disk.js';
import { Output } from '../../src/cli/tool/output.js';
import { runTool } from '../../src/cli/tool/run.js';
import { discoveryTools } from '../../src/server/discovery.js';
import { withWholeDirectory } from '../../src/server/sandbox.js';
import { Registry } from '../../src/telemetry/metrics.js';

export interface ToolRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export function runTsdb(line: readonly string[], disk: Disk = realDisk): Promise<ToolRun> {
  return runLine(['tsdb', ...line], disk);
}

export async function runLine(line: readonly string[], disk: Disk = realDisk, input = ''): Promise<ToolRun> {
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
      ...{ version: '0.0.0', disk, clock: realClock, out: output, warn, isWatched: false, progress: () => {} },
      readInput: () => Buffer.from(input),
      discoveryTools: () => discoveryTools({ disk, clock: realClock, version: '0.0.0' }, new Registry()),
      withWholeDirectory: (request, action) => withWholeDirectory(disk, realClock, request, action),
    },
    line,
  );
  return { code, out, err };
}
