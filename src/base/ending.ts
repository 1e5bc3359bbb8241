// What ends a piece of work early, told once.

/** As much of an AbortSignal as waiting for it takes. */
export interface Ending {
  readonly aborted: boolean;
  addEventListener(type: 'abort', action: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', action: () => void): void;
}

/** An ending of our own: made for each request, where an AbortController costs as much as parsing its query. */
export class EndSignal implements Ending {
  aborted = false;
  /** One or two, mostly. */
  readonly #actions: (() => void)[] = [];

  addEventListener(_type: 'abort', action: () => void): void {
    if (!this.#actions.includes(action)) this.#actions.push(action);
  }

  removeEventListener(_type: 'abort', action: () => void): void {
    const place = this.#actions.indexOf(action);
    if (place >= 0) this.#actions.splice(place, 1);
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    for (const action of this.#actions.splice(0)) action();
  }
}
