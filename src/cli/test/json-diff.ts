// Two JSON values as one text in colours: what is only in the first red, only in the second green, both of what changed yellow.

/** A string, or a list or an object of such. */
export type Json = string | readonly Json[] | ReadonlyMap<string, Json>;

const RED = '\x1b[0;31m';
const GREEN = '\x1b[0;32m';
const YELLOW = '\x1b[0;33m';
const NORMAL = '\x1b[0m';
const STEP = '    ';

export function diffJson(first: Json, second: Json): string {
  return both(first, second, '', '', '').join('\n');
}

/** Lines: `head` stands before the value, `tail` behind it. */
function both(a: Json, b: Json, indent: string, head: string, tail: string): string[] {
  if (Array.isArray(a) && Array.isArray(b)) {
    const places = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => ['', a[i], b[i]] as const);
    return around('[', ']', places, indent, head, tail);
  }
  if (a instanceof Map && b instanceof Map) {
    const names = [...new Set([...a.keys(), ...b.keys()])].sort();
    const places = names.map((name) => [`${JSON.stringify(name)}: `, a.get(name), b.get(name)] as const);
    return around('{', '}', places, indent, head, tail);
  }
  if (a === b) return [`${indent}${head}${JSON.stringify(a)}${tail}`];
  return [`${indent}${head}${YELLOW}${JSON.stringify(a)} => ${JSON.stringify(b)}${NORMAL}${tail}`];
}

type Place = readonly [head: string, a: Json | undefined, b: Json | undefined];

function around(
  open: string,
  close: string,
  places: readonly Place[],
  indent: string,
  head: string,
  tail: string,
): string[] {
  if (places.length === 0) return [`${indent}${head}${open}${close}${tail}`];
  const inner = places.flatMap(([name, a, b], i) => {
    const comma = i < places.length - 1 ? ',' : '';
    const deeper = indent + STEP;
    if (a === undefined) return alone(b!, deeper, name, comma, GREEN);
    if (b === undefined) return alone(a, deeper, name, comma, RED);
    return both(a, b, deeper, name, comma);
  });
  return [`${indent}${head}${open}`, ...inner, `${indent}${close}${tail}`];
}

/** What has no counterpart: each line in a colour, the comma of the last behind it. */
function alone(value: Json, indent: string, head: string, tail: string, colour: string): string[] {
  const lines = both(value, value, indent, head, '');
  return lines.map((line, i) => {
    const text = line.trimStart();
    const isLast = i === lines.length - 1;
    return `${line.slice(0, line.length - text.length)}${colour}${text}${NORMAL}${isLast ? tail : ''}`;
  });
}
