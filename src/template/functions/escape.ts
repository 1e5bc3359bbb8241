// Texts made safe for where they go: HTML, JavaScript, queries of URLs.

const HTML_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '&#34;'],
  ["'", '&#39;'],
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['\0', '\ufffd'],
]);

export function escapeHtml(text: string): string {
  return text.replace(/["'&<>\0]/g, (character) => HTML_ESCAPES.get(character)!);
}

const JS_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ["'", "\\'"],
  ['"', '\\"'],
  ['<', '\\u003C'],
  ['>', '\\u003E'],
  ['&', '\\u0026'],
  ['=', '\\u003D'],
]);

/** What Go does not print as it is, beyond ASCII. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

export function escapeJs(text: string): string {
  const escaped = text.replace(/[\\'"<>&=]/g, (character) => JS_ESCAPES.get(character)!);
  return escaped.replace(UNPRINTABLE, (character) => {
    return `\\u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** As Go's url.QueryEscape: all but letters, digits and `-_.~`; a space is a plus. */
export function escapeQuery(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString())
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
