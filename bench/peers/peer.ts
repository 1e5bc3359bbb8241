// A server under test, whichever it is.

import type { Meter } from '../measure.js';
import type { KeptFolder } from './kept.js';

export interface Peer {
  readonly name: string;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly version: string;
  /** Path of the remote write receiver. */
  readonly writePath: string;
  readonly meter: Meter;
  /** Processes that we started can be stopped, killed and measured; a server given by its URL cannot. */
  readonly process: PeerProcess | undefined;
  /** Returns once queries see everything that was acknowledged, and background work that follows a load is done. */
  settle(): Promise<void>;
  /** Ends it and removes its data, or leaves both where they are kept. */
  close(): Promise<void>;
}

export interface PeerProcess {
  /** Where it is to outlive the run. */
  readonly kept: KeptFolder | undefined;
  /** Bytes of the data directory. */
  dataBytes(): number;
  /**
   * Bytes of a sample once it is out of the log: those of the blocks, where there are some, or of everything for a
   * server without a log, which holds `samples`. NaN where all is in the log still.
   */
  restingBytesPerSample(samples: number): number;
  /** Has it take another config. */
  reload(config: string): void;
  /** Ends it as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on its data; gives the seconds until it says it is ready. */
  restart(): Promise<number>;
}

/** How a kind of server is started. */
export interface PeerKind {
  readonly name: string;
  readonly writePath: string;
  /** Of the binary on this machine. */
  version(): string;
  /** Says whether a server that runs already is still the one that would be started. */
  build(): string;
  /** Undefined where the program is not on this machine. */
  command(place: Place): Command | undefined;
  /** See Peer.settle(). */
  settle(url: string): Promise<void>;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Place {
  /** Flags that tests and the fairness of a comparison need beside these are the kind's own. */
  readonly port: number;
  readonly dataFolder: string;
  readonly configFile: string;
  /** Where the server should write processor profiles when it ends; only our own can. */
  readonly profileFolder?: string;
  /** Shards of our own. */
  readonly shards?: number;
}

export interface StartOptions {
  /** A prometheus.yml; all of them read its scrape_configs. */
  readonly config: string;
  readonly profileFolder?: string;
  readonly shards?: number;
  readonly kept?: KeptFolder;
}
