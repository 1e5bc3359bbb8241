// Scrape targets in a process of their own, as the test that started them sees it.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TargetsAsked, TargetsListen, TargetsSpec } from './target-process.js';

export class Targets {
  readonly #child: ChildProcess;
  readonly addresses: readonly string[];

  private constructor(child: ChildProcess, addresses: readonly string[]) {
    this.#child = child;
    this.addresses = addresses;
  }

  static async start(kind: TargetsSpec['kind'], count = 0): Promise<Targets> {
    const file = fileURLToPath(new URL('target-process.js', import.meta.url));
    const child = fork(file, [JSON.stringify({ kind, count } satisfies TargetsSpec)]);
    const [message] = (await once(child, 'message')) as [TargetsListen];
    return new Targets(child, message.addresses);
  }

  /** When each target was asked, in milliseconds of a clock of its own. */
  async asked(): Promise<readonly (readonly number[])[]> {
    this.#child.send('asked');
    const [message] = (await once(this.#child, 'message')) as [TargetsAsked];
    return message.asked;
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
