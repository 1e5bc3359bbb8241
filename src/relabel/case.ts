// Upper and lower case as Go has it: character by character, so that one never becomes two. `ß` stays.
//
// JavaScript has the full mappings. Where those give several characters, the simple one is the character itself, but for
// a few.

/** Iota below a Greek vowel: the capital has it beside. */
const CAPITALS_BEHIND: readonly (readonly [from: number, to: number, distance: number])[] = [
  [0x1f80, 0x1f87, 8],
  [0x1f90, 0x1f97, 8],
  [0x1fa0, 0x1fa7, 8],
  [0x1fb3, 0x1fb3, 9],
  [0x1fc3, 0x1fc3, 9],
  [0x1ff3, 0x1ff3, 9],
];

const DOTTED_CAPITAL_I = '\u0130';

export function lowerCase(text: string): string {
  return mapCharacters(
    text,
    (character) => character.toLowerCase(),
    (character) => (character === DOTTED_CAPITAL_I ? 'i' : character),
  );
}

export function upperCase(text: string): string {
  return mapCharacters(
    text,
    (character) => character.toUpperCase(),
    (character) => {
      const code = character.codePointAt(0)!;
      const row = CAPITALS_BEHIND.find(([from, to]) => code >= from && code <= to);
      return row === undefined ? character : String.fromCodePoint(code + row[2]);
    },
  );
}

/** `simple`: where the full mapping is several characters. */
function mapCharacters(text: string, full: (one: string) => string, simple: (one: string) => string): string {
  let changed = '';
  for (const character of text) {
    const other = full(character);
    changed += [...other].length === 1 ? other : simple(character);
  }
  return changed;
}
