// The door to worker threads: each is a Piscina pool of one thread.
//
// A file that runs in one exports a function for each kind of thread; Piscina calls
// it with each task. What a thread was started with is its `threadSetup()`.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { move, Piscina, transferableSymbol, valueSymbol, workerData } from 'piscina';

export { MessageChannel, type MessagePort };

/** Of the objects of a frugal thread that are younger than two collections: two halves of 2 MiB, and as much on the way. */
const FRUGAL_MB = 6;

/** Tasks that one event loop has at a time: a checkpoint, a commit, a question about statistics, the end. */
const WAITING_TASKS_MAX = 8;

export interface ThreadOptions<Setup> {
  /** URL of the module that runs in the thread. */
  readonly file: string;
  /** Its export that runs the tasks. */
  readonly name: string;
  readonly setup: Setup;
  /**
   * Between tasks a thread sleeps, unless it has timers of its own: then its event loop runs, at a little more
   * time per task, and a task that waits for something lets others in.
   */
  readonly hasTimers?: boolean;
  /**
   * It has nothing that a new one would lack: where the system refuses to start it, tasks are rejected and the next tries again. Of any other
   * the process ends.
   */
  readonly isReplaceable?: boolean;
  /** Most memory of its JavaScript objects; beyond, the thread ends and its task is rejected. Buffers do not count. */
  readonly heapBytes?: number;
  /**
   * It makes few objects: it collects its garbage after some MiB, not after dozens, and buffers that nobody has any more are
   * given back as early.
   */
  readonly isFrugal?: boolean;
}

/** A thread of its own that runs one kind of task. */
export class Thread<Setup, Request, Reply> {
  readonly #pool: Piscina<Request, Reply>;
  readonly #name: string;

  constructor({
    file,
    name,
    setup,
    hasTimers = false,
    isReplaceable = false,
    heapBytes,
    isFrugal,
  }: ThreadOptions<Setup>) {
    this.#name = name;
    const resourceLimits = {
      ...(heapBytes !== undefined && { maxOldGenerationSizeMb: Math.ceil(heapBytes / 2 ** 20) }),
      ...(isFrugal && { maxYoungGenerationSizeMb: FRUGAL_MB }),
    };
    this.#pool = new Piscina<Request, Reply>({
      filename: file,
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: hasTimers ? WAITING_TASKS_MAX : 1,
      recordTiming: false,
      workerData: setup,
      atomics: hasTimers ? 'disabled' : 'sync',
      resourceLimits,
    });
    // What a task meets its caller hears of; this is what happens between tasks.
    if (isReplaceable) this.#pool.on('error', () => {});
  }

  run(request: Request, transfer: (ArrayBuffer | MessagePort)[] = []): Promise<Reply> {
    return this.#pool.run(request, { name: this.#name, transferList: transfer as ArrayBuffer[] });
  }

  /** Ends the thread, whatever it does; tasks under way are rejected. */
  async close(): Promise<void> {
    // An answer that was on its way has nobody to go to, which Piscina takes for an error.
    this.#pool.on('error', () => {});
    await this.#pool.destroy();
  }
}

/** In a thread: what it was started with. */
export function threadSetup<Setup>(): Setup {
  return workerData as Setup;
}

/** Whether a task was rejected because its thread had used up its heap. */
export function isOutOfHeap(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY';
}

/** Every ArrayBuffer in a message, at any depth of plain objects and arrays. Typed arrays are copied, as small ones should be. */
export function buffersOf(message: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const walk = (value: unknown): void => {
    if (value instanceof ArrayBuffer) found.add(value);
    else if (Array.isArray(value)) {
      // Lists of strings and numbers are the long ones, and hold no buffers.
      if (typeof value[0] === 'object') for (const item of value) walk(item);
    } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      for (const item of Object.values(value)) walk(item);
    }
  };
  walk(message);
  return [...found];
}

/** Its other end is closed too, so what is posted here is let go of at once. */
const nowhere = new MessageChannel().port1;
nowhere.close();

/**
 * Gives a buffer's memory back now: takes it. Otherwise that is for the next garbage collection, and buffers of a megabyte bring
 * on a whole one every few dozen, however little else there is to collect.
 */
export function freeBuffer(buffer: ArrayBuffer): void {
  nowhere.postMessage(undefined, [buffer]);
}

/** In a thread: a result whose buffers move to main instead of being copied. */
export function moving<T>(value: T, buffers: ArrayBuffer[]): T {
  if (buffers.length === 0) return value;
  return move({
    get [transferableSymbol]() {
      return buffers;
    },
    get [valueSymbol]() {
      return value;
    },
  } as never) as T;
}
