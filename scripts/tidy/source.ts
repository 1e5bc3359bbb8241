// Source text as the checks see it: without comments, or without strings too, lines in place.

export interface SourceFile {
  /** From the root of the project, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Problem {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** What is wrong, and what to do instead. */
  readonly message: string;
}

/** The text with comments blanked, and with `strings: true` the insides of strings and regular expressions too. */
export function code(text: string, options: { readonly strings: boolean }): string {
  const parts: string[] = [];
  let at = 0;
  // Where the last word or other sign of code ends: it says what a slash means.
  let lastEnd = 0;
  const copy = (end: number, blank: boolean): void => {
    const part = text.slice(at, end);
    parts.push(blank ? part.replace(/[^\n]/g, ' ') : part);
    at = end;
  };
  const mark = /[/"'`]/g;
  for (;;) {
    mark.lastIndex = at;
    const found = mark.exec(text)?.index ?? text.length;
    const plain = text.slice(at, found).trimEnd();
    if (plain.trim() !== '') lastEnd = at + plain.length;
    copy(found, false);
    if (at >= text.length) return parts.join('');
    const character = text[at]!;
    if (text.startsWith('//', at)) copy(until(text, at, '\n'), true);
    else if (text.startsWith('/*', at)) copy(Math.min(until(text, at + 2, '*/') + 2, text.length), true);
    else {
      const isRegex = character === '/' && beginsValue(text, lastEnd);
      const end = character !== '/' ? endOfQuoted(text, at, character) : isRegex ? endOfRegex(text, at) : at + 1;
      copy(at + 1, false);
      if (end > at) copy(end - 1, options.strings);
      if (end > at) copy(end, false);
      lastEnd = at;
    }
  }
}

/** Whether a value is expected behind `end`, where a slash then begins a regular expression. */
function beginsValue(text: string, end: number): boolean {
  const before = text.slice(Math.max(0, end - 10), end);
  return !/[\w$)\]}"'`]$/.test(before) || /\b(?:return|typeof|case|in|of)$/.test(before);
}

function until(text: string, from: number, mark: string): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found;
}

/** Behind the closing quote. What `${}` holds counts as the string's inside. */
function endOfQuoted(text: string, start: number, quote: string): number {
  let at = start + 1;
  while (at < text.length && text[at] !== quote) {
    if (text[at] === '\\') at += 2;
    else if (quote === '`' && text.startsWith('${', at)) at = endOfSubstitution(text, at + 2);
    else if (quote !== '`' && text[at] === '\n') return at;
    else at++;
  }
  return Math.min(at + 1, text.length);
}

function endOfSubstitution(text: string, start: number): number {
  let depth = 1;
  let at = start;
  while (at < text.length && depth > 0) {
    const character = text[at]!;
    if (character === '"' || character === "'" || character === '`') {
      at = endOfQuoted(text, at, character);
      continue;
    }
    if (character === '{') depth++;
    if (character === '}') depth--;
    at++;
  }
  return at;
}

function endOfRegex(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length && text[at] !== '\n'; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '[') inClass = true;
    else if (text[at] === ']') inClass = false;
    else if (text[at] === '/' && !inClass) return at + 1;
  }
  return start + 1;
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g;

/** What a file imports, types included, whether by `import`, `export … from` or `import()`. */
export function importsOf(file: SourceFile): Import[] {
  const text = code(file.text, { strings: false });
  return [...text.matchAll(IMPORT)].map((match) => ({ specifier: match[2]!, line: lineAt(text, match.index) }));
}

export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < index; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** The path an import means, from the root; undefined for packages. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/').replace(/\.js$/, '.ts');
}
