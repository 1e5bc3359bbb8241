// Starts a load generator as a process of its own and speaks with it in messages.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export class Generator<Message> {
  readonly #child: ChildProcess;
  readonly #waiting: { take: (message: Message) => void; fail: (error: Error) => void }[] = [];
  readonly #queue: Message[] = [];

  /** `file` is beside this one; `spec` goes to it as JSON. */
  constructor(file: string, spec: unknown) {
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(spec)], {
      execArgv: ['--max-old-space-size=4096'],
    });
    this.#child.on('message', (message) => {
      const waiter = this.#waiting.shift();
      if (waiter) waiter.take(message as Message);
      else this.#queue.push(message as Message);
    });
    this.#child.once('exit', (code) => {
      for (const { fail } of this.#waiting) fail(new Error(`the load generator ended with code ${code}`));
    });
  }

  /** The next thing it says. */
  next(): Promise<Message> {
    const queued = this.#queue.shift();
    if (queued !== undefined) return Promise.resolve(queued);
    return new Promise((take, fail) => this.#waiting.push({ take, fail }));
  }

  say(message: string): void {
    this.#child.send(message);
  }

  /** Asks, and gives what it says next. */
  ask(message: string): Promise<Message> {
    this.say(message);
    return this.next();
  }

  close(): void {
    this.#child.removeAllListeners('exit');
    if (this.#child.connected) this.#child.disconnect();
  }
}
