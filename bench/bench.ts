// What the paths of a benchmark have in common: what they are given, and what they answer.

import type { Options } from './options.js';
import type { Peer } from './peers/peer.js';
import type { Progress } from './progress.js';

/** One number of one server. */
export interface Measure {
  /** The same on every server, and what a budget names. */
  readonly id: string;
  readonly label: string;
  readonly unit: string;
  /** What is better; a number that is only said has none. */
  readonly better: 'less' | 'more' | undefined;
  readonly value: number;
  /** Where `value` is a median of repetitions. */
  readonly p99?: number;
  /** Milliseconds of processor time of one repetition. */
  readonly cpuMs?: number;
}

/** What one server did on one path. */
export interface Outcome {
  readonly path: string;
  readonly title: string;
  readonly server: string;
  readonly version: string;
  readonly measures: readonly Measure[];
  /** What was found to be right, in a few words each; what was wrong is in `failure`. */
  readonly checks: readonly string[];
  readonly failure: string | undefined;
  /** Of a suite: the time of the load's last step. */
  readonly endMs?: number;
  /** By query: what the answer was, in short, to compare servers. */
  readonly answers?: Readonly<Record<string, Answer>>;
}

export interface Answer {
  /** Or names, or values of a label. */
  readonly series: number;
  /** Or labels of series. */
  readonly values: number;
  /** Of all finite values; of names and labels a hash each. */
  readonly sum: number;
}

/** A server that a group can start as often as it needs. */
export interface Server {
  readonly name: string;
  /** `load` names what will be written, where the server shall outlive the run if that was asked for. */
  start(config: string, load?: string): Promise<Peer>;
}

export interface Context {
  /** When the run began. */
  readonly startMs: number;
  readonly options: Options;
  readonly progress: Progress;
}

/** Paths that share a load. */
export interface Group {
  readonly paths: readonly string[];
  /** Runs those of its paths that are in `wanted`, and hands each outcome over as it comes. */
  run(context: Context, server: Server, wanted: ReadonlySet<string>, done: (outcome: Outcome) => void): Promise<void>;
  /** What only shows once all servers are done. */
  compare?(outcomes: readonly Outcome[]): Outcome[];
}

export function less(id: string, label: string, unit: string, value: number): Measure {
  return { id, label, unit, better: 'less', value };
}

export function more(id: string, label: string, unit: string, value: number): Measure {
  return { id, label, unit, better: 'more', value };
}

export function said(id: string, label: string, unit: string, value: number): Measure {
  return { id, label, unit, better: undefined, value };
}

/** A config that scrapes nothing. */
export const QUIET_CONFIG = 'global:\n  scrape_interval: 15s\nscrape_configs: []\n';

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
