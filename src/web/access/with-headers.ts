// A response that has headers of its own beside those of the handler.

import type { Ending } from '../../base/ending.js';
import type { DoorResponse, Header } from '../door.js';

/** What a handler sets itself goes before the header of the same name here. */
export class WithHeaders implements DoorResponse {
  readonly #response: DoorResponse;
  readonly #headers: readonly Header[];

  constructor(response: DoorResponse, headers: readonly Header[]) {
    this.#response = response;
    this.#headers = headers;
  }

  get gone(): Ending {
    return this.#response.gone;
  }

  get signal(): AbortSignal {
    return this.#response.signal;
  }

  get status(): number {
    return this.#response.status;
  }

  get bodyBytes(): number {
    return this.#response.bodyBytes;
  }

  head(status: number, headers: readonly Header[]): void {
    const own = new Set(headers.map(([name]) => name.toLowerCase()));
    this.#response.head(status, [...headers, ...this.#headers.filter(([name]) => !own.has(name.toLowerCase()))]);
  }

  write(piece: Uint8Array): boolean {
    return this.#response.write(piece);
  }

  drained(): Promise<void> {
    return this.#response.drained();
  }

  end(body?: Uint8Array | string): void {
    this.#response.end(body);
  }

  destroy(): void {
    this.#response.destroy();
  }
}
