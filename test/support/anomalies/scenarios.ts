// All scenarios, by name.

import { BLOCK_SCENARIOS } from './block-scenarios.js';
import { LOG_SCENARIOS } from './log-scenarios.js';
import { type Looped, looped } from './loops.js';
import { MERGE_SCENARIOS } from './merge-scenarios.js';

export const SCENARIOS: ReadonlyMap<string, Looped> = new Map(
  [...LOG_SCENARIOS.map(looped), ...BLOCK_SCENARIOS.map(looped), ...MERGE_SCENARIOS.map(looped)].map((scenario) => [
    scenario.name,
    scenario,
  ]),
);
