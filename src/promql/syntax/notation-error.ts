// What is thrown where series in the notation of tests cannot be read.

export class NotationError extends Error {
  override readonly name = 'NotationError';
}
