// The targets of `npm run fuzz`, by name. Each is loaded only when it runs.

import type { FuzzTarget } from './target.js';

export const TARGETS: ReadonlyMap<string, () => Promise<FuzzTarget>> = new Map([
  ['parse', async () => (await import('./parse/target.js')).parseTarget],
  ['promql', async () => (await import('./promql/target.js')).promqlTarget],
]);
