// What a handler outside of the JSON API is.

import type { Answer } from './answer.js';
import type { WebDeps } from './deps.js';
import type { DoorRequest } from './door.js';
import type { RequestMetrics } from './metrics.js';
import type { Route } from './router.js';

export interface PageCall {
  readonly deps: WebDeps;
  readonly request: DoorRequest;
  readonly answer: Answer;
  readonly metrics: RequestMetrics;
  /** Parts of the path that the pattern names. */
  readonly path: ReadonlyMap<string, string>;
  /** In front of every path of ours: empty, or `/prometheus`. */
  readonly prefix: string;
}

export type PageHandler = (call: PageCall) => void | Promise<void>;

export interface PageRoute extends Route<PageHandler> {
  /** Whether it has to wait until the storage can serve. */
  readonly needsReady?: boolean;
  /** Whether it changes something, so that no page of somebody else may call it. */
  readonly changes?: boolean;
}
