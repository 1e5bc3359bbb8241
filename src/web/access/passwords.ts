// Comparing passwords with their hashes, away from main.

import { Thread } from '../../base/thread.js';
import type { Comparison } from './password-worker.js';

export interface Passwords {
  matches(password: string, hash: string): Promise<boolean>;
  close(): Promise<void>;
}

/** In a thread of its own, which starts with the first comparison. */
export class ThreadPasswords implements Passwords {
  #thread: Thread<undefined, Comparison, boolean> | undefined;

  matches(password: string, hash: string): Promise<boolean> {
    this.#thread ??= new Thread({
      file: new URL('./password-worker.js', import.meta.url).href,
      name: 'comparePassword',
      setup: undefined,
      isReplaceable: true,
    });
    return this.#thread.run({ password, hash });
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }
}
