// Names of groups in RE2 patterns. Go lets several groups have one name; our engine refuses
// that, so all but the first lose theirs before it sees the pattern. Their numbers stay.

/** What may stand before a group and is none: quoted text, an escape, a class. Then groups: named, or just numbered. */
const PARTS = /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\((?!\?)|\(\?P?<([A-Za-z0-9_]+)>/gs;

export interface GroupNames {
  /** The pattern, with no name twice. */
  readonly pattern: string;
  /** The numbers of the groups of each name, in order. */
  readonly names: ReadonlyMap<string, readonly number[]>;
}

/** Of a pattern that is well-formed, but for names that are there twice. */
export function groupNames(pattern: string): GroupNames {
  const names = new Map<string, number[]>();
  let count = 0;
  const unique = pattern.replace(PARTS, (part, name: string | undefined) => {
    if (!part.startsWith('(')) return part;
    count++;
    if (name === undefined) return part;
    const numbers = names.get(name);
    if (numbers === undefined) names.set(name, [count]);
    else numbers.push(count);
    return numbers === undefined ? part : '(';
  });
  return { pattern: unique, names };
}

/** How the engine begins to say that a name is there twice. */
export const NAME_TWICE = 'error parsing regexp: duplicate capture group name';
