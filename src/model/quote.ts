// Quoting as Go does it: what messages, label sets and printed expressions look like.
//
// Printable text stays as it is, beyond ASCII too; the rest becomes `\n`, `\x00`,
// `\u00a0` or `\U000e0001`. JSON's rules differ in all four.

/** What needs no escape in double quotes. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const LETTER_ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x5c, '\\\\'],
]);

/** `"…"`, as Go's strconv.Quote. */
export function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let quoted = '"';
  for (const character of text) quoted += escapeCharacter(character, '"');
  return `${quoted}"`;
}

/** `'…'`, as Go prints a character with %q. */
export function quoteCharacter(character: string): string {
  return `'${escapeCharacter(character, "'")}'`;
}

/** `U+0071 'q'`, as Go prints a character with %#U. */
export function describeCharacter(character: string): string {
  const code = character.codePointAt(0)!;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return PRINTABLE.test(character) ? `${name} '${character}'` : name;
}

function escapeCharacter(character: string, delimiter: string): string {
  if (character === delimiter) return `\\${character}`;
  const code = character.codePointAt(0)!;
  const letter = LETTER_ESCAPES.get(code);
  if (letter !== undefined) return letter;
  if (PRINTABLE.test(character)) return character;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  // A lone surrogate is no character: Go would have read U+FFFD in its place.
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
