// Label names in paths, escaped so that every parser of URLs takes them.
//
//   U__http_2e_status   →   http.status
//
// After `U__`, `_xx_` is the code point of that hexadecimal number and `__` an underscore.

const PREFIX = 'U__';
/** Digits of the largest code point. */
const DIGITS_MAX = 6;

/** Undoes the escaping; a name that is not escaped, or wrongly, stays as it is. */
export function unescapeName(name: string): string {
  if (!name.startsWith(PREFIX)) return name;
  let text = '';
  for (let at = PREFIX.length; at < name.length; at++) {
    if (name[at] !== '_') {
      text += name[at];
      continue;
    }
    const end = name.indexOf('_', at + 1);
    if (end < 0) return name;
    if (end === at + 1) text += '_';
    else {
      const character = characterOf(name.slice(at + 1, end));
      if (character === undefined) return name;
      text += character;
    }
    at = end;
  }
  return text;
}

function characterOf(digits: string): string | undefined {
  if (digits.length > DIGITS_MAX || !/^[0-9a-fA-F]+$/.test(digits)) return undefined;
  const code = Number.parseInt(digits, 16);
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  return code <= 0x10ffff && !isSurrogate ? String.fromCodePoint(code) : undefined;
}
