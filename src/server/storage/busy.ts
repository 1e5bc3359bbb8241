// One thing at a time: whoever comes second may try again.

export class BusyError extends Error {
  override readonly name = 'BusyError';
  /** Of the API's error types. */
  readonly type = 'unavailable';
}
