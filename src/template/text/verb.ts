// What stands behind a `%` in a format: `%-8.3f`, `%[2]*d`.

/** Larger ones are refused, as Go does. */
const NUMBER_MAX = 1_000_000;

export interface Flags {
  /** `-`: filled up on the right. */
  left: boolean;
  plus: boolean;
  sharp: boolean;
  /** What the plus means before `v`: fields with their names. */
  named: boolean;
  space: boolean;
  zero: boolean;
  width: number | undefined;
  precision: number | undefined;
}

export function noFlags(): Flags {
  return {
    left: false,
    plus: false,
    sharp: false,
    named: false,
    space: false,
    zero: false,
    width: undefined,
    precision: undefined,
  };
}

/** A number of a width, precision or index; undefined where it is too large. */
export function smallNumber(digits: string): number | undefined {
  const value = Number(digits);
  return value <= NUMBER_MAX ? value : undefined;
}

/** Filled up to the width with spaces, or zeros on the left. */
export function pad(text: string, flags: Flags, fill = flags.zero && !flags.left ? '0' : ' '): string {
  const { width, left } = flags;
  if (width === undefined) return text;
  const missing = width - lengthOf(text);
  if (missing <= 0) return text;
  return left ? text + ' '.repeat(missing) : fill.repeat(missing) + text;
}

/** In characters. */
function lengthOf(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
