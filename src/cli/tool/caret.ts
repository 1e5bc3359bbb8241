// A place in a text, pointed at:
//
//   4 | sum by (job) (rate(x[5m])))
//     |                           ^

/** From 1; columns count bytes of UTF-8. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Wider lines are cut around the place. */
const WIDTH = 100;

/** The lines that a message names as `line 3: …`, once each. */
export function linesOf(text: string, message: string): readonly string[] {
  const lines = text.split('\n');
  const numbers = new Set([...message.matchAll(/\bline (\d+): /g)].map(([, digits]) => Number(digits)));
  return [...numbers].flatMap((number) => {
    const line = lines[number - 1];
    return line === undefined ? [] : [`${number} | ${line.replaceAll('\t', ' ').slice(0, WIDTH)}`];
  });
}

/** The line and a caret below it; nothing where there is no such line. */
export function pointAt(text: string, { line, column }: Place): readonly string[] {
  const whole = text.split('\n')[line - 1];
  if (whole === undefined || column < 1) return [];
  // A tab is as wide as people like: a blank is one.
  const before = Buffer.from(whole)
    .subarray(0, column - 1)
    .toString()
    .replaceAll('\t', ' ');
  const from = Math.max(0, before.length - WIDTH / 2);
  const shown = whole.replaceAll('\t', ' ').slice(from, from + WIDTH);
  const number = String(line);
  const margin = ' '.repeat(number.length);
  return [`${number} | ${shown}`, `${margin} | ${' '.repeat(before.length - from)}^`];
}
