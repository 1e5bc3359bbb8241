// Why a query failed, in the words and the types of Prometheus's HTTP API.

export type QueryErrorType = 'bad_data' | 'execution' | 'timeout' | 'canceled' | 'unavailable' | 'internal';

export class QueryError extends Error {
  override readonly name = 'QueryError';
  constructor(
    readonly type: QueryErrorType,
    message: string,
  ) {
    super(message);
  }
}

/** An error of evaluation that is the query's own fault: duplicate series, a parameter out of range. */
export function executionError(message: string): QueryError {
  return new QueryError('execution', message);
}

export const SAME_LABELS = 'vector cannot contain metrics with the same labelset';
