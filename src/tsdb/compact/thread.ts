// Main's end of the compactor: its thread is there from the first task on.

import { buffersOf, Thread } from '../../base/thread.js';
import type {
  CompactorOp,
  CompactorPort,
  CompactorReply,
  CompactorRequest,
  CompactorSetup,
  CompactorTask,
} from './protocol.js';

const workerFile = new URL('./worker.js', import.meta.url).href;

export class CompactorThread implements CompactorPort {
  readonly #setup: CompactorSetup;
  #thread: Thread<CompactorSetup, CompactorTask, unknown> | undefined;
  #closed = false;

  constructor(setup: CompactorSetup) {
    this.#setup = setup;
  }

  async call<K extends CompactorOp>(op: K, request: CompactorRequest<K>): Promise<CompactorReply<K>> {
    if (this.#closed) throw new Error('the compactor is closed');
    this.#thread ??= new Thread({
      ...{ file: workerFile, name: 'compactor', setup: this.#setup, hasTimers: true, isFrugal: true },
      isReplaceable: true,
    });
    const reply = await this.#thread.run({ op, request } as CompactorTask, buffersOf(request));
    return reply as CompactorReply<K>;
  }

  /** Ends the thread, whatever it does: what it leaves on the disk is temporary. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.close();
  }
}
