// Values made safe for a place of an HTML page, as Go's html/template makes them.

/** In place of what cannot be made safe. */
export const UNSAFE = 'ZgotmplZ';

const HTML: ReadonlyMap<string, string> = new Map([
  ['\0', '\ufffd'],
  ['"', '&#34;'],
  ['&', '&amp;'],
  ["'", '&#39;'],
  ['+', '&#43;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
]);

/** Between tags, and in attributes with quotes. */
export function escapeText(text: string): string {
  return text.replace(/[\0"&'+<>]/g, (character) => HTML.get(character)!);
}

/** Text that has its references already, in attributes with quotes. */
export function escapeMarkup(text: string): string {
  return text.replace(/[\0"'+<>]/g, (character) => HTML.get(character)!);
}

/** In attributes without quotes: what would end the value, too. Nothing at all would be another attribute. */
export function escapeUnquoted(text: string): string {
  if (text === '') return UNSAFE;
  return text.replace(/[\0\t\n\v\f\r "&'+<=>`]/g, (character) => {
    return HTML.get(character) ?? `&#${character.charCodeAt(0)};`;
  });
}

/** What is left of HTML without its tags. */
export function stripTags(html: string): string {
  return html.replace(/<!--.*?-->|<\/?[A-Za-z][^>]*>/gs, '');
}

/** Names of tags and attributes: only such as do nothing. */
export function filterName(name: string): string {
  return /^[A-Za-z0-9]+$/.test(name) && !/^(?:on|style$|href$|src$)/i.test(name) ? name.toLowerCase() : UNSAFE;
}

// ---- URLs

/** The beginning of a URL: no scheme but those that only lead somewhere. */
export function filterUrl(url: string): string {
  const scheme = /^([^/:]*):/.exec(url)?.[1];
  return scheme === undefined || /^(?:https?|mailto)$/i.test(scheme) ? url : `#${UNSAFE}`;
}

/** A URL, or a part of one before `?`: what is escaped stays. */
export function normalizeUrl(url: string): string {
  return escapeUrl(url, /%[\da-fA-F]{2}|[A-Za-z0-9\-._~!#$&*+,/:;=?@[\]]/y);
}

/** A part of a query. */
export function escapeUrlPart(part: string): string {
  return escapeUrl(part, /[A-Za-z0-9\-._~]/y);
}

function escapeUrl(text: string, kept: RegExp): string {
  let escaped = '';
  for (let at = 0; at < text.length; ) {
    kept.lastIndex = at;
    const piece = kept.exec(text)?.[0] ?? String.fromCodePoint(text.codePointAt(at)!);
    if (kept.lastIndex > at) escaped += piece;
    else for (const byte of Buffer.from(piece)) escaped += `%${byte.toString(16).padStart(2, '0')}`;
    at += piece.length;
  }
  return escaped;
}

// ---- Scripts

const SCRIPT: ReadonlyMap<string, string> = new Map([
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\f', '\\f'],
  ['\r', '\\r'],
  ['/', '\\/'],
  ['\\', '\\\\'],
]);

/** In a string of a script. */
export function escapeScriptText(text: string): string {
  return text.replace(
    /[\0\t\n\v\f\r"`&'+/<>\\\u2028\u2029]/g,
    (character) => SCRIPT.get(character) ?? unicode(character),
  );
}

/** In a pattern of a script: what has a meaning there, too. An empty one would be a comment. */
export function escapeScriptPattern(text: string): string {
  if (text === '') return '(?:)';
  return text.replace(/[\0\t\n\v\f\r"`&'+/<>\\\u2028\u2029$()*\-.?[\]^{|}]/g, (character) => {
    return '$()*-.?[]^{|}'.includes(character) ? `\\${character}` : (SCRIPT.get(character) ?? unicode(character));
  });
}

/** As a value of a script, in JSON: what could join with what is beside it stands between blanks. */
export function scriptValue(value: unknown): string {
  const json = (JSON.stringify(value) ?? 'null').replace(/[<>&\u2028\u2029]/g, unicode);
  return /^[\w$].*[\w$]$|^[\w$]$/s.test(json) || /^-/.test(json) ? ` ${json} ` : json;
}

function unicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

// ---- Styles

/** A value of a style: words, numbers, colours. */
export function filterStyleValue(text: string): string {
  if (/[\0"'()/;@[\\\]`{}<>]/.test(text) || text.includes('--')) return UNSAFE;
  return /expression|mozbinding/i.test(text.replace(/[^A-Za-z]/g, '')) ? UNSAFE : text;
}

/** In a string of a style. */
export function escapeStyleText(text: string): string {
  return text.replace(/[\0\t\n\f\r"&'()+/:;<>\\{}]/g, (character, at: number) => {
    if (character === '\\') return '\\\\';
    const code = `\\${character.charCodeAt(0).toString(16)}`;
    const next = text[at + 1] ?? '';
    return /[\da-fA-F\s]/.test(next) || at + 1 === text.length ? `${code} ` : code;
  });
}
