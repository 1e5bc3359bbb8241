// Series lines of query test scripts: those of src/promql/syntax/series-notation.ts, and start timestamps.

import { parseDuration } from '../../../src/model/duration.js';
import { NotationError } from '../../../src/promql/syntax/notation-error.js';
import { GAP, itemsOf } from '../../../src/promql/syntax/series-notation.js';

export {
  bitsOf,
  type ExpectedPoint,
  floatOf,
  type PointValue,
  parseExpected,
  parseMetric,
  parsePoints,
  STALE,
} from '../../../src/promql/syntax/series-notation.js';
/** Something wrong with a script. */
export { NotationError as ScriptError };

const START = /^([+-]?\w+?)(?:([+-])(\w+?))?(?:x(\d+))?$/;

/** Start timestamps, in ms relative to their samples. */
export function parseStarts(text: string): (number | undefined)[] {
  return itemsOf(text).flatMap((item) => {
    const gap = GAP.exec(item);
    if (gap !== null) return new Array<undefined>(gap[1] === undefined ? 1 : Number(gap[1])).fill(undefined);
    const [, first, sign, increment, times = '0'] = START.exec(item) ?? [];
    if (first === undefined) throw new NotationError(`bad start timestamp: ${item}`);
    const startMs = offsetMs(first);
    const stepMs = increment === undefined ? 0 : offsetMs(increment) * (sign === '-' ? -1 : 1);
    return Array.from({ length: Number(times) + 1 }, (_, i) => startMs + i * stepMs);
  });
}

function offsetMs(text: string): number {
  const ms = parseDuration(text.replace(/^[+-]/, ''));
  return text.startsWith('-') ? -ms : ms;
}
