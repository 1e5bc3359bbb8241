// Which rules of a group are evaluated together: what each sees is what it would see if they ran one by one, in order.
//
//   a = f(x)          ┌──────────────────┐   ┌─────────────────┐
//   b = g(a) + h(d)   │ a, c: queries,   │──►│ b, d: the same  │   b sees the new a; and the old d, as d comes after it
//   c = f(y)          │ then one append  │   └─────────────────┘
//   d = f(z)          └──────────────────┘
//
// All queries of a wave see what was stored before it. So a rule comes in a wave after those earlier ones that write what it reads,
// and not before those earlier ones that read, or also write, what it writes. A wave wakes threads up as often as one rule would.

import type { RuleSpec } from './spec.js';
import { Written } from './written.js';

/** Most rules of a wave: what they give is held until all have it, and all take a place of those for queries of rules. */
export const WAVE_RULES_MAX = 16;

/** Rules by index, in waves. */
export function wavesOf(rules: readonly RuleSpec[]): readonly (readonly number[])[] {
  const written = new Written(rules);
  /** By rule: earlier ones whose wave comes before its own, and those whose wave does not come after it. */
  const before = written.rivals();
  const after = rules.map((): number[] => []);
  rules.forEach((rule, reader) => {
    for (const writer of written.readBy(rule)) {
      if (writer < reader) after[reader]!.push(writer);
      if (writer > reader) before[writer]!.push(reader);
    }
  });
  const waveOf: number[] = [];
  const waves: number[][] = [];
  rules.forEach((_, i) => {
    const wave = Math.max(0, ...before[i]!.map((j) => waveOf[j]!), ...after[i]!.map((j) => waveOf[j]! + 1));
    waveOf.push(wave);
    waves[wave] ??= [];
    waves[wave].push(i);
  });
  return waves.flatMap(chunked);
}

/** In order, so that of two in a wave the earlier one does not come later. */
function chunked(wave: readonly number[]): number[][] {
  const chunks: number[][] = [];
  for (let at = 0; at < wave.length; at += WAVE_RULES_MAX) chunks.push(wave.slice(at, at + WAVE_RULES_MAX));
  return chunks;
}
