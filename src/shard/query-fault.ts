// Why a shard ends a query that is well-formed.

import type { JobError } from './protocol.js';

/** `execution`: the query's own fault, wherever it is asked. `memory`: others have what it wants; it may pass later. */
export class QueryFault extends Error {
  override readonly name = 'QueryFault';
  readonly kind: Extract<JobError['kind'], 'execution' | 'memory'>;

  constructor(kind: QueryFault['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}
