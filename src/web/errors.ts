// Errors of the API: a type, which clients rely on, a status that follows from it, and words.

import type { Answer } from './answer.js';
import { JSON_TYPE } from './json.js';

const STATUS = {
  bad_data: 400,
  not_found: 404,
  not_acceptable: 406,
  execution: 422,
  canceled: 499,
  internal: 500,
  unavailable: 503,
  timeout: 503,
} as const;

export type ApiErrorType = keyof typeof STATUS;

export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly type: ApiErrorType,
    message: string,
    /** Where it is not the type's. */
    readonly status: number = STATUS[type],
  ) {
    super(message);
  }
}

export function badData(message: string): ApiError {
  return new ApiError('bad_data', message);
}

/** A parameter's fault, in the words that Prometheus puts around them. */
export function invalidParameter(name: string, message: string): ApiError {
  return badData(`invalid parameter "${name}": ${message}`);
}

/**
 * What is told of an error that a handler threw. Errors of the query engine carry their type; any other is a fault
 * of ours.
 */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof Error)) return new ApiError('internal', String(error));
  const type = (error as { type?: unknown }).type;
  return new ApiError(
    typeof type === 'string' && Object.hasOwn(STATUS, type) ? (type as ApiErrorType) : 'internal',
    error.message,
  );
}

export function sendError(answer: Answer, error: ApiError): Promise<void> {
  // Parts of the storage are being made again: a matter of seconds.
  if (error.status === STATUS.unavailable) answer.header('Retry-After', '1');
  const body = { status: 'error', errorType: error.type, error: error.message };
  return answer.whole(error.status, JSON_TYPE, JSON.stringify(body));
}
