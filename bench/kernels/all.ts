// All micro-benchmarks beside this file, one table: `npm run bench -- kernels --filter text`.
// A file takes part by exporting a list of them.

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Micro, printAll } from './micro.js';

const here = fileURLToPath(new URL('.', import.meta.url));

function isMicros(value: unknown): value is readonly Micro[] {
  return Array.isArray(value) && value.every((each: Partial<Micro>) => typeof each.prepare === 'function');
}

for (const file of readdirSync(here).sort()) {
  if (!file.endsWith('.js') || file === 'all.js') continue;
  const exported = (await import(new URL(file, import.meta.url).href)) as Record<string, unknown>;
  for (const value of Object.values(exported)) if (isMicros(value) && value.length > 0) printAll(value);
}
