// What the fuzzing command runs: one target is one file that exports a FuzzTarget,
// and one line in targets.ts.

export interface FuzzOptions {
  /** The same seed makes the same cases. */
  readonly seed: number;
  /** Cases to try. */
  readonly count: number;
  /** No new case is begun after this, in ms since the epoch; Infinity where only `count` ends the run. */
  readonly endMs: number;
  /** What else the command line said, as `--name value`: for the target alone. */
  readonly more: ReadonlyMap<string, string>;
  /** Failures as they are found, and how far the run is. */
  print(line: string): void;
}

export interface FuzzReport {
  /** Tried: fewer than asked for where time ended the run. */
  readonly cases: number;
  readonly failures: number;
  /** What the run met, for people. */
  readonly summary: readonly string[];
}

export interface FuzzTarget {
  /** One line for the command's help. */
  readonly about: string;
  /** Prints each failure, made small, with what replays it. Rejects where nothing can be tried at all. */
  run(options: FuzzOptions): Promise<FuzzReport>;
}
