// The door to other programs: runs one that a user's file names, and gives what it prints.

import { execFile } from 'node:child_process';

export interface ProgramOptions {
  /** Beside our own; later ones win. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** What an error shows of what a program says about itself. */
const SHOWN_CHARACTERS = 200;

/** A path, or a name that is looked for in PATH. There is no shell. Rejects where it cannot be run, fails, or takes too long. */
export function runProgram(command: string, args: readonly string[], options: ProgramOptions): Promise<string> {
  const { environment, timeoutMs, outputBytesMax, signal } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      {
        env: { ...process.env, ...environment },
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: outputBytesMax,
        signal,
      },
      (error, output, complaint) => {
        if (error === null) resolve(output);
        else reject(new Error(`${command}: ${reasonOf(error, complaint)}`));
      },
    );
    child.stdin?.end();
  });
}

function reasonOf(error: Error & { code?: unknown; killed?: boolean }, complaint: string): string {
  if (error.code === 'ENOENT') return 'executable file not found';
  if (typeof error.code === 'string') return error.code;
  const reason = error.killed ? 'it took too long' : `it failed with exit code ${error.code}`;
  const said = complaint.replace(/\s+/g, ' ').trim().slice(0, SHOWN_CHARACTERS);
  return said === '' ? reason : `${reason}: ${said}`;
}
