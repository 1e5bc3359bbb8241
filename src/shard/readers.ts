// A shard's readers: threads that help it with queries over many samples, started when the first such query wants them.
//
// They live in the shard's memory but own nothing of it: a reader that ends before its time leaves the shard in doubt,
// and is the shard's end too.

import { Thread } from '../base/thread.js';
import type { ReaderSetup } from '../wasm/reader.js';
import type { ShardPort } from './client.js';
import { workerFile } from './pool.js';
import type { ShardSetup, ShardStarted } from './protocol.js';

export class Readers {
  readonly #count: number;
  readonly #started: ShardStarted;
  readonly #build: ReaderSetup['build'];
  #threads: Thread<ReaderSetup, null, never>[] = [];

  constructor(count: number, started: ShardStarted, build: ReaderSetup['build']) {
    this.#count = count;
    this.#started = started;
    this.#build = build;
  }

  /** Starts them, if they do not run yet. `onDeath` is called when one ends that was not closed. */
  start(onDeath: (reason: Error) => void): void {
    if (this.#threads.length > 0) return;
    const { memory, round } = this.#started;
    this.#threads = Array.from({ length: this.#count }, (_, i) => {
      const setup = { memory, round, number: i + 1, build: this.#build };
      return new Thread<ReaderSetup, null, never>({ file: workerFile, name: 'reader', setup });
    });
    for (const thread of this.#threads) {
      thread.run(null).catch((error: Error) => {
        if (this.#threads.includes(thread)) onDeath(error);
      });
    }
  }

  /** Ends them, wherever they are: the shard must not be evaluating anything, or be at its end itself. */
  async close(): Promise<void> {
    const threads = this.#threads;
    this.#threads = [];
    await Promise.all(threads.map((thread) => thread.close()));
  }
}

/** A shard with readers, from when it wants them. If one dies, the shard does. */
export async function withReaders(setup: ShardSetup, booting: Promise<BootedShard>): Promise<BootedShard> {
  const { port, started } = await booting;
  if (setup.readers === 0) return { port, started };
  const readers = new Readers(setup.readers, started, setup.core);
  let dead: Error | undefined;
  const died = (reason: Error) => {
    dead = new Error(`a reader died: ${reason.message}`);
    void port.close();
  };
  const run: ShardPort['run'] = async (task, transfer) => {
    if (dead !== undefined) throw dead;
    const reply = await port.run(task, transfer);
    if (reply.wantsReaders) readers.start(died);
    return reply;
  };
  const close = async () => {
    // The shard first: it would wait for a reader that ended inside.
    await port.close();
    await readers.close();
  };
  return { port: { ...port, run, close }, started };
}

/** A shard that has begun. */
export interface BootedShard {
  readonly port: ShardPort;
  readonly started: ShardStarted;
}
